/** One run: how it goes, its result or problem, and its items. */

import { api, live, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, replace } from "../dom.js";
import { count, counted, inUnits } from "../format.js";
import { backTo, buttonTo, confirmed, empty, facts, json, linkTo, pageHead, pathOf, pill, problem,
  say, time, working } from "../parts.js";
import { itemsOf } from "./run_items.js";
import { done, failures, lastedInWords, leftOf, progress, speed, waitingWord } from "./run_progress.js";

const REFRESH_MS = 1000;
/** After fewer items the time that is left is a guess. */
const FEW_ITEMS = 5;

export function showOne(main, id, query, signal) {
  const page = h(".stack");
  const actions = h(".actions");
  const [workflow] = id.split(".");
  document.title = `${workflow} · Runs`;
  main.append(backTo("runs"), pageHead(workflow, h("code", id), actions), page);
  let shown;
  live(signal, REFRESH_MS, async () => {
    const got = await pollApi(`/runs/${encodeURIComponent(id)}`, signal);
    if (!got.ok) return refused(page, got);
    shown ??= draw(page, actions, got.body, query.get("of"));
    shown.update(got.body);
    await shown.items.refresh(got.body);
    return got.body.status === "running";
  });
}

function refused(page, { status, body }) {
  if (status !== 404) return replace(page, problem(body));
  replace(page, empty("There is no such run",
    "Its id may be mistyped, or the local stack has begun anew since."));
  return false;
}

function draw(page, actions, run, retried) {
  const bar = progress(run, "big");
  const numbers = h("dl.numbers");
  const state = h(".row");
  const details = h("div");
  const outcome = h(".stack");
  const items = itemsOf(run.run_id);
  replace(page, retried && h("p", "Retries what failed in ", linkTo("runs", retried, "the run before it"), "."),
    h("section.card", { label: "Progress" }, state, bar.element, numbers, details),
    outcome, items.element);
  let status;
  const update = (now) => {
    bar.update(now);
    replace(numbers, numbersOf(now));
    replace(details, times(now));
    if (now.status === status) return;
    if (status) say(ending(now));
    status = now.status;
    replace(state, pill(now.status), failures(now));
    replace(actions, actionsOf(now));
    replace(outcome, outcomeOf(now));
  };
  return { update, items };
}

function ending({ status, failed, total }) {
  if (status === "cancelled") return "The run has been cancelled.";
  if (status === "failed") return "The run has failed.";
  return failed ? `The run has ended: ${count(failed)} of ${counted(total, "item")} failed.`
    : "The run has succeeded.";
}

const numbersOf = (run) => ["succeeded", "failed", "running", "pending"].map((name) =>
  h("div", { class: name }, h("dt", name === "pending" ? waitingWord(run) : name),
    h("dd", { class: !run[name] && "zero" }, count(run[name]))));

function times(run) {
  const going = run.status === "running";
  return facts({
    Started: time(run.started_at),
    Finished: !going && time(run.finished_at),
    Duration: lastedInWords(run),
    Throughput: run.total > 1 && speed(run),
    "Time left": going && done(run) >= FEW_ITEMS && `about ${inUnits(leftOf(run))}`,
    Items: count(run.total),
  });
}

function outcomeOf(run) {
  if (run.problem) return problem(run.problem);
  return run.result !== null &&
    h("section.stack", h("h2", "Result"), json(run.result, "Result"));
}

function actionsOf(run) {
  const open = buttonTo(pathOf("workflows", run.workflow), "Open the workflow");
  if (run.status === "running") return [open, working("Cancel the run", () => cancel(run), "danger")];
  const label = `Retry ${counted(run.failed, "failed item")}`;
  return [open, run.failed > 0 && working(label, () => retry(run), "primary")];
}

async function cancel(run) {
  const question = "Cancel this run? Items that have not started never start.";
  if (!(await confirmed(question, "Cancel the run"))) return;
  const got = await api("DELETE", `/runs/${run.run_id}`);
  if (!got.ok) say(got.body.detail);
}

async function retry(run) {
  const got = await api("POST", `/runs/${run.run_id}/retry`);
  if (got.ok) go(`${pathOf("runs", got.body.run_id)}?of=${run.run_id}`);
  else say(got.body.detail);
}
