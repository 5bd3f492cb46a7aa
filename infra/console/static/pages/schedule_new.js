/** A new schedule: its workflow, parameters and times. */

import { api, local } from "../api.js";
import { go } from "../app.js";
import { h, replace } from "../dom.js";
import { editorOf, parametersOf } from "../form.js";
import { answer, field, pageHead, requestCode, working } from "../parts.js";
import { scheduleForm } from "../schedule_form.js";

export async function showNew(main, chosen) {
  const workflows = (await local("workflows")).filter((each) => each.background);
  const timing = scheduleForm();
  const parameters = h("div", { class: "stack" });
  const told = h("div", { class: "stack", "aria-live": "polite" });
  let editor;
  const select = h("select", { on: { change: () => choose(select.value) } },
    workflows.map(({ name }) => h("option", {}, name)));
  const choose = async (name) => {
    const { sample, summary } = workflows.find((each) => each.name === name);
    const { schema, api: document_ } = await parametersOf(name);
    editor = editorOf(schema ?? {}, document_, sample?.parameters ?? {});
    replace(parameters, h("p", { class: "lead" }, summary), editor.element);
  };
  const create = async () => {
    replace(told);
    const body = { workflow: select.value, parameters: editor.read(), ...timing.read() };
    const got = await api("POST", "/schedules", { body });
    if (got.status === 201) return go(`/console/schedules/${encodeURIComponent(got.body.schedule_id)}`);
    return replace(told, got.ok ? started(got.body) : tell(got, editor, timing), requestCode(got.request));
  };
  select.value = workflows.some(({ name }) => name === chosen) ? chosen : workflows[0].name;
  await choose(select.value);
  main.append(h("p", {}, h("a", { href: "/console/schedules" }, "All schedules")),
    pageHead("New schedule", "A workflow that starts later, once or again and again."),
    h("div", { class: "split" },
      h("section", { class: "card" }, h("h2", {}, "Workflow"), field("Workflow", select), parameters),
      h("section", { class: "card" }, h("h2", {}, "When"), timing.element,
        h("div", { class: "actions" }, working("Create the schedule", create, "primary")), told)));
}

/** Shows errors beside their fields; the whole problem only for those that have none here. */
function tell(got, editor, timing) {
  const errors = got.body.errors ?? [];
  const inside = "/parameters";
  const own = errors.filter((each) => each.pointer.startsWith(`${inside}/`));
  const left = timing.tell(errors.filter((each) => !own.includes(each)));
  editor.tell(own.map((each) => ({ ...each, pointer: each.pointer.slice(inside.length) })));
  return errors.length && !left.length
    ? h("p", { class: "error", role: "alert" }, got.body.title) : answer(got);
}

const started = (run) => h("div", { class: "good" }, h("p", {},
  "That is now or within the minute, so the run has started. ",
  h("a", { href: `/console/runs/${run.run_id}` }, "Open the run")));
