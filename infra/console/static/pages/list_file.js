/** Lists as files: CSV (RFC 4180), JSON and JSON Lines, read as far as a preview needs. */

import { readJson } from "../form.js";

const WHOLE_BYTES = 4_000_000;

/**
 * Reads a list for its preview. Throws an Error that says what is wrong. Of the result, `total` is
 * null where the file is too long to be read here; `names` are those of the columns, with dots.
 */
export async function readList(blob) {
  const whole = blob.size <= WHOLE_BYTES;
  const text = (await (whole ? blob : blob.slice(0, WHOLE_BYTES)).text()).replace(/^\ufeff/, "");
  if (!text.trim()) throw new Error("This list is empty.");
  const format = { "[": "json", "{": "jsonl" }[text.trimStart()[0]] ?? "csv";
  const read = { csv: readCsv, json: readArray, jsonl: readLines }[format](text, whole);
  if (!read.items.length) throw new Error("This list has no items.");
  return { format, blob, ...read, total: whole ? read.items.length : null };
}

function readCsv(text, whole) {
  const rows = rowsOf(text);
  if (!whole) rows.pop();
  const [names, ...cells] = rows.filter((row) => row.length > 1 || row[0] !== "");
  const wrong = cells.findIndex((row) => row.length !== names.length);
  if (wrong >= 0) throw new Error(
    `Row ${wrong + 2} has ${cells[wrong].length} cells, but row 1 has ${names.length} names.`);
  return { names, items: cells.map((row) => Object.fromEntries(
    row.map((cell, place) => [names[place], cell]).filter(([, cell]) => cell !== ""))) };
}

/** Rows of CSV; a quoted cell may have commas, line breaks and doubled quotes. */
function rowsOf(text) {
  const rows = [[]];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|\r|$)/y;
  for (let found; cell.lastIndex < text.length && (found = cell.exec(text));) {
    const [, value, end] = found;
    rows.at(-1).push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === ",") {
      if (cell.lastIndex === text.length) rows.at(-1).push("");
    } else if (cell.lastIndex < text.length) rows.push([]);
    else return rows;
  }
  if (cell.lastIndex < text.length) throw new Error(`Row ${rows.length} is not valid CSV: ` +
    "close every quote, and write quotes inside a value twice.");
  return rows;
}

function readArray(text, whole) {
  if (!whole) throw new Error("This JSON is too long to look at here. Save it as JSON Lines.");
  const items = readJson(text, "The list");
  if (!Array.isArray(items)) throw new Error("The list is not a JSON array.");
  return objects(items, (index) => `The item with index ${index}`);
}

function readLines(text, whole) {
  const lines = text.split("\n");
  if (!whole) lines.pop();
  const kept = lines.map((line, place) => [line, place + 1]).filter(([line]) => line.trim());
  return objects(kept.map(([line, number]) => readJson(line, `Line ${number}`)),
    (index) => `Line ${kept[index][1]}`);
}

function objects(items, placeOf) {
  const wrong = items.findIndex((item) => Object(item) !== item || Array.isArray(item));
  if (wrong >= 0) throw new Error(`${placeOf(wrong)} is not an object.`);
  return { items, names: [...new Set(items.flatMap(Object.keys))] };
}
