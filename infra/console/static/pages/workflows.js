/** Workflows: all of them by group, and one with its form and the ways to call it. */

import { live, poll } from "../api.js";
import { h, keep } from "../dom.js";
import { backTo, code, pageHead, pathOf, pill, section } from "../parts.js";
import { showOne } from "./workflow_one.js";

const GROUPS = ["Verify", "Emails", "Canvas", "Platform", "Your own"];

export function show(main, { rest, query, signal }) {
  return rest[0] ? showOne(main, rest[0], query, signal) : showAll(main, query.get("how"), signal);
}

function showAll(main, how, signal) {
  const forSchedule = how === "schedule";
  const groups = h(".stack");
  if (forSchedule) main.append(backTo("schedules"));
  main.append(forSchedule
    ? pageHead("New schedule", "A workflow that starts later, once or again and again.")
    : pageHead("Workflows",
      "Call one now, later, on a list or on a schedule. Each form is filled with a sample."), groups);
  live(signal, async () => {
    const workflows = (await poll("workflows", signal))
      .filter(({ background }) => background || !forSchedule);
    keep(groups, byGroup(workflows), ({ name }) => name, (group) => groupOf(group, forSchedule));
  });
}

const byGroup = (workflows) => GROUPS.map((name) =>
  ({ name, workflows: workflows.filter(({ group }) => group === name) }));

const groupOf = ({ name, workflows }, forSchedule) => section(name, workflows.length
  ? h("ul.items", workflows.map((each) => itemOf(each, forSchedule ? "?how=schedule" : ""))) : noneYet());

const itemOf = (workflow, query) => h("li", h("a", { href: pathOf("workflows", workflow.name) + query },
  h("span.row", h("b.mono", workflow.name),
    workflow.publishable && pill("publishable", "info"),
    workflow.public && pill("no token", "info"),
    !workflow.background && pill("only now")),
  h("small", workflow.summary)));

const noneYet = () => h(".card",
  h("p", "A workflow of yours is a folder with a typed function. ",
    "This makes one, and it appears here:"),
  code("make workflow NAME=greet FROM=blank", "Command that makes a workflow"));
