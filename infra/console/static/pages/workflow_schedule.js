/** A call on a schedule: once in the future, or again and again. */

import { api } from "../api.js";
import { h, replace } from "../dom.js";
import { answer, facts, time, working } from "../parts.js";
import { scheduleForm } from "../schedule_form.js";
import { asCode, followed } from "./workflow_call.js";

export function callOnSchedule({ workflow, editor, signal }) {
  const timing = scheduleForm();
  const out = h("div", { class: "stack" });
  const request = () => ({ method: "POST", path: "/schedules",
    body: { workflow: workflow.name, parameters: editor.read(), ...timing.read() } });
  const call = async () => {
    const { method, path, body } = request();
    const got = await api(method, path, { body });
    tell(got.ok ? [] : got.body.errors ?? [], editor, timing);
    replace(out, got.status === 201 && created(got.body), got.status === 202 && [
      h("p", {}, "That is now or within the minute, so the run has started."),
      followed(got.body, signal)], answer(got));
  };
  const preview = asCode(request, editor);
  timing.element.addEventListener("input", preview.refresh);
  return h("div", { class: "stack" },
    h("p", { class: "lead" },
      "The parameters are checked now. A run starts with them when it is time."),
    timing.element,
    h("div", { class: "actions" }, working("Create the schedule", call, "primary")),
    out, preview.element);
}

/** Shows errors beside their fields: of the parameters, and of the timing. */
function tell(errors, editor, timing) {
  const own = timing.tell(errors);
  const pointer = (each) => each.pointer.replace(/^\/parameters/, "");
  editor.tell(own.map((each) => ({ ...each, pointer: pointer(each) })));
}

const created = ({ schedule_id, next_at }) => h("div", { class: "stack" },
  facts({ "Next run": time(next_at) }),
  h("p", {}, h("a", { class: "button",
    href: `/console/schedules/${encodeURIComponent(schedule_id)}` }, "Open the schedule")));
