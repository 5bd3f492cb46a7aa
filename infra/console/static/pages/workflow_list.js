/** A call on a list: choose it, see what is wrong with it, say how, and start a run on it. */

import { api, local } from "../api.js";
import { h, replace } from "../dom.js";
import { counted } from "../format.js";
import { failure, problem, submit, working } from "../parts.js";
import { checkOf, chooser, listOf, runSettings, startOf } from "./list_controls.js";
import { asCode, followed, ofParameters } from "./workflow_call.js";

export function callOnList({ workflow, schema, editor, signal }) {
  const settings = runSettings();
  const about = h(".stack");
  const checked = h(".stack", { "aria-live": "polite" });
  let list = null;
  let checks = 0;
  const request = () => ({ method: "POST", path: "/runs", body: { workflow: workflow.name,
    upload_id: "<upload_id>", parameters: editor.read(), ...settings.read() } });
  const code = asCode(request, [editor.element, settings.element]);
  const [actions, out] = submit("Start the run", async () => {
    const got = await sent(list, request());
    if (!got.ok) {
      editor.tell(ofParameters(got.body.errors ?? []));
      return problem(got.body);
    }
    list.upload = null; // A run has taken it.
    return followed(got.body, signal);
  });
  const check = async () => {
    const number = ++checks;
    replace(checked, h("p.none", "Checking the items…"));
    const got = await dryRun(list, request).catch((error) => ({ told: failure(error) }));
    if (number !== checks) return;
    replace(checked, got.told);
    replace(actions.firstChild, got.total ? `Start ${counted(got.total, "item")}` : "Start the run");
  };
  actions.append(working("Check the list", check));
  const next = h(".stack", { hidden: true }, checked, settings.element, actions, out, code,
    h("small", "POST /runs/uploads gives the upload_id: docs/how-to/runs.md."));
  const take = async (blob) => {
    replace(out);
    try {
      list = await listOf(blob);
      replace(about, startOf(list));
      check();
    } catch (error) {
      list = null;
      replace(about, failure(error));
    }
    next.hidden = !list;
  };
  editor.element.addEventListener("change", () => list && check());
  const sample = working("Make a sample of 200 items, 5 of them wrong", async () =>
    take(new Blob([await local("sample-list",
      { method: "POST", body: { schema, parameters: editor.read() }, as: "text" })])));
  return h(".stack", h("p.lead",
    "One run calls it for each item. What an item lacks comes from the form."),
  chooser(take, sample), about, next);
}

/** Sends a request on the list's upload, which its checks and its start share. */
async function sent(list, { method, path, body }) {
  const upload = list.upload ?? await uploaded(list);
  if (!upload.ok) return upload;
  list.upload = upload;
  return api(method, path, { body: { ...body, upload_id: upload.id } });
}

/** The `id` of the list in the storage, or an answer that is not `ok`, whose body is the problem. */
async function uploaded({ format, blob }) {
  const got = await api("POST", "/runs/uploads", { body: { format } });
  if (!got.ok) return got;
  const form = new FormData();
  for (const [name, value] of Object.entries(got.body.fields)) form.append(name, value);
  form.append("file", blob);
  const stored = await fetch(got.body.url, { method: "POST", body: form });
  const { ok } = stored;
  return ok ? { ok, id: got.body.upload_id }
    : { ok, body: { title: "The list could not be stored", detail: await stored.text() } };
}

async function dryRun(list, request) {
  const { body, ...rest } = request();
  const got = await sent(list, { ...rest, body: { ...body, dry_run: true } });
  return { total: got.body.total, told: got.ok ? checkOf(got.body) : problem(got.body) };
}
