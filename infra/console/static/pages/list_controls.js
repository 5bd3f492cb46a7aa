/** A list before it starts: the ways to choose it, what is wrong with it, and how its items run. */

import { h, replace } from "../dom.js";
import { asNumber, codeArea } from "../form.js";
import { count, counted } from "../format.js";
import { button, choice, code, field, newId, row, table } from "../parts.js";

const SHOWN_BYTES = 2000;
const SHOWN_LINES = 6;
const UTF_16 = { "255,254": "utf-16le", "254,255": "utf-16be" };

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
  h("small", "CSV with parameters' names in its first row, JSON or JSON Lines"));
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

/** Format and first lines of a file. Throws an Error for an empty one. */
export async function listOf(blob) {
  const bytes = new Uint8Array(await blob.slice(0, SHOWN_BYTES).arrayBuffer());
  const text = new TextDecoder(UTF_16[bytes.slice(0, 2)] ?? "utf-8").decode(bytes).trimStart();
  if (!text) throw new Error("This list is empty.");
  return { blob, format: { "[": "json", "{": "jsonl" }[text[0]] ?? "csv",
    start: text.split("\n", SHOWN_LINES).join("\n") };
}

export const startOf = ({ start }) => [h("h3", "The list begins with"), code(start, "First lines of the list")];

/** What a dry run found. Rows are as a spreadsheet numbers them. */
export function checkOf({ total, checked, invalid, problems }) {
  const { element, body } = table("Items that are wrong", ["Row", "Parameter", "Problem"]);
  body.append(...problems.flatMap((item) => item.errors.map(({ pointer, detail }, place) => row(
    place ? "" : item.row ?? `item ${item.index}`, h("code", nameIn(pointer)), detail))));
  return [
    h("p", { class: invalid ? "check bad" : "check good" }, invalid
      ? `${count(invalid)} of ${counted(checked, "item")} would fail. Correct the list, or start it as it is.`
      : `${counted(checked, "item")}: the workflow accepts every one.`,
    checked < total && ` Only the first of ${counted(total, "item")} could be checked in 10 seconds.`),
    invalid > 0 && element,
    invalid > problems.length && h("p.none", `The first ${problems.length} are shown.`),
  ];
}

/** "to" of "/items/3/to" and of "/parameters/to": the row says which item. */
const nameIn = (pointer) => pointer.replace(/^\/(items\/\d+|parameters)\/?/, "").replaceAll("/", ".");
