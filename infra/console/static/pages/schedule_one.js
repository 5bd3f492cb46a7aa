/** One schedule: when it runs next, its next ten times, and its last runs. */

import { api, live, local } from "../api.js";
import { go } from "../app.js";
import { h, keep, replace } from "../dom.js";
import { minute, moment } from "../format.js";
import { empty, facts, json, pageHead, pill, row, table, time } from "../parts.js";
import { ownZone } from "../schedule_form.js";
import { inWords } from "../timing_words.js";
import { cancelButton, countdown, pauseButton, refused, when } from "./schedules.js";

const RUNS = 100;

export function showOne(main, id, signal) {
  const back = h("p", {}, h("a", { href: "/console/schedules" }, "All schedules"));
  const page = h("div", { class: "stack" });
  main.append(back, page);
  let drawn;
  const refresh = async () => {
    const got = await api("GET", `/schedules/${encodeURIComponent(id)}`, { poll: true, signal });
    if (!got.ok) {
      const over = ended(page, got, id, drawn);
      drawn = undefined;
      return over;
    }
    const more = await local(`schedules/${encodeURIComponent(id)}/times`, { poll: true, signal });
    const text = JSON.stringify([got.body, more.times]);
    if (drawn?.text !== text) drawn = draw(page, got.body, more, refresh, text);
    return drawRuns(drawn, await lastRuns(more.runs, signal));
  };
  live(signal, 2000, refresh);
}

/** A schedule that has fired or was cancelled ends the page's refreshing. */
function ended(page, got, id, drawn) {
  if (got.status !== 404) return refused(page, got.body);
  replace(page, empty(drawn ? "This schedule has ended" : "There is no such schedule",
    "It has run for the last time, or was cancelled. What it started is in Runs.",
    h("p", { class: "mono" }, id), h("a", { class: "button", href: "/console/runs" }, "Open Runs")));
  return false;
}

function draw(page, schedule, more, refresh, text) {
  const { workflow, expression, timezone, next_at, paused } = schedule;
  const last = table("Last runs", ["Time", "Run", "Result"]);
  const noRuns = h("p", { class: "none" }, "It has not run yet.");
  const lastRuns = h("section", { class: "stack" }, h("h2", {}, "Last runs"), noRuns);
  const zone = expression.startsWith("cron") ? timezone : ownZone();
  replace(page,
    pageHead(workflow, `Runs ${inWords(expression)}${expression.startsWith("cron") ? `, in ${timezone}` : ""}.`,
      pauseButton(schedule, refresh), cancelButton(schedule, () => go("/console/schedules"))),
    h("div", { class: "split" },
      h("div", { class: "stack" },
        h("section", { class: "card" }, h("h2", {}, "Next run"),
          paused ? h("p", {}, pill("paused"), " Nothing starts until it is resumed.")
            : h("div", { class: "next" }, countdown(next_at), when(next_at, zone))),
        timesOf(more.times, zone, paused)),
      h("div", { class: "stack" }, lastRuns, definition(schedule, more))));
  return { text, last, lastRuns, noRuns };
}

function timesOf(times, zone, paused) {
  const two = zone !== ownZone();
  const { element, body } = table("Next times", [two ? zone : "Time", ...(two ? [`Yours, ${ownZone()}`] : []), ""]);
  body.append(...times.map((at) => row(minute(at, zone), ...(two ? [minute(at)] : []), time(at))));
  return h("section", { class: "stack" },
    h("h2", {}, times.length === 10 ? "Next ten times" : times.length ? "Next times" : "No more times"),
    paused && times.length > 0 && h("p", { class: "none" }, "Left out while it is paused."),
    times.length > 0 && element);
}

function definition({ schedule_id, expression, timezone, group }, { parameters, created_at, ends_at }) {
  return h("section", { class: "card" }, h("h2", {}, "Definition"), facts({
    Expression: h("code", {}, expression), "Time zone": expression.startsWith("cron") && timezone, Group: group,
    Ends: ends_at && moment(ends_at), Created: time(created_at),
    Id: h("code", {}, schedule_id),
  }), h("h3", {}, "Parameters"), json(parameters, "Parameters"));
}

/** The runs of its last times, as far as they are among the last runs of all. */
async function lastRuns(times, signal) {
  if (!times.length) return [];
  const got = await api("GET", `/runs?limit=${RUNS}`, { poll: true, signal });
  const byId = new Map((got.body.runs ?? []).map((run) => [run.run_id, run]));
  return times.filter(({ run_id }) => byId.has(run_id)).map(({ at, run_id }) => ({ at, ...byId.get(run_id) }));
}

function drawRuns({ last, lastRuns: section, noRuns }, runs) {
  keep(last.body, runs, (run) => run.run_id, (run) => row(time(run.at),
    h("a", { href: `/console/runs/${run.run_id}`, class: "mono" }, run.run_id.split(".").at(-1).slice(0, 10)),
    pill(run.status)));
  if (runs.length && !last.element.parentNode) noRuns.replaceWith(last.element);
}
