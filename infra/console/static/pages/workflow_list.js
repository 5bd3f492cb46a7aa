/** A call on a list: choose it, look at it, say how, and start a run on it. */

import { api } from "../api.js";
import { h, replace } from "../dom.js";
import { counted } from "../format.js";
import { problem, row, table, working } from "../parts.js";
import { commonOf, previewOf } from "./list_check.js";
import { chooser, runSettings } from "./list_controls.js";
import { nested, readList } from "./list_file.js";
import { SAMPLE_ITEMS, sampleList } from "./list_sample.js";
import { uploadCode, uploaded } from "./list_upload.js";
import { asCode, followed } from "./workflow_call.js";

const MOST_IN_REQUEST_BYTES = 2_900_000;
const MOST_ERRORS = 10;

export function callOnList({ workflow, schema, editor, signal }) {
  const settings = runSettings();
  const preview = h("div", { class: "stack" });
  const out = h("div", { class: "stack" });
  let list = null;
  const request = () => requestOf(workflow.name, list, settings.read(), editor);
  const code = asCode(request, editor, (made) => codeOf(made, list, settings.read()));
  const start = working("Start the run", async () => {
    replace(out, await started(request(), list, editor, signal));
  }, "primary");
  const next = h("div", { class: "stack", hidden: true }, settings.element,
    h("div", { class: "actions" }, start), out, code.element);
  const draw = (problems) => {
    next.hidden = !list;
    replace(start, list?.total ? `Start ${counted(list.total, "item")}` : "Start the run");
    replace(preview, problems && h("p", { class: "error", role: "alert" }, problems),
      list && shown(() => previewOf(list, schema, editor, workflow.name)));
    code.refresh();
  };
  const take = async (blob, name) => {
    replace(out);
    list = null;
    try {
      list = await readList(blob, name);
      draw();
    } catch (error) {
      draw(error.message);
    }
  };
  editor.element.addEventListener("change", () => list && draw());
  settings.element.addEventListener("change", code.refresh);
  const sample = working(`Make a sample of ${SAMPLE_ITEMS} items, 5 of them wrong`,
    () => take(sampleList(workflow.name, schema, editor.read()), ""));
  return h("div", { class: "stack" }, h("p", { class: "lead" },
    "One run calls it for each item. What the list lacks comes from the form, for every item."),
  chooser(take, sample), preview, next);
}

/** What `make` makes; a form that cannot be read says why instead. */
function shown(make) {
  try {
    return make();
  } catch (error) {
    return h("p", { class: "error" }, error.message);
  }
}

function requestOf(workflow, list, { uploads, ...order }, editor) {
  if (!uploads && list.blob.size > MOST_IN_REQUEST_BYTES) {
    throw new Error("This list is too long to be checked first. Let only the wrong item fail.");
  }
  const source = uploads ? { upload_id: "<upload_id>" } : { items: nested(list) };
  return { method: "POST", path: "/runs",
    body: { workflow, ...source, parameters: commonOf(list, editor), ...order } };
}

/** The request as code, with the first two items where it has the items themselves. */
function codeOf(request, list, { uploads }) {
  if (uploads) return uploadCode(request, list.format);
  const { items, ...body } = request.body;
  return uploadCode({ ...request, body: { ...body, items: items.slice(0, 2) } });
}

async function started({ method, path, body }, list, editor, signal) {
  if (body.upload_id) {
    const upload = await uploaded(list);
    if (upload.refused) return upload.refused;
    body.upload_id = upload.id;
  }
  const got = await api(method, path, { body });
  if (got.ok) return followed(got.body, signal);
  const errors = got.body.errors ?? [];
  editor.tell(errors.filter(({ pointer }) => pointer.startsWith("/parameters/"))
    .map((each) => ({ ...each, pointer: each.pointer.slice("/parameters".length) })));
  return [problem({ ...got.body, errors: [] }), wrongItems(errors, body.items)];
}

/** The items that a problem names, each with its values. */
function wrongItems(errors, items) {
  const named = errors.map(({ pointer, detail }) => ({ detail, path: pointer.split("/").slice(1) }))
    .filter(({ path }) => path[0] === "items" && items?.[path[1]]);
  if (!named.length) return null;
  const { element, body } = table("Wrong items", ["Item", "Why", "Its values"]);
  body.append(...named.slice(0, MOST_ERRORS).map(({ path: [, index, ...name], detail }) => row(index,
    [h("code", {}, name.join("/")), " ", detail], h("code", {}, JSON.stringify(items[index])))));
  return [h("p", {}, `${counted(named.length, "wrong value")}. Nothing has started.`), element];
}
