/** One workflow: its needs, the form of its parameters, and the ways to call it. */

import { local } from "../api.js";
import { h } from "../dom.js";
import { editorOf, forgetOpenapi, parametersOf } from "../form.js";
import { button, empty, facts, pageHead, tabs } from "../parts.js";
import { callLater, callNow } from "./workflow_call.js";
import { callOnList } from "./workflow_list.js";
import { callOnSchedule } from "./workflow_schedule.js";

const WAYS = { now: "Now", later: "Later", list: "On a list", schedule: "On a schedule" };
const PANELS = { now: callNow, later: callLater, list: callOnList, schedule: callOnSchedule };

export async function showOne(main, name, query, signal) {
  forgetOpenapi(); // the code may have changed since the last page
  const [workflows, { schema, operation, api }] =
    await Promise.all([local("workflows"), parametersOf(name)]);
  if (signal.aborted) return;
  const workflow = workflows.find((each) => each.name === name);
  const back = h("p", {}, h("a", { href: "/console/workflows" }, "All workflows"));
  if (!workflow) {
    main.append(back, empty("There is no such workflow",
      "It may have another name now, or a mistake that the terminal of make run shows.",
      h("p", { class: "mono" }, name)));
    return;
  }
  const sample = workflow.sample?.parameters ?? {};
  const reset = button("Reset to the sample", () => {
    editor.fill(sample);
    localStorage.removeItem(keyOf(name));
    editor.element.dispatchEvent(new Event("change"));
  }, "quiet");
  const editor = remembering(editorOf(schema ?? {}, api, remembered(name) ?? sample, reset), name);
  document.title = `${name} · Workflows`;
  main.append(back, pageHead(h("code", {}, name), leadOf(workflow, operation)),
    needs(workflow),
    h("div", { class: "split" },
      h("section", { class: "card", "aria-label": "Parameters" }, h("h2", {}, "Parameters"),
        editor.element),
      h("section", { class: "card", "aria-label": "Call" }, h("h2", {}, "Call it"),
        ways({ workflow, schema: schema ?? {}, api, editor, signal }, query.get("how")))));
}

/** One sentence on it, and what its OpenAPI operation says beyond its own summary. */
function leadOf({ summary }, operation) {
  const more = operation?.description ?? "";
  return more.startsWith(operation?.summary) ? summary : `${summary} ${more}`;
}

const needs = ({ name, publishable, background, public: open }) => facts({
  Token: open ? "None" : publishable ? "Secret or publishable" : "Secret only",
  Scope: open ? "None" : h("code", {}, `workflow:${name}`),
  "In the background": background ? "Yes" : "No, only now",
});

/** Tabs of which each keeps its content while another one is shown. */
function ways(call, chosen) {
  const made = {};
  const panelOf = (way) => () => {
    history.replaceState(null, "", location.pathname + (way === "now" ? "" : `?how=${way}`));
    const able = way === "now" || call.workflow.background;
    return (made[way] ??= able ? PANELS[way](call) : onlyNow(call.workflow));
  };
  const panels = Object.entries(WAYS).map(([way, label]) => [label, panelOf(way)]);
  return tabs("Ways to call it", Object.fromEntries(panels), WAYS[chosen]);
}

const onlyNow = ({ name }) => h("div", { class: "empty" }, h("h2", {}, "Only now"),
  h("p", {}, h("code", {}, name), " handles secrets. A run would keep them, so it has none: " +
    "no call in the background, on a list or on a schedule."));

const keyOf = (name) => `parameters of ${name}`;

function remembered(name) {
  try {
    return JSON.parse(localStorage.getItem(keyOf(name)));
  } catch {
    return null;
  }
}

/** An editor whose values are still there at the next visit. */
function remembering(editor, name) {
  const remember = () => {
    try {
      localStorage.setItem(keyOf(name), JSON.stringify(editor.read()));
    } catch {
      // Half-typed JSON, or no storage: the last readable values stay.
    }
  };
  editor.element.addEventListener("input", remember);
  return editor;
}
