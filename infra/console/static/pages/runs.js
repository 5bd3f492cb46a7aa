/** Runs: all of them, live, and one with its items. */

import { api, live } from "../api.js";
import { h, keep, replace } from "../dom.js";
import { counted } from "../format.js";
import { choice, empty, field, pageHead, pill, problem, reading, time,
  working } from "../parts.js";
import { showOne } from "./run_one.js";
import { done, failures, lastedInWords, progress, speed } from "./run_progress.js";

const PAGE = 25;
const TICK_MS = 1000;
const IDLE_TICKS = 3;
const COUNTS_AT_ONCE = 4;
const STATUSES = { "": "All", running: "Running", succeeded: "Succeeded", failed: "Failed",
  cancelled: "Cancelled" };

/** Runs with their counts, by id: one that has ended is asked for once. */
const ended = new Map();

export function show(main, { rest, query, signal }) {
  return rest[0] ? showOne(main, rest[0], query, signal) : showAll(main, query, signal);
}

async function showAll(main, query, signal) {
  const list = new Runs(signal);
  const chosen = { workflow: query.get("workflow") ?? "", status: query.get("status") ?? "" };
  const told = h("div", { class: "stack" }, reading("the runs"));
  const items = h("ul", { class: "items run-list" });
  const select = h("select", { on: { change: () => choose("workflow", select.value) } });
  const older = working("Older runs", () => list.readOlder(draw));
  const filters = h("div", { class: "row filters" }, field("Workflow", select),
    h("div", { class: "field" }, h("span", { class: "label" }, "Status"),
      choice("Status", STATUSES, chosen.status, (status) => choose("status", status))));
  const few = h("p", { class: "none" });
  const content = [filters, items, few, h("div", { class: "actions" }, older)];
  const choose = (name, value) => {
    chosen[name] = value;
    const kept = Object.entries(chosen).filter(([, each]) => each);
    const address = `/console/runs${kept.length ? "?" : ""}${new URLSearchParams(kept)}`;
    history.replaceState(null, "", address);
    draw();
  };
  const draw = () => {
    if (list.refused) return replace(told, problem(list.refused));
    if (!list.all().length) return replace(told, nothing());
    drawOptions(select, list.all(), chosen.workflow);
    const shown = list.all().filter((run) => fits(run, chosen));
    keep(items, shown, (run) => run.run_id, itemOf);
    items.hidden = !shown.length;
    few.textContent = shown.length ? ""
      : `None of the newest ${counted(list.all().length, "run")} is like this.`;
    older.hidden = !list.cursor;
    if (items.parentNode !== told) replace(told, content);
  };
  main.append(pageHead("Runs",
    "Work in the background: single calls, lists, and what schedules started.",
    h("a", { class: "button", href: "/console/workflows" }, "Start one")), told);
  let tick = 0;
  live(signal, TICK_MS, async () => {
    if (tick++ % IDLE_TICKS && !list.isMoving()) return;
    await list.refresh();
    draw();
    await list.count(draw);
  });
}

const fits = (run, { workflow, status }) =>
  (!workflow || run.workflow === workflow) && (!status || run.status === status);

/** The runs that have been read: the newest page again and again, older ones once. */
class Runs {
  known = new Map();
  cursor = null;

  constructor(signal) {
    this.signal = signal;
  }

  all() {
    return [...this.known.values()]
      .sort((one, other) => other.started_at.localeCompare(one.started_at));
  }

  isMoving = () => this.all().some((run) => run.status === "running");

  async refresh() {
    const first = !this.known.size;
    const page = await this.read("");
    if (first && page) this.cursor = page.cursor;
  }

  async readOlder(draw) {
    const page = await this.read(`&cursor=${encodeURIComponent(this.cursor)}`);
    if (page) this.cursor = page.cursor;
    draw();
    await this.count(draw);
  }

  async read(more) {
    const got = await api("GET", `/runs?limit=${PAGE}${more}`, { poll: true, signal: this.signal });
    this.refused = got.ok ? null : got.body;
    if (!got.ok) return null;
    for (const run of got.body.runs) {
      const known = this.known.get(run.run_id);
      this.known.set(run.run_id, ended.get(run.run_id) ?? { ...known, ...run });
    }
    return got.body;
  }

  /** Adds the counts, which lists of runs do not have, to runs that lack them or go on. */
  async count(draw) {
    const open = this.all().filter((run) => !ended.has(run.run_id));
    const work = async () => {
      for (let run; (run = open.shift()) && !this.signal.aborted; draw()) {
        await this.countOne(run.run_id);
      }
    };
    await Promise.all(Array.from({ length: COUNTS_AT_ONCE }, work));
  }

  async countOne(id) {
    const got = await api("GET", `/runs/${id}`, { poll: true, signal: this.signal });
    if (!got.ok) return;
    this.known.set(id, got.body);
    if (got.body.status !== "running") ended.set(id, got.body);
  }
}

function drawOptions(select, runs, chosen) {
  const names = [...new Set([...runs.map((run) => run.workflow), chosen].filter(Boolean))].sort();
  if (select.names === names.join()) return;
  select.names = names.join();
  replace(select, h("option", { value: "" }, "All workflows"),
    names.map((name) => h("option", {}, name)));
  select.value = chosen;
}

function itemOf(run) {
  const counted = run.total !== undefined;
  const many = counted && run.total > 1;
  return h("li", {}, h("a", { href: `/console/runs/${run.run_id}` },
    h("span", { class: "run-name" }, h("b", {}, run.workflow), h("code", {}, shortId(run.run_id))),
    h("span", { class: "row" }, pill(run.status), counted && failures(run)),
    counted ? progress(run).element : waiting(),
    h("span", { class: "run-facts" }, time(run.started_at),
      h("span", {}, [lastedInWords(run), many && done(run) > 0 && speed(run)]
        .filter(Boolean).join(" · ")))));
}

/** The place of counts that are being read. */
const waiting = () =>
  h("span", { class: "progress" }, h("span", { class: "bar" }), h("small", {}, "\u00a0"));

/** The first characters of an id, without the workflow's name. */
export const shortId = (id) => id.split(".").at(-1).slice(0, 8);

const nothing = () => empty("No runs yet",
  "A run is work in the background. Make a list of 200 emails, of which 5 fail, and watch it.",
  h("a", { class: "button primary", href: "/console/workflows/send_email_template?how=list" },
    "Start a run on a list"));
