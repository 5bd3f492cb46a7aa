/** A form that changes a schedule: its timing, its end, its overlap and its parameters. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { editorOf, parametersOf } from "../form.js";
import { button, card, problem, say, submit } from "../parts.js";
import { planned, scheduleForm } from "../schedule_form.js";
import { ofParameters } from "./workflow_call.js";

export async function changeOf(schedule, done) {
  const { schedule_id, workflow } = schedule;
  const { schema, api: document } = await parametersOf(workflow);
  const editor = editorOf(schema, document, schedule.parameters);
  const timing = scheduleForm((asked) => planned(workflow, editor.read(), asked), schedule);
  const [before, parameters] = [timing.read(), JSON.stringify(editor.read())];
  const [actions, out] = submit("Save", async () => {
    const changed = changesOf(before, timing.read());
    const now = editor.read();
    if (JSON.stringify(now) !== parameters) changed.parameters = now;
    const got = await api("PATCH", `/schedules/${schedule_id}`, { body: changed });
    if (got.ok) {
      say("Changed. It runs for your token now.");
      return done();
    }
    editor.tell(ofParameters(timing.tell(got.body.errors ?? [])));
    return problem(got.body);
  });
  actions.append(button("Keep it as it is", done));
  return card("Change it", h(".split", timing.element, editor.element), actions, out);
}

/** What is not as it was. An end that was taken away is "never"; a local one needs its zone. */
function changesOf(before, now) {
  const isNew = (name) => now[name] !== before[name];
  const { ends_at, overlap, ...timing } = now;
  return {
    ...(Object.keys(timing).some(isNew) && timing),
    ...(isNew("ends_at") && { ends_at: ends_at ?? "never", timezone: timing.timezone }),
    ...(isNew("overlap") && { overlap }),
  };
}
