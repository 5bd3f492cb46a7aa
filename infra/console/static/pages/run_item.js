/** One item of a run: its entry of the list, its outcome and its log. */

import { live, local, pollApi } from "../api.js";
import { h, keep } from "../dom.js";
import { facts, fold, json, later, linkTo, logLines, pageHead, pill, problem, queryOf, refused, time }
  from "../parts.js";

const REFRESH_MS = 1000;

export const readItem = (runId, index, signal) =>
  pollApi(`/runs/${encodeURIComponent(runId)}/items/${encodeURIComponent(index)}`, signal);

export function showItem(main, runId, index, signal) {
  const page = h(".stack");
  document.title = `Item ${index} · Runs`;
  main.append(h("p", linkTo("runs", runId, "All items of the run")),
    pageHead(`Item ${index}`, h("code", runId)), page);
  live(signal, REFRESH_MS, async () => {
    const { ok, status, body } = await readItem(runId, index, signal);
    if (!ok) refused(page, body);
    else keep(page, [body], () => index, (item) =>
      h("section.card", pill(item.status), itemView(item, runId)));
    return ok ? ["pending", "running"].includes(body.status) : status !== 404;
  });
}

export function itemView(item, runId) {
  const log = `logs${queryOf({ run: runId, index: `${item.index}` })}`;
  return [
    facts({ Row: item.row, Attempts: item.attempts, Started: item.started_at && time(item.started_at),
      Finished: item.finished_at && time(item.finished_at),
      "Next attempt": item.next_attempt_by && time(item.next_attempt_by) }),
    item.problem ? problem(item.problem) : item.result !== null && json(item.result, "Result"),
    later(local(log), ({ lines }) =>
      [h("h3", "Log"), lines.length ? logLines(lines) : h("p.none", "Nothing is logged on this item.")]),
    h("h3", "Parameters"), item.parameters ? json(item.parameters, "Parameters")
      : h("p.none", "They were deleted after 7 days."),
    item.problem && fold("Problem as JSON", () => json(item.problem, "Problem")),
  ];
}
