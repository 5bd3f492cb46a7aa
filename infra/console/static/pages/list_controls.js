/** Controls of a call on a list: the ways to choose one, and how its items run. */

import { h, replace } from "../dom.js";
import { codeArea } from "../form.js";
import { button, choice, field, newId } from "../parts.js";

const ORDERS = { parallel: "Items at the same time", paced: "One after the other" };

/**
 * A file by choice or by drop, pasted text, and a sample.
 * @param {(blob: Blob, name: string) => void} take
 * @param {Element} sample button that makes one
 */
export function chooser(take, sample) {
  const text = codeArea("", 5, { placeholder: "to,locale\nana@example.com,en" });
  const use = button("Use this list", () => take(new Blob([text.value]), ""));
  return h("div.stack", dropZone(take),
    h("details", h("summary.link", "Paste a list"),
      h("div.stack.inside", field("List", text), h("div.actions", use))),
    h("div.actions", sample));
}

function dropZone(take) {
  const takeFirst = ([file]) => file && take(file, file.name);
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
  const zone = h("div.drop", {
    on: { dragover: over(true), dragleave: over(false), drop: over(false) } },
  h("p", input, h("label.button", { for: input.id }, "Choose a file"),
    " or drop it here"),
  h("small", "CSV with the parameters' names in its first row, JSON, or JSON Lines"));
  return zone;
}

/**
 * How the items run.
 * @returns {{element: Element, read: () => object}} `read` gives fields of POST /runs
 */
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
  const element = h("div.stack", choice("Items run", ORDERS, order, choose), place);
  const read = () => (order === "paced"
    ? { interval_seconds: numberIn(seconds) } : { max_concurrency: numberIn(many) });
  return { element, read };
}

/** What is no number goes as it was typed, so that the API's own problem is seen. */
const numberIn = ({ value }) =>
  (value.trim() && Number.isFinite(Number(value)) ? Number(value) : value);
