/** One run: how it goes, who started it, its result or problem, and its items. */

import { accepted, live, local, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, replace } from "../dom.js";
import { count, counted, inUnits } from "../format.js";
import { backTo, buttonTo, facts, json, linkTo, pageHead, pathOf, pill, problem,
  refused, say, section, time, working } from "../parts.js";
import { cancelOf, itemsOf } from "./run_items.js";
import { done, inWords, lastedInWords, leftOf, pendingWord, progress, speed, starter, statusOf }
  from "./run_progress.js";
import { stepsOf, waitOf } from "./steps.js";

/** After fewer items the time that is left is a guess. */
const FEW_ITEMS = 5;

export async function showOne(main, id, signal) {
  const page = h(".stack");
  const actions = h(".actions");
  const [workflow] = id.split(".");
  document.title = `${workflow} · Runs`;
  main.append(backTo("runs"), pageHead(workflow, h("code", id), actions), page);
  const names = await local("tokens");
  let shown;
  live(signal, async () => {
    const got = await pollApi(`/runs/${encodeURIComponent(id)}`, signal);
    if (!got.ok) {
      refused(page, got.body);
      return got.status !== 404;
    }
    shown ??= draw(page, actions, got.body, names, signal);
    shown.update(got.body);
    await Promise.all([shown.items.refresh(got.body), got.body.total === 1 && shown.steps.update(got.body)]);
    return got.body.status === "running";
  });
}

function draw(page, actions, run, names, signal) {
  const bar = progress(run, "big");
  const numbers = h("dl.numbers");
  const state = h(".row");
  const details = h("div");
  const outcome = h(".stack");
  const steps = stepsOf(run.run_id, signal);
  const items = itemsOf(run.run_id);
  replace(page, h("section.card", { label: "Progress" }, state, bar.element, numbers, details),
    outcome, steps.element, items.element);
  let status;
  const update = (now) => {
    bar.update(now);
    replace(numbers, numbersOf(now));
    replace(details, factsOf(now, names));
    replace(state, pill(statusOf(now)));
    if (now.status === status) return;
    if (status) say(`The run has ended: ${inWords(now)}.`);
    status = now.status;
    replace(actions, actionsOf(now));
    replace(outcome, outcomeOf(now));
  };
  return { update, items, steps };
}

const numbersOf = (run) => ["succeeded", "failed", "skipped", "running", "waiting", "pending"]
  .filter((name) => run[name] || !["skipped", "waiting"].includes(name))
  .map((name) => h("div", { class: name }, h("dt", name === "pending" ? pendingWord(run) : name),
    h("dd", { class: !run[name] && "zero" }, count(run[name]))));

function factsOf(run, names) {
  const going = run.status === "running";
  const { words, href } = starter(run, names);
  return facts({
    "Started by": href ? h("a", { href }, words) : words,
    "Retry of": run.retry_of && linkTo("runs", run.retry_of, "the run before it"),
    Started: time(run.started_at),
    Finished: !going && time(run.finished_at),
    Duration: lastedInWords(run),
    Throughput: run.total > 1 && speed(run),
    "Time left": going && done(run) >= FEW_ITEMS && `about ${inUnits(leftOf(run))}`,
    Items: count(run.total),
    ...waitOf(run),
  });
}

function outcomeOf(run) {
  if (run.problem) return problem(run.problem);
  return run.result !== null && section("Result", json(run.result, "Result"));
}

function actionsOf(run) {
  const open = buttonTo(pathOf("workflows", run.workflow), "Open the workflow");
  if (run.status === "running") return [open, cancelOf(run.run_id)];
  // Of a run that was cancelled or broke off, what it never did is done, too.
  const label = run.pending > 0 ? `Continue with ${counted(run.pending + run.failed, "item")}`
    : run.failed > 0 && `Retry ${counted(run.failed, "failed item")}`;
  return [open, working("Export as CSV", () => exported(run)),
    label && working(label, () => retry(run), "primary")];
}

async function retry(run) {
  const { body } = await accepted("POST", `/runs/${run.run_id}/retry`);
  go(pathOf("runs", body.run_id));
}

/** The storage serves the file as a download, so that the page stays. */
async function exported(run) {
  const { body } = await accepted("POST", `/runs/${run.run_id}/export`);
  location.assign(body.url);
}
