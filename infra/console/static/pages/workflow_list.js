/** A call on a list: choose it, look at it, say how, and start a run on it. */

import { api } from "../api.js";
import { h, replace } from "../dom.js";
import { count, counted } from "../format.js";
import { button, choice, field, newId, problem, table, working } from "../parts.js";
import { nested, readList } from "./list_file.js";
import { SAMPLE_ITEMS, sampleList } from "./list_sample.js";
import { uploadCode, uploaded } from "./list_upload.js";
import { asCode, followed } from "./workflow_call.js";

const MOST_IN_REQUEST_BYTES = 2_900_000;
const SHOWN_ROWS = 5;
const ORDERS = { parallel: "At the same time", paced: "One after the other" };
const CHECKS = { later: "Only that item fails", first: "Nothing starts" };

export function callOnList(call) {
  const { workflow, schema, editor, signal } = call;
  const settings = settingsOf();
  const preview = h("div", { class: "stack" });
  const out = h("div", { class: "stack" });
  let list = null;
  const request = () => requestOf(workflow, list, settings.read(), editor);
  const code = asCode(request, editor, (made) => codeFor(made, list, settings.read()));
  const start = working("Start the run", async () => replace(out, await started(request(), list, settings.read(), signal, editor)), "primary");
  const after = h("div", { class: "stack", hidden: true }, settings.element,
    h("div", { class: "actions" }, start), out, code.element);
  const draw = () => {
    after.hidden = !list;
    replace(preview, list && previewOf(list, schema, editor, workflow.name));
    replace(start, list?.total ? `Start ${counted(list.total, "item")}` : "Start the run");
    code.refresh();
  };
  const take = async (blob, name) => {
    replace(out);
    try {
      list = await readList(blob, name);
      draw();
    } catch (error) {
      list = null;
      draw();
      replace(preview, h("p", { class: "error", role: "alert" }, error.message));
    }
  };
  editor.element.addEventListener("change", () => list && draw());
  settings.element.addEventListener("change", code.refresh);
  const sample = () => take(sampleList(workflow.name, schema, editor.read()), "");
  return h("div", { class: "stack" },
    h("p", { class: "lead" }, "One run calls it for each item. What the list lacks comes from the form, for every item."),
    chooser(take, working(`Make a sample of ${SAMPLE_ITEMS} items, 5 of them wrong`, sample)),
    preview, after);
}

/** Ways to a list: a file by choice or drop, pasted text, and a sample. */
function chooser(take, sample) {
  const input = h("input", { type: "file", class: "hidden", id: newId("file"), accept: ".csv,.json,.jsonl,.ndjson",
    on: { change: () => input.files[0] && take(input.files[0], input.files[0].name) } });
  const zone = h("div", { class: "drop", on: {
    dragover: (event) => {
      event.preventDefault();
      zone.classList.add("over");
    },
    dragleave: () => zone.classList.remove("over"),
    drop: (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      const [file] = event.dataTransfer.files;
      if (file) take(file, file.name);
    },
  } }, h("p", {}, input, h("label", { class: "button", for: input.id }, "Choose a file"), " or drop it here"),
  h("small", {}, "CSV with the parameters' names in its first row, JSON, or JSON Lines"));
  const text = h("textarea", { class: "mono", rows: 5, spellcheck: "false", placeholder: "to,locale\nana@example.com,en" });
  return h("div", { class: "stack" }, zone,
    h("details", {}, h("summary", {}, "Paste a list"), h("div", { class: "form" }, field("List", text),
      h("div", { class: "actions" }, button("Use this list", () => take(new Blob([text.value]), ""))))),
    h("div", { class: "actions" }, sample));
}

function settingsOf() {
  const value = { order: "parallel", check: "later" };
  const many = h("input", { inputmode: "numeric", value: 20 });
  const seconds = h("input", { inputmode: "numeric", value: 60 });
  const fields = { parallel: field("At most at once", many, "1 to 1000 items"), paced: field("Seconds between two", seconds) };
  const place = h("div");
  const choose = (name) => (chosen) => {
    value[name] = chosen;
    replace(place, fields[value.order]);
    element.dispatchEvent(new Event("change"));
  };
  const group = (label, control) => h("div", { class: "field" }, h("span", { class: "label" }, label), control);
  const element = h("div", { class: "form" },
    group("Items run", choice("Items run", ORDERS, value.order, choose("order"))), place,
    group("If an item is wrong", choice("If an item is wrong", CHECKS, value.check, choose("check"))));
  replace(place, fields.parallel);
  const number = (input) => (Number.isInteger(Number(input.value)) ? Number(input.value) : input.value);
  const read = () => ({ uploads: value.check === "later", ...(value.order === "paced"
    ? { interval_seconds: number(seconds) } : { max_concurrency: number(many) }) });
  return { element, read };
}

/** The first rows, and where each parameter comes from. */
function previewOf(list, schema, editor, workflow) {
  const { element, body } = table(`First items of the list`, ["", ...list.names]);
  list.items.slice(0, SHOWN_ROWS).forEach((item, index) => body.append(h("tr", {},
    h("th", { scope: "row" }, index), list.names.map((name) => h("td", {}, cellOf(item[name]))))));
  const size = list.total === null ? `The first of ${count(Math.round(list.blob.size / 1e6))} MB`
    : `${counted(list.total, "item")}, ${counted(list.names.length, "column")}`;
  return [h("h3", {}, size), element, checkOf(list, schema, editor, workflow)];
}

const cellOf = (value) => (value === undefined ? h("span", { class: "none" }, "–")
  : typeof value === "string" ? value : JSON.stringify(value));

/** Compares the columns with the parameters before anything is sent. */
function checkOf(list, schema, editor, workflow) {
  const known = Object.keys(schema.properties ?? {});
  const columns = new Set(list.names.map((name) => (list.format === "csv" ? name.split(".")[0] : name)));
  const common = commonOf(list, editor, columns);
  const strange = [...columns].filter((name) => !known.includes(name));
  const lacking = (schema.required ?? []).filter((name) => !columns.has(name) && !(name in common));
  const named = (names) => names.flatMap((name, place) => [place > 0 && ", ", h("code", {}, name)]);
  const line = (names, words, tone) => names.length > 0 && h("li", { class: tone }, named(names), ` ${words}`);
  return h("ul", { class: "check", "aria-label": "Check of the columns" },
    line(known.filter((name) => columns.has(name)), "from the list", "good"),
    line(Object.keys(common), "from the form, for every item", "good"),
    line(strange, `${strange.length > 1 ? "are" : "is"} no parameter of ${workflow}: every item with it fails`, "bad"),
    line(lacking, `${lacking.length > 1 ? "are" : "is"} needed: add a column, or fill it in the form`, "bad"));
}

/** The form's values for parameters that the list does not have. */
const commonOf = (list, editor, columns) =>
  Object.fromEntries(Object.entries(editor.read()).filter(([name]) => !columns.has(name)));

function requestOf(workflow, list, { uploads, ...order }, editor) {
  const columns = new Set(list.names.map((name) => name.split(".")[0]));
  const source = uploads ? { upload_id: "<upload_id>" } : { items: nested(list) };
  if (!uploads && list.blob.size > MOST_IN_REQUEST_BYTES) {
    throw new Error("This list is too long to be checked first. Let only the wrong item fail.");
  }
  return { method: "POST", path: "/runs",
    body: { workflow: workflow.name, ...source, parameters: commonOf(list, editor, columns), ...order } };
}

const codeFor = (request, list, { uploads }) =>
  uploadCode(uploads ? request : { ...request, body: { ...request.body, items: request.body.items.slice(0, 2) } },
    uploads && list.format);

async function started({ method, path, body }, list, { uploads }, signal, editor) {
  if (uploads) {
    const upload = await uploaded(list);
    if (upload.refused) return upload.refused;
    body.upload_id = upload.id;
  }
  const got = await api(method, path, { body });
  if (got.ok) return followed(got.body, signal);
  editor.tell((got.body.errors ?? []).filter(({ pointer }) => pointer.startsWith("/parameters/"))
    .map((each) => ({ ...each, pointer: each.pointer.slice("/parameters".length) })));
  return problem(got.body);
}
