/** Steps of an item as a timeline, and the event that wakes one that waits. */

import { accepted, pollApi } from "../api.js";
import { h, keep, put } from "../dom.js";
import { codeArea, readJson, textInput } from "../form.js";
import { counted, minute } from "../format.js";
import { card, facts, field, fold, json, linkTo, pill, problem, queryOf, say, section, submit, time,
  until, wrongOf } from "../parts.js";
import { lastedInWords } from "./run_progress.js";

/** Words for a kind, and for the end of its pause; that of a run is only when it looks again. */
const KINDS = { step: ["step", "next attempt "], sleep: ["sleep", "goes on "],
  wait_for: ["wait for an event", "gives up "], run: ["run"] };

/** `update` takes an item, or the run of one item, which needs no `index`. */
export function stepsOf(runId, signal) {
  const list = h("ol.items.steps", { label: "Steps" });
  const steps = section("Steps", list);
  const waker = h("div");
  const element = h(".stack");
  const update = async ({ index, waiting_for }) => {
    const { ok, body } = await pollApi(`/runs/${runId}/steps${queryOf({ index: index?.toString() })}`, signal);
    if (!ok) return;
    const isAwaited = body.steps.some(({ kind, status }) => kind === "wait_for" && status === "waiting");
    keep(list, body.steps, ({ name }) => name, stepOf);
    // What is typed stays until the item waits for another event.
    keep(waker, isAwaited ? [waiting_for] : [], (type) => type, (type) => wakerOf(runId, index, type));
    put(element, body.steps.length > 0 && steps, waker);
  };
  return { element, update };
}

/** How long a run or an item waits, and for which event, as facts. */
export const waitOf = ({ waiting_for, waiting_until }) => ({
  "Waits for": waiting_for && h("code", waiting_for),
  [waiting_for ? "Goes on at the latest" : "Goes on"]: waiting_until && until(waiting_until),
});

function stepOf(step) {
  const { name, kind, status, attempts, started_at, finished_at, result } = step;
  const [word, next] = KINDS[kind];
  return h("li", { class: status }, fold([
    pill(status), h("b", name), h("small", word, attempts > 1 && ` · ${counted(attempts, "attempt")}`),
    h("span.grow.about", outcomeOf(step)),
    h("small.tabular", finished_at ? lastedInWords(step)
      : status === "waiting" && next && [next, until(step.until)]),
  ], () => [
    facts({ Started: time(started_at), Finished: finished_at && time(finished_at), Attempts: attempts,
      Until: step.until && minute(step.until) }),
    kind === "run" && result?.run_id && h("p", linkTo("runs", result.run_id, "The run")),
    step.problem && problem(step.problem),
    result !== null && json(result, `Result of ${name}`),
  ]));
}

function outcomeOf({ kind, status, result, problem: wrong }) {
  if (wrong) return wrongOf(wrong);
  if (result !== null) return h("code", JSON.stringify(kind === "wait_for" ? result.data : result));
  return kind === "wait_for" && status === "succeeded" && "no event came in time";
}

function wakerOf(runId, index, awaited) {
  const type = textInput({ value: awaited });
  const data = codeArea("{}", 4);
  return card("Send an event", field("Type", type), field("Data", data, "A JSON object"),
    submit("Send the event", async () => {
      const body = { type: type.value, data: readJson(data.value, "The data"), index };
      const sent = await accepted("POST", `/runs/${runId}/events`, { body });
      say(sent.body.woken ? "The item goes on." : "The item finds it once it waits for it.");
    }));
}
