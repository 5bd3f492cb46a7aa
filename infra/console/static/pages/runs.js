/** Runs: all of them, live, and one with its items. */

import { live, local, pollApi } from "../api.js";
import { h, keep, put } from "../dom.js";
import { buttonTo, choice, empty, field, linkTo, pageHead, pathOf, pill, queryOf, refused, time,
  working } from "../parts.js";
import { showOne } from "./run_one.js";
import { done, lastedInWords, progress, speed, starter } from "./run_progress.js";

const PAGE = 25;
const TICK_MS = 1000;
const IDLE_TICKS = 3;
/** Running runs whose counts are read one by one; a list has those of runs that have ended. */
const MOST_COUNTED = 8;
const STATUSES = { "": "All", running: "Running", succeeded: "Succeeded",
  partly_failed: "Partly failed", failed: "Failed", cancelled: "Cancelled" };

export const show = (main, { rest: [id], query, signal }) =>
  (id ? showOne(main, id, signal) : showAll(main, query, signal));

function showAll(main, query, signal) {
  const chosen = Object.fromEntries(["workflow", "status", "schedule_id"].map((name) =>
    [name, query.get(name) ?? ""]));
  let runs = new Runs(chosen, signal);
  const page = h(".stack");
  const items = h("ul.items.run-list", { label: "Runs" });
  const none = h("div");
  const older = working("Older runs", () => runs.read(runs.cursor).then(draw));
  const choose = (name) => (value) => {
    chosen[name] = value;
    history.replaceState(null, "", `/console/runs${queryOf(chosen)}`);
    runs = new Runs(chosen, signal);
    return refresh();
  };
  const filters = h(".row.filters", field("Workflow", workflowsFor(chosen.workflow, choose("workflow"))),
    h(".field", h("span.label", "Status"),
      choice("Status", STATUSES, chosen.status, choose("status"))),
    chosen.schedule_id && h("p", "Of ", linkTo("schedules", chosen.schedule_id, "one schedule"), " · ",
      h("a", { href: "/console/runs" }, "Show all")));
  const draw = () => {
    if (runs.refusal) return refused(page, runs.refusal);
    const all = runs.all();
    keep(items, all, (run) => run.run_id, itemOf);
    items.hidden = !all.length;
    older.hidden = !runs.cursor;
    keep(none, all.length || runs.cursor ? [] : [queryOf(chosen)], (filter) => filter, nothing);
    return put(page, filters, items, none, older);
  };
  const refresh = async () => {
    const asked = runs;
    for (const read of [asked.read, asked.count]) {
      await read();
      if (asked === runs) draw();
    }
  };
  main.append(pageHead("Runs",
    "Work in the background: single calls, lists, and what schedules and webhooks started.",
    buttonTo("/console/workflows", "Start one")), page);
  let tick = 0;
  live(signal, TICK_MS, async () => {
    if (tick++ % IDLE_TICKS === 0 || runs.moving().length) await refresh();
  });
}

/** Runs that fit a choice: the newest page again and again, older ones once. */
class Runs {
  known = new Map();
  cursor = null;

  constructor(chosen, signal) {
    this.chosen = { ...chosen };
    this.get = (more) => pollApi(`/runs${more}`, signal);
  }

  all = () => [...this.known.values()]
    .filter(({ status }) => !this.chosen.status || status === this.chosen.status)
    .sort((one, other) => other.started_at.localeCompare(one.started_at));

  moving = () => this.all().filter(({ status }) => status === "running");

  read = async (cursor) => {
    const { ok, body } = await this.get(queryOf({ limit: PAGE, ...this.chosen, cursor }));
    this.refusal = ok ? null : body;
    if (!ok) return;
    if (cursor || !this.known.size) this.cursor = body.cursor;
    for (const run of body.runs) {
      const before = this.known.get(run.run_id);
      if (run.status !== "running" || !before) this.known.set(run.run_id, counted(run));
    }
  };

  count = () => Promise.all(this.moving().slice(0, MOST_COUNTED).map(async ({ run_id }) => {
    const { ok, body } = await this.get(`/${run_id}`);
    if (ok) this.known.set(run_id, body);
  }));
}

const counted = (run) => (run.status === "running" ? run
  : { ...run, running: 0, pending: run.total - done(run) });

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
    pill(run.status),
    // The place of counts that are being read
    isCounted ? progress(run).element : h("span.progress", h("span.bar"), h("small", "\u00a0")),
    h("span.run-facts", time(run.started_at), h("span", lastedInWords(run),
      run.total > 1 && isCounted && done(run) > 0 && ` · ${speed(run)}`))));
}

const nothing = (filter) => (filter
  ? empty("No run is like this", "Choose another workflow or status, or show all runs of the last 30 days.",
    buttonTo("/console/runs", "Show all"))
  : empty("No runs yet",
    "A run is work in the background. Make a list of 200 emails, of which 5 fail, and watch it.",
    buttonTo("/console/workflows/send_email_template?how=list", "Start a run on a list", "primary")));
