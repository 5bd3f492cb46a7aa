/** The items of a run: outcome, attempts, and the log of each; and the page of one, with its steps. */

import { accepted, live, local, pollApi } from "../api.js";
import { h, keep, put, replace } from "../dom.js";
import { counted, duration } from "../format.js";
import { button, choice, confirmed, facts, json, later, fold, linkTo, logLines, pageHead, pathOf, pill,
  problem, queryOf, refused, time, until, working, wrongOf } from "../parts.js";
import { stepsOf, waitOf } from "./steps.js";

const PAGE = 50;
const CHOICES = { "": "All", failed: "Failed" };

export function itemsOf(runId) {
  const list = h("ul.items", { label: "Items" });
  const told = h(".stack");
  const none = h("p.none");
  const pages = [""]; // the cursor of each page up to the one that is shown
  let status = "";
  let following = null;
  let run;
  const turn = (change) => (value) => {
    change(value);
    return refresh(run);
  };
  const back = button("Previous", turn(() => pages.pop()));
  const next = button("Next", turn(() => pages.push(following)));
  const pager = h("nav.actions", { label: "Pages of items" }, back, next);
  const choose = turn((chosen) => {
    status = chosen;
    pages.splice(1);
  });
  const chosen = () => queryOf({ limit: PAGE, status, cursor: pages.at(-1) });
  const refresh = async (now) => {
    run = now;
    const query = chosen();
    const got = await pollApi(`/runs/${runId}/items${query}`);
    if (query !== chosen()) return; // an answer that came too late
    replace(told, !got.ok && problem(got.body));
    if (!got.ok) return;
    const { items, cursor } = got.body;
    following = cursor;
    keep(list, items, (item) => item.index, (item) => h("li", itemOf(item, runId)));
    list.hidden = !items.length;
    none.textContent = items.length ? "" : nothing(status, now);
    back.disabled = pages.length === 1;
    next.disabled = !following;
    pager.hidden = back.disabled && next.disabled;
  };
  return { refresh, element: h("section.stack", { label: "Items of this run" },
    h(".head", h("h2", "Items"), choice("Items", CHOICES, status, choose)),
    told, list, none, pager) };
}

/** What came of an item so far, in a line. */
const outcomeOf = ({ problem: wrong, result, waiting_for }) => (wrong ? wrongOf(wrong)
  : waiting_for ? ["waits for ", h("code", waiting_for)]
    : h("code", result === null ? "" : JSON.stringify(result)));

const nothing = (status, run) =>
  `No item has ${status || "started"}${run.status === "running" ? " so far" : ""}.`;

const itemOf = (item, runId) => fold([
  h("span.index", h("span.hidden", "Item "), item.index),
  pill(item.status),
  h("span.grow.about", outcomeOf(item)),
  h("small.tabular", item.attempts > 1 && `${counted(item.attempts, "attempt")} · `,
    item.next_attempt_by && ["next ", time(item.next_attempt_by)],
    item.waiting_until && ["goes on ", until(item.waiting_until)],
    item.finished_at && duration(new Date(item.finished_at) - new Date(item.started_at))),
], () => [
  later(readItem(runId, item.index), ({ ok, body }) => (ok ? itemView(body, runId) : problem(body))),
  h("p", h("a", { href: `${pathOf("runs", runId)}/${item.index}` }, "The item's own page")),
]);

const readItem = (runId, index, signal) =>
  pollApi(`/runs/${encodeURIComponent(runId)}/items/${encodeURIComponent(index)}`, signal);

export function showItem(main, runId, index, signal) {
  const page = h(".stack");
  const actions = h(".actions");
  const steps = stepsOf(runId, signal);
  const cancel = cancelOf(runId);
  document.title = `Item ${index} · Runs`;
  main.append(h("p", linkTo("runs", runId, "All items of the run")),
    pageHead(`Item ${index}`, h("code", runId), actions), steps.element, page);
  live(signal, async () => {
    const { ok, status, body } = await readItem(runId, index, signal);
    if (!ok) {
      refused(page, body);
      return status !== 404;
    }
    const going = ["pending", "running", "waiting"].includes(body.status);
    keep(page, [body], () => index, (item) =>
      h("section.card", pill(item.status), itemView(item, runId)));
    put(actions, going && cancel);
    await steps.update(body);
    return going;
  });
}

/** A button that cancels a run, once it is confirmed. */
export const cancelOf = (runId) => working("Cancel the run", async () => {
  const below = h("input", { type: "checkbox" });
  const more = h("label", below, " Cancel the runs that its items started, too");
  const question = "Cancel this run? Items that wait or have not started never go on.";
  if (!(await confirmed(question, "Cancel the run", more))) return;
  await accepted("DELETE", `/runs/${runId}${queryOf({ descendants: below.checked })}`);
}, "danger");

function itemView(item, runId) {
  const log = `logs${queryOf({ run: runId, index: `${item.index}` })}`;
  return [
    facts({ Row: item.row, Attempts: item.attempts, Started: item.started_at && time(item.started_at),
      Finished: item.finished_at && time(item.finished_at),
      "Next attempt": item.next_attempt_by && time(item.next_attempt_by), ...waitOf(item) }),
    item.problem ? problem(item.problem) : item.result !== null && json(item.result, "Result"),
    later(local(log), ({ lines }) =>
      [h("h3", "Log"), lines.length ? logLines(lines) : h("p.none", "Nothing is logged on this item.")]),
    h("h3", "Parameters"), item.parameters ? json(item.parameters, "Parameters")
      : h("p.none", "They were deleted after 7 days."),
  ];
}
