/** One workflow: its needs, the form of its parameters, and the ways to call it. */

import { local } from "../api.js";
import { h, replace } from "../dom.js";
import { editorOf, forgetOpenapi, parametersOf } from "../form.js";
import { backTo, button, empty, facts, pageHead, tabs } from "../parts.js";
import { store, stored } from "../stored.js";
import { callLater, callNow, callOnSchedule } from "./workflow_call.js";
import { callOnList } from "./workflow_list.js";

const WAYS = {
  now: ["Now", callNow],
  later: ["Later", callLater],
  list: ["On a list", callOnList],
  schedule: ["On a schedule", callOnSchedule],
};

export async function showOne(main, name, query, signal) {
  document.title = `${name} · Workflows`;
  const lead = h("span");
  const page = h(".stack");
  main.append(backTo("workflows"), pageHead(h("code", name), lead), page);
  forgetOpenapi(); // the code may have changed since the last page
  const [workflows, { schema, operation, api }] =
    await Promise.all([local("workflows"), parametersOf(name)]);
  if (signal.aborted) return;
  const workflow = workflows.find((each) => each.name === name);
  if (!workflow) {
    replace(page, empty("There is no such workflow",
      "It may have another name now, or a mistake that the terminal of make run shows."));
    return;
  }
  const sample = workflow.sample.parameters;
  const reset = button("Reset to the sample", () => {
    editor.fill(sample);
    store(keyOf(name), sample);
    editor.element.dispatchEvent(new Event("change"));
  }, "quiet");
  const editor = editorOf(schema, api, chosen(workflow, query) ?? stored(keyOf(name)) ?? sample, reset);
  editor.element.addEventListener("input", () => remember(editor, name));
  replace(lead, leadOf(workflow, operation));
  replace(page, needs(workflow),
    h(".split",
      h("section.card", { label: "Parameters" }, h("h2", "Parameters"), editor.element),
      h("section.card", { label: "Call" }, h("h2", "Call it"),
        ways({ workflow, schema, editor, signal }, query.get("how")))));
}

function leadOf({ summary }, operation) {
  const more = operation?.description ?? "";
  return more.startsWith(operation?.summary) ? summary : `${summary} ${more}`;
}

function chosen({ sample }, query) {
  const [template, locale] = [query.get("template"), query.get("locale")];
  const data = sample.templates?.[template];
  return data && { ...sample.parameters, template, locale, data };
}

const needs = ({ name, publishable, background, public: open }) => facts({
  Token: open ? "None" : publishable ? "Secret or publishable" : "Secret only",
  Scope: open ? "None" : h("code", `workflow:${name}`),
  "In the background": background ? "Yes" : "No, only now",
});

/** Tabs of which each keeps its content while another one is shown. */
function ways(call, first) {
  const made = {};
  const panels = Object.entries(WAYS).map(([way, [label, panelOf]]) => [label, () => {
    history.replaceState(null, "", location.pathname + (way === "now" ? "" : `?how=${way}`));
    const able = way === "now" || call.workflow.background;
    return (made[way] ??= able ? panelOf(call) : onlyNow(call.workflow));
  }]);
  return tabs("Ways to call it", Object.fromEntries(panels), WAYS[first]?.[0]);
}

const onlyNow = ({ name }) => empty("Only now", [h("code", name), " handles secrets. A run would " +
  "keep them, so it has none: no call in the background, on a list or on a schedule."]);

const keyOf = (name) => `parameters of ${name}`;

function remember(editor, name) {
  try {
    store(keyOf(name), editor.read());
  } catch { /* half-typed JSON: the last readable values stay */ }
}
