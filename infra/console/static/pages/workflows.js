/** Workflows: all of them by group, and one with its form and the ways to call it. */

import { live, local } from "../api.js";
import { h, keep } from "../dom.js";
import { code, pageHead, pill } from "../parts.js";
import { showOne } from "./workflow_one.js";

const GROUPS = ["Verify", "Emails", "Canvas", "Platform", "Your own"];
const REFRESH_MS = 3000;

export function show(main, { rest, query, signal }) {
  return rest[0] ? showOne(main, rest[0], query, signal) : showAll(main, signal);
}

async function showAll(main, signal) {
  const groups = h("div", { class: "stack" });
  const first = await local("workflows");
  if (signal.aborted) return;
  main.append(pageHead("Workflows",
    "Call one now, later, on a list or on a schedule. Each has a form, filled from its sample."),
  groups);
  const draw = (workflows) => keep(groups, byGroup(workflows), ({ name }) => name, groupOf);
  draw(first);
  live(signal, REFRESH_MS, async () => draw(await local("workflows", { poll: true, signal })));
}

const byGroup = (workflows) => GROUPS.map((name) =>
  ({ name, workflows: workflows.filter(({ group }) => group === name) }));

const groupOf = ({ name, workflows }) => h("section", { class: "stack" }, h("h2", {}, name),
  workflows.length ? h("ul", { class: "items" }, workflows.map(itemOf)) : noneYet());

const itemOf = (workflow) => h("li", {}, h("a", { href: `/console/workflows/${workflow.name}` },
  h("span", { class: "row" }, h("b", { class: "mono" }, workflow.name),
    workflow.publishable && pill("publishable", "info"),
    workflow.public && pill("no token", "info"),
    !workflow.background && pill("only now")),
  h("small", {}, workflow.summary)));

const noneYet = () => h("div", { class: "card" },
  h("p", {}, "A workflow of yours is a folder with a typed function. ",
    "This makes one, and it appears here:"),
  code("make workflow NAME=greet FROM=blank", "Command that makes a workflow"));
