/** Runs: all of them, live, and one with its items. */

import { live, local, pollApi } from "../api.js";
import { h } from "../dom.js";
import { newest } from "../newest.js";
import { buttonTo, choice, empty, field, linkTo, pageHead, pathOf, pill, queryOf, time }
  from "../parts.js";
import { showItem } from "./run_items.js";
import { showOne } from "./run_one.js";
import { done, lastedInWords, progress, speed, starter, statusOf } from "./run_progress.js";

/** Running runs whose counts are read at a time, in turns; a list has those of runs that have ended. */
const MOST_COUNTED = 8;
const STATUSES = { "": "All", running: "Running", waiting: "Waiting", succeeded: "Succeeded",
  partly_failed: "Partly failed", failed: "Failed", cancelled: "Cancelled" };

export function show(main, { rest: [id, index], query, signal }) {
  if (index) return showItem(main, id, index, signal);
  return id ? showOne(main, id, signal) : showAll(main, query, signal);
}

function showAll(main, query, signal) {
  const chosen = Object.fromEntries(["workflow", "status", "schedule_id"].map((name) =>
    [name, query.get(name) ?? ""]));
  // The API's status of a run that waits is "running".
  const isWaiting = () => chosen.status === "waiting";
  const asked = () => ({ ...chosen, status: isWaiting() ? "running" : chosen.status });
  const runs = newest({ path: "/runs", name: "runs", id: "run_id", label: "Runs", kind: "run-list",
    query: asked(), itemOf, none: nothing, fits: (run) => !isWaiting() || run.waiting !== 0,
    merged: counted, signal });
  const choose = (name) => (value) => {
    chosen[name] = value;
    history.replaceState(null, "", `/console/runs${queryOf(chosen)}`);
    return runs.choose(asked());
  };
  main.append(
    pageHead("Runs", "Work in the background: calls, lists, and what schedules and webhooks started.",
      buttonTo("/console/workflows", "Start one")),
    h(".row.filters", field("Workflow", workflowsFor(chosen.workflow, choose("workflow"))),
      h(".field", h("span.label", "Status"),
        choice("Status", STATUSES, chosen.status, choose("status"))),
      chosen.schedule_id && h("p", "Of ", linkTo("schedules", chosen.schedule_id, "one schedule"), " · ",
        h("a", { href: "/console/runs" }, "Show all"))),
    runs.place);
  const moving = () => {
    const all = runs.all().filter(({ status }) => status === "running");
    return all.filter((_, place) => (place + tick) % Math.ceil(all.length / MOST_COUNTED) === 0);
  };
  let tick = 0;
  live(signal, async () => {
    tick++;
    await runs.refresh();
    await Promise.all(moving().map(async ({ run_id }) => {
      const { ok, body } = await pollApi(`/runs/${run_id}`, signal);
      if (ok) runs.set(body);
    }));
    runs.draw();
  });
}

/** A run with its counts: one that runs keeps those that were read of it. */
const counted = (before, run) => (run.status === "running" ? before ?? run
  : { ...run, running: 0, waiting: 0, pending: run.total - done(run) });

function workflowsFor(chosen, choose) {
  const select = h("select", { on: { change: () => choose(select.value) } });
  local("workflows").then((workflows) => {
    const names = workflows.filter(({ background }) => background).map(({ name }) => name);
    select.append(...[...new Set(["", chosen, ...names])].map((name) =>
      h("option", { value: name }, name || "All workflows")));
    select.value = chosen;
  });
  return select;
}

function itemOf(run) {
  const isCounted = run.running !== undefined;
  const [, id] = run.run_id.split(".");
  return h("li", h("a", { href: pathOf("runs", run.run_id) },
    h("span.run-name", h("b", run.workflow), h("small", h("code", id.slice(0, 8)), " · ",
      run.retry_of ? "a retry" : `by ${starter(run).words}`)),
    pill(statusOf(run)),
    // The place of counts that are being read
    isCounted ? progress(run).element : h("span.progress", h("span.bar"), h("small", "\u00a0")),
    h("span.run-facts", time(run.started_at), h("span", lastedInWords(run),
      run.total > 1 && isCounted && done(run) > 0 && ` · ${speed(run)}`))));
}

const nothing = (filter) => (filter
  ? empty("No run is like this", "Choose another workflow or status, or show all of the last 30 days.",
    buttonTo("/console/runs", "Show all"))
  : empty("No runs yet",
    "Make a list of 200 emails, of which 5 fail, and watch it.",
    buttonTo("/console/workflows/send_email_template?how=list", "Start a run on a list", "primary")));
