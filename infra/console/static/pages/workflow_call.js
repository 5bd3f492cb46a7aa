/** The calls with one set of parameters: now, later in the background, and on a schedule. */

import { api, live, pollApi, prepared } from "../api.js";
import { h, replace } from "../dom.js";
import { answer, buttonTo, choice, facts, pathOf, requestCode, submit, time } from "../parts.js";
import { planned, scheduleForm } from "../schedule_form.js";
import { progress } from "./run_progress.js";

const TOKENS = { secret: "Secret token", publishable: "Publishable token" };

export function callNow({ workflow, editor }) {
  let token = workflow.public ? null : "secret";
  return wayOf({ editor, lead: "The answer comes with the call.", label: `Call ${workflow.name}`,
    controls: workflow.publishable && choice("Token", TOKENS, token, (chosen) => (token = chosen)),
    request: () => ({ method: "POST", path: `/workflows/${workflow.name}`, body: editor.read(), token }) });
}

export const callLater = ({ workflow, editor, signal }) => wayOf({ editor,
  lead: "The answer is a run, at once. Its work is tried again where that can help.",
  label: "Start it in the background",
  request: () => ({ method: "POST", path: `/workflows/${workflow.name}`, body: editor.read(),
    headers: { prefer: "respond-async" } }),
  outcome: ({ status, body }) => status === 202 && followed(body, signal) });

export function callOnSchedule({ workflow, editor, signal }) {
  const timing = scheduleForm((asked) => planned(workflow.name, editor.read(), asked));
  return wayOf({ editor, controls: timing.element, label: "Create the schedule",
    lead: "The parameters are checked now. A run starts with them when it is time.",
    request: () => ({ method: "POST", path: "/schedules",
      body: { workflow: workflow.name, parameters: editor.read(), ...timing.read() } }),
    tell: (errors) => editor.tell(ofParameters(timing.tell(errors))),
    outcome: ({ status, body }) => (status === 201 ? created(body) : status === 202 &&
      [h("p", "That is now or within the minute, so the run has started."), followed(body, signal)]) });
}

const created = ({ schedule_id, next_at }) => [facts({ "Next run": time(next_at) }),
  h("p", buttonTo(pathOf("schedules", schedule_id), "Open the schedule"))];

export const ofParameters = (errors) => errors
  .filter(({ pointer }) => pointer.startsWith("/parameters"))
  .map((each) => ({ ...each, pointer: each.pointer.slice("/parameters".length) }));

/** A way to call. `tell` shows errors beside their fields; `outcome` stands above the answer. */
function wayOf({ editor, lead, controls, label, request, tell = editor.tell, outcome = () => null }) {
  const call = async () => {
    const { method, path, ...options } = request();
    const got = await api(method, path, options);
    tell(got.ok ? [] : got.body.errors ?? []);
    return [outcome(got), answer(got)];
  };
  return h(".stack", h("p.lead", lead), controls, submit(label, call),
    asCode(request, [editor.element, controls]));
}

export function followed(run, signal) {
  const shown = progress(run);
  live(signal, async () => {
    const got = await pollApi(`/runs/${run.run_id}`, signal);
    if (got.ok) shown.update(got.body);
    return got.body.status === "running";
  });
  return h(".stack", shown.element, h("p", buttonTo(pathOf("runs", run.run_id), "Open the run")));
}

export function asCode(request, controls) {
  const shown = h("div");
  const refresh = async () => {
    if (!element.open) return;
    try {
      const { method, path, ...options } = request();
      replace(shown, requestCode(await prepared(method, path, options)));
    } catch (error) {
      replace(shown, h("p.error", error.message));
    }
  };
  const element = h("details", { on: { toggle: refresh } },
    h("summary.link", "This call as curl and fetch"), shown);
  for (const each of controls.filter(Boolean)) {
    for (const event of ["input", "change", "click"]) each.addEventListener(event, refresh);
  }
  return element;
}
