/** A call on a list: choose it, look at it, say how, and start a run on it. */

import { api } from "../api.js";
import { h, replace } from "../dom.js";
import { counted } from "../format.js";
import { problem, working } from "../parts.js";
import { commonOf, previewOf } from "./list_check.js";
import { chooser, runSettings } from "./list_controls.js";
import { readList } from "./list_file.js";
import { SAMPLE_ITEMS, sampleList } from "./list_sample.js";
import { uploadCode, uploaded } from "./list_upload.js";
import { asCode, followed } from "./workflow_call.js";

export function callOnList({ workflow, schema, editor, signal }) {
  const settings = runSettings();
  const preview = h("div", { class: "stack" });
  const out = h("div", { class: "stack" });
  let list = null;
  const request = () => ({ method: "POST", path: "/runs", body: { workflow: workflow.name,
    upload_id: "<upload_id>", parameters: commonOf(list, editor), ...settings.read() } });
  const code = asCode(request, editor, (made) => uploadCode(made, list.format));
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

async function started({ method, path, body }, list, editor, signal) {
  const upload = await uploaded(list);
  if (upload.refused) return upload.refused;
  const got = await api(method, path, { body: { ...body, upload_id: upload.id } });
  if (got.ok) return followed(got.body, signal);
  editor.tell((got.body.errors ?? []).map((each) =>
    ({ ...each, pointer: each.pointer.replace("/parameters", "") })));
  return problem(got.body);
}
