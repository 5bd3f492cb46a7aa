/** The calls with one set of parameters: now, and later in the background. */

import { api, live, prepared } from "../api.js";
import { h, replace } from "../dom.js";
import { answer, choice, requestCode, working } from "../parts.js";
import { progress } from "./run_progress.js";

const TOKENS = { secret: "Secret token", publishable: "Publishable token" };
const RUN_REFRESH_MS = 1000;

export function callNow({ workflow, editor }) {
  let token = workflow.public ? null : "secret";
  const out = h("div", { class: "stack" });
  const request = () => ({ method: "POST", path: `/workflows/${workflow.name}`,
    body: editor.read(), token });
  const call = async () => replace(out, answer(await sent(request(), editor)));
  const preview = asCode(request, editor);
  return h("div", { class: "stack" },
    h("p", { class: "lead" }, "The answer comes with the call."),
    workflow.publishable && choice("Token", TOKENS, token, (chosen) => {
      token = chosen;
      preview.refresh();
    }),
    h("div", { class: "actions" }, working(`Call ${workflow.name}`, call, "primary")),
    out, preview.element);
}

export function callLater({ workflow, editor, signal }) {
  const out = h("div", { class: "stack" });
  const request = () => ({ method: "POST", path: `/workflows/${workflow.name}`,
    body: editor.read(), headers: { prefer: "respond-async" } });
  const call = async () => {
    const got = await sent(request(), editor);
    replace(out, got.status === 202 && followed(got.body, signal), answer(got));
  };
  return h("div", { class: "stack" },
    h("p", { class: "lead" }, "The answer is a run, at once. ",
      "The work goes on behind it, and is tried again where that can help."),
    h("div", { class: "actions" }, working("Start it in the background", call, "primary")),
    out, asCode(request, editor).element);
}

/** Sends the request, and shows the errors of its problem beside their fields. */
async function sent({ method, path, ...options }, editor) {
  const got = await api(method, path, options);
  editor.tell(got.ok ? [] : got.body.errors ?? []);
  return got;
}

/** A run that shows how it goes, until it has ended. */
export function followed(run, signal) {
  const shown = progress(run);
  live(signal, RUN_REFRESH_MS, async () => {
    const got = await api("GET", `/runs/${run.run_id}`, { poll: true, signal });
    if (got.ok) shown.update(got.body);
    return !got.ok || got.body.status === "running";
  });
  return h("div", { class: "stack" }, shown.element, h("p", {},
    h("a", { class: "button", href: `/console/runs/${run.run_id}` }, "Open the run")));
}

/**
 * A request as code, folded, in step with the editor.
 * @param {() => object} request
 * @param {(request: object) => Element} codeOf
 */
export function asCode(request, editor, codeOf = requestCode) {
  const shown = h("div");
  const element = h("details", { class: "as-code", on: { toggle: () => refresh() } },
    h("summary", {}, "This call as curl and fetch"), shown);
  const refresh = async () => {
    if (!element.open) return;
    try {
      const { method, path, ...options } = request();
      replace(shown, codeOf(await prepared(method, path, options)));
    } catch (error) {
      replace(shown, h("p", { class: "error" }, error.message));
    }
  };
  for (const event of ["input", "change"]) editor.element.addEventListener(event, refresh);
  return { element, refresh };
}
