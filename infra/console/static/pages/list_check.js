/** A list before it starts: its first lines, and which of its items the workflow does not accept. */

import { h } from "../dom.js";
import { count, counted } from "../format.js";
import { code, row, table } from "../parts.js";

const SHOWN_BYTES = 2000;
const SHOWN_LINES = 6;
const UTF_16 = { "255,254": "utf-16le", "254,255": "utf-16be" };

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
