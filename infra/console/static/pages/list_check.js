/** A list before it is sent: its first rows, and where each parameter comes from. */

import { asText } from "../api.js";
import { h } from "../dom.js";
import { count, counted } from "../format.js";
import { table } from "../parts.js";

const SHOWN = { rows: 5, columns: 12 };

export function previewOf(list, schema, editor, workflow) {
  const names = list.names.slice(0, SHOWN.columns);
  const { element, body } = table("First items of the list", ["Item", ...names]);
  body.append(...list.items.slice(0, SHOWN.rows).map((item, index) => h("tr",
    h("th", { scope: "row" }, index), names.map((name) => h("td", asText(item[name]) ?? "–")))));
  const size = list.total === null ? `The first items of ${count(Math.ceil(list.blob.size / 1e6))} MB`
    : `${counted(list.total, "item")}, ${counted(list.names.length, "column")}`;
  return [h("h3", size), element, checkOf(list, schema, editor, workflow)];
}

export function commonOf(list, editor) {
  const columns = columnsOf(list);
  return Object.fromEntries(Object.entries(editor.read()).filter(([name]) => !columns.has(name)));
}

/** The parameters that a list names: of `data.name` it is `data`. */
const columnsOf = (list) =>
  new Set(list.names.map((name) => (list.format === "csv" ? name.split(".")[0] : name)));

function checkOf(list, schema, editor, workflow) {
  const known = Object.keys(schema.properties ?? {});
  const columns = columnsOf(list);
  const common = commonOf(list, editor);
  const strange = [...columns].filter((name) => !known.includes(name));
  const lacking = (schema.required ?? []).filter((name) => !columns.has(name) && !(name in common));
  const are = (names) => (names.length > 1 ? "are" : "is");
  return h("ul.check", { label: "Check of the columns" },
    line(known.filter((name) => columns.has(name)), "from the list", "good"),
    line(Object.keys(common), "from the form, for every item", "good"),
    line(strange, `${are(strange)} no parameter of ${workflow}: an item with it fails`, "bad"),
    line(lacking, `${are(lacking)} needed: add a column, or fill it in the form`, "bad"));
}

const line = (names, words, tone) => names.length > 0 && h("li", { class: tone },
  names.flatMap((name, place) => [place > 0 && ", ", h("code", name)]), ` ${words}`);
