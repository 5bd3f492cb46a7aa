/** Runs: all of them, live, and one with its items. */

import { live, pollApi } from "../api.js";
import { h, keep, put, replace } from "../dom.js";
import { counted } from "../format.js";
import { buttonTo, choice, empty, field, pageHead, pathOf, pill, problem, queryOf, time,
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

function showAll(main, query, signal) {
  const list = new Runs(signal);
  const chosen = { workflow: query.get("workflow") ?? "", status: query.get("status") ?? "" };
  const page = h(".stack");
  const items = h("ul.items.run-list");
  const select = h("select", { on: { change: () => choose("workflow", select.value) } });
  const older = working("Older runs", () => list.readOlder(draw));
  const filters = h(".row.filters", field("Workflow", select),
    h(".field", h("span.label", "Status"),
      choice("Status", STATUSES, chosen.status, (status) => choose("status", status))));
  const few = h("p.none");
  const choose = (name, value) => {
    chosen[name] = value;
    history.replaceState(null, "", `/console/runs${queryOf(chosen)}`);
    draw();
  };
  const draw = () => {
    const all = list.all();
    if (list.refused) return replace(page, problem(list.refused));
    if (!all.length) return replace(page, nothing());
    drawOptions(select, all, chosen.workflow);
    const { workflow, status } = chosen;
    const shown = all.filter((run) =>
      (!workflow || run.workflow === workflow) && (!status || run.status === status));
    keep(items, shown, (run) => run.run_id, itemOf);
    items.hidden = !shown.length;
    few.textContent = shown.length ? "" : `None of the newest ${counted(all.length, "run")} is like this.`;
    older.hidden = !list.cursor;
    return put(page, filters, items, few, older);
  };
  main.append(pageHead("Runs",
    "Work in the background: single calls, lists, and what schedules started.",
    buttonTo("/console/workflows", "Start one")), page);
  let tick = 0;
  live(signal, TICK_MS, async () => {
    if (tick++ % IDLE_TICKS && !list.isMoving()) return;
    await list.refresh();
    draw();
    await list.count(draw);
  });
}

/** The runs that have been read: the newest page again and again, older ones once. */
class Runs {
  known = new Map();
  cursor = null;

  constructor(signal) {
    this.signal = signal;
  }

  all = () => [...this.known.values()]
    .sort((one, other) => other.started_at.localeCompare(one.started_at));

  isMoving = () => this.all().some((run) => run.status === "running");

  async refresh() {
    const first = !this.known.size;
    const page = await this.read();
    if (first && page) this.cursor = page.cursor;
  }

  async readOlder(draw) {
    const page = await this.read(this.cursor);
    if (page) this.cursor = page.cursor;
    draw();
    await this.count(draw);
  }

  async read(cursor) {
    const got = await this.get(queryOf({ limit: PAGE, cursor }));
    this.refused = got.ok ? null : got.body;
    if (!got.ok) return null;
    for (const run of got.body.runs) {
      this.known.set(run.run_id, ended.get(run.run_id) ?? { ...this.known.get(run.run_id), ...run });
    }
    return got.body;
  }

  get = (more) => pollApi(`/runs${more}`, this.signal);

  /** Adds the counts, which lists of runs do not have, to runs that lack them or go on. */
  async count(draw) {
    const open = this.all().filter((run) => !ended.has(run.run_id));
    const work = async () => {
      for (let run; (run = open.shift()) && !this.signal.aborted; draw()) {
        const { ok, body } = await this.get(`/${run.run_id}`);
        if (ok) this.known.set(run.run_id, body);
        if (ok && body.status !== "running") ended.set(run.run_id, body);
      }
    };
    await Promise.all(Array.from({ length: COUNTS_AT_ONCE }, work));
  }
}

function drawOptions(select, runs, chosen) {
  const names = [...new Set(["", chosen, ...runs.map((run) => run.workflow)])].sort();
  keep(select, names, (name) => name, (name) => h("option", { value: name }, name || "All workflows"));
  select.value = chosen;
}

function itemOf(run) {
  const isCounted = run.total !== undefined;
  const [, id] = run.run_id.split(".");
  return h("li", h("a", { href: pathOf("runs", run.run_id) },
    h("span.run-name", h("b", run.workflow), h("code", id.slice(0, 8))),
    h("span.row", pill(run.status), isCounted && failures(run)),
    // The place of counts that are being read
    isCounted ? progress(run).element : h("span.progress", h("span.bar"), h("small", "\u00a0")),
    h("span.run-facts", time(run.started_at), h("span", lastedInWords(run),
      run.total > 1 && done(run) > 0 && ` · ${speed(run)}`))));
}

const nothing = () => empty("No runs yet",
  "A run is work in the background. Make a list of 200 emails, of which 5 fail, and watch it.",
  buttonTo("/console/workflows/send_email_template?how=list", "Start a run on a list", "primary"));
