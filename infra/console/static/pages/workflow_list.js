/** A call on a list: choose it, look at it, say how, and start a run on it. */

import { api } from "../api.js";
import { h, replace } from "../dom.js";
import { counted } from "../format.js";
import { failure, problem, submit, working } from "../parts.js";
import { commonOf, previewOf } from "./list_check.js";
import { chooser, runSettings } from "./list_controls.js";
import { readList } from "./list_file.js";
import { SAMPLE_ITEMS, sampleList } from "./list_sample.js";
import { uploadCode, uploaded } from "./list_upload.js";
import { asCode, followed, ofParameters } from "./workflow_call.js";

export function callOnList({ workflow, schema, editor, signal }) {
  const settings = runSettings();
  const preview = h(".stack");
  let list = null;
  const request = () => ({ method: "POST", path: "/runs", body: { workflow: workflow.name,
    upload_id: "<upload_id>", parameters: commonOf(list, editor), ...settings.read() } });
  const code = asCode(request, [editor.element, settings.element],
    (made) => uploadCode(made, list.format));
  const [actions, out] = submit("Start the run", async () => started(request(), list, editor, signal));
  const next = h(".stack", { hidden: true }, settings.element, actions, out, code.element);
  const draw = () => {
    next.hidden = !list;
    if (!list) return;
    replace(actions.firstChild, list.total ? `Start ${counted(list.total, "item")}` : "Start the run");
    try {
      replace(preview, previewOf(list, schema, editor, workflow.name));
    } catch (error) { // a form that cannot be read
      replace(preview, failure(error));
    }
    code.refresh();
  };
  const take = async (blob) => {
    replace(out);
    list = null;
    try {
      list = await readList(blob);
    } catch (error) {
      replace(preview, failure(error));
    }
    draw();
  };
  editor.element.addEventListener("change", draw);
  const sample = working(`Make a sample of ${SAMPLE_ITEMS} items, 5 of them wrong`,
    () => take(sampleList(schema, editor.read())));
  return h(".stack", h("p.lead",
    "One run calls it for each item. What the list lacks comes from the form, for every item."),
  chooser(take, sample), preview, next);
}

async function started({ method, path, body }, list, editor, signal) {
  const upload = await uploaded(list);
  if (upload.refused) return upload.refused;
  const got = await api(method, path, { body: { ...body, upload_id: upload.id } });
  if (got.ok) return followed(got.body, signal);
  editor.tell(ofParameters(got.body.errors ?? []));
  return problem(got.body);
}
