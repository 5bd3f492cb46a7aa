/** Controls of a call on a list: the ways to choose one, and how its items run. */

import { h, replace } from "../dom.js";
import { asNumber, codeArea } from "../form.js";
import { button, choice, field, newId } from "../parts.js";

export function chooser(take, sample) {
  const text = codeArea("", 5, { placeholder: "to,locale\nana@example.com,en" });
  const use = button("Use this list", () => take(new Blob([text.value])));
  return h(".stack", dropZone(take),
    h("details", h("summary.link", "Paste a list"),
      h(".stack.inside", field("List", text), h(".actions", use))),
    h(".actions", sample));
}

function dropZone(take) {
  const takeFirst = ([file]) => file && take(file);
  const over = (is) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", is);
    if (event.type === "drop") takeFirst(event.dataTransfer.files);
  };
  const input = h("input", { type: "file", class: "hidden", id: newId("file"),
    accept: ".csv,.json,.jsonl,.ndjson", on: { change: () => {
      takeFirst(input.files);
      input.value = ""; // so that the same file can be chosen again after a change
    } } });
  const zone = h(".drop", {
    on: { dragover: over(true), dragleave: over(false), drop: over(false) } },
  h("p", input, h("label.button", { for: input.id }, "Choose a file"),
    " or drop it here"),
  h("small", "CSV with the parameters' names in its first row, JSON, or JSON Lines"));
  return zone;
}

export function runSettings() {
  let order = "parallel";
  const many = h("input", { inputmode: "numeric", value: 20 });
  const seconds = h("input", { inputmode: "numeric", value: 60 });
  const fields = { paced: field("Seconds between two", seconds),
    parallel: field("At most at once", many, "1 to 1000 items; on this machine always 4") };
  const place = h("div", fields[order]);
  const choose = (chosen) => {
    order = chosen;
    replace(place, fields[order]);
  };
  const element = h(".stack", choice("Items run",
    { parallel: "Items at the same time", paced: "One after the other" }, order, choose), place);
  const read = () => (order === "paced"
    ? { interval_seconds: asNumber(seconds.value) } : { max_concurrency: asNumber(many.value) });
  return { element, read };
}
