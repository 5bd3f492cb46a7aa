/** One schedule: when it runs next, its next ten times, and its last runs. */

import { live, poll, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, keep, put, replace } from "../dom.js";
import { minute, moment } from "../format.js";
import { backTo, buttonTo, card, empty, facts, json, linkTo, pageHead, pill, refused, row, table, time }
  from "../parts.js";
import { ownZone } from "../schedule_form.js";
import { inWords } from "../timing_words.js";
import { actionsOf, nextOf, zoneOf } from "./schedules.js";

const RUNS = 100;

export function showOne(main, id, signal) {
  const page = h(".stack", pageHead("A schedule", id));
  main.append(backTo("schedules"), page);
  const runs = lastRuns();
  let drawn;
  const path = `schedules/${encodeURIComponent(id)}`;
  const refresh = async () => {
    const got = await pollApi(`/${path}`, signal);
    if (!got.ok) {
      const isOver = ended(page, got, id, drawn);
      drawn = undefined;
      return isOver;
    }
    const more = await poll(`${path}/times`, signal);
    const text = JSON.stringify([got.body, more.times]);
    if (drawn !== text) draw(page, got.body, more, runs.element, refresh);
    drawn = text;
    return runs.update(await readRuns(more.runs, signal));
  };
  live(signal, 2000, refresh);
}

function ended(page, { status, body }, id, drawn) {
  if (status !== 404) return refused(page, body);
  replace(page, pageHead(drawn ? "This schedule has ended" : "There is no such schedule", id),
    empty("Nothing runs any more",
      "It has run for the last time, or was cancelled. What it started is in Runs.",
      buttonTo("/console/runs", "Open Runs")));
  return false;
}

function draw(page, schedule, more, runs, refresh) {
  const { workflow, expression, paused } = schedule;
  const zone = zoneOf(schedule);
  replace(page,
    pageHead(workflow, `Runs ${inWords(expression)}${zone ? `, in ${zone}` : ""}.`,
      actionsOf(schedule, refresh, () => go("/console/schedules"))),
    h(".split",
      h(".stack",
        card("Next run", paused ? h("p", pill("paused"), " Nothing starts until it is resumed.")
          : h(".next", nextOf(schedule))),
        timesOf(more.times, zone || ownZone(), paused)),
      h(".stack", runs, definition(schedule, more))));
}

function timesOf(times, zone, paused) {
  const zones = [...new Set([zone, ownZone()])];
  const { element, body } = table("Next times", [
    ...(zones[1] ? [zone, `Yours, ${ownZone()}`] : ["Time"]), ""]);
  body.append(...times.map((at) => row(...zones.map((each) => minute(at, each)), time(at))));
  return h("section.stack",
    h("h2", times.length === 10 ? "Next ten times" : times.length ? "Next times" : "No more times"),
    paused && times.length > 0 && h("p.none", "Left out while it is paused."),
    times.length > 0 && element);
}

const definition = (schedule, { parameters, created_at, ends_at }) => card("Definition", facts({
  Expression: h("code", schedule.expression), "Time zone": zoneOf(schedule), Group: schedule.group,
  Ends: ends_at && moment(ends_at), Created: time(created_at), Id: h("code", schedule.schedule_id),
}), h("h3", "Parameters"), json(parameters, "Parameters"));

async function readRuns(times, signal) {
  if (!times.length) return [];
  const got = await pollApi(`/runs?limit=${RUNS}`, signal);
  const byId = new Map((got.body.runs ?? []).map((run) => [run.run_id, run]));
  return times.filter(({ run_id }) => byId.has(run_id)).map(({ at, run_id }) => ({ at, ...byId.get(run_id) }));
}

function lastRuns() {
  const { element, body } = table("Last runs", ["Time", "Run", "Result"]);
  const place = h("div", h("p.none", "It has not run yet."));
  const update = (runs) => {
    keep(body, runs, (run) => run.run_id, ({ at, run_id, status }) => row(time(at),
      linkTo("runs", run_id, h("code", run_id.split(".")[1].slice(0, 10))), pill(status)));
    if (runs.length) put(place, element);
  };
  return { element: h("section.stack", h("h2", "Last runs"), place), update };
}
