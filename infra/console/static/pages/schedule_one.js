/** One schedule: when it runs next, its next times, its last runs, and its definition. */

import { accepted, live, local, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, keep, put, replace } from "../dom.js";
import { moment } from "../format.js";
import { backTo, card, empty, facts, json, linkTo, pageHead, pathOf, pill, queryOf,
  refused, row, table, time, working } from "../parts.js";
import { ownZone, timesTable } from "../schedule_times.js";
import { changeOf } from "./schedule_change.js";
import { actionsOf, nextOf, pausedOf, zoneOf } from "./schedules.js";

const RUNS = 10;

export async function showOne(main, id, signal) {
  const [head, change, page] = [h("div", pageHead("A schedule", id)), h(".stack"), h(".stack")];
  main.append(backTo("schedules"), h(".stack", head, change, page));
  const runs = lastRuns(id);
  const names = await local("tokens");
  let drawn;
  const refresh = async () => {
    const got = await pollApi(`/schedules/${encodeURIComponent(id)}`, signal);
    if (!got.ok) {
      replace(change);
      return ended(head, page, got, id, drawn);
    }
    const text = JSON.stringify(got.body);
    if (drawn !== text) {
      replace(head, headOf(got.body, change, refresh));
      replace(page, bodyOf(got.body, names, runs.element));
    }
    drawn = text;
    return runs.update(await pollApi(`/runs${queryOf({ schedule_id: id, limit: RUNS })}`, signal));
  };
  live(signal, 2000, refresh);
}

const runsOf = (id) => h("a", { href: `/console/runs${queryOf({ schedule_id: id })}` }, "All of its runs");

function ended(head, page, { status, body }, id, drawn) {
  if (status !== 404) return refused(page, body);
  replace(head, pageHead(drawn ? "This schedule has ended" : "There is no such schedule", id));
  replace(page, empty("Nothing runs any more",
      "It has run for the last time, or was cancelled. What it started is in Runs.", runsOf(id)));
  return false;
}

function headOf(schedule, change, refresh) {
  const { schedule_id, workflow, meaning } = schedule;
  const saved = () => {
    replace(change);
    return refresh();
  };
  return pageHead(workflow, `Runs ${meaning}.`,
    working("Run now", async () => {
      const { body } = await accepted("POST", `/schedules/${schedule_id}/run`);
      go(pathOf("runs", body.run_id));
    }),
    working("Change", async () => replace(change, await changeOf(schedule, saved))),
    actionsOf(schedule, refresh, () => go("/console/schedules")));
}

function bodyOf(schedule, names, runs) {
  const { paused, paused_because, next_times } = schedule;
  return h(".split",
    h(".stack",
      card("Next run", paused ? h("p", pausedOf(schedule), paused_because
        ? ". Take it over, and it runs for your token." : " Nothing starts until it is resumed.")
        : h(".next", nextOf(schedule))),
      !paused && h("section.stack", h("h2", next_times.length === 10 ? "Next ten times" : "Next times"),
        timesTable(next_times.map((at) => ({ at })), zoneOf(schedule) || ownZone()))),
    h(".stack", runs, definition(schedule, names)));
}

const definition = (schedule, names) => card("Definition", facts({
  Expression: h("code", schedule.expression), "Time zone": zoneOf(schedule), Group: schedule.group,
  Ends: schedule.ends_at && moment(schedule.ends_at),
  "While one runs": schedule.overlap === "skip" ? "A time is skipped" : "It starts all the same",
  Token: names[schedule.token_id] ?? schedule.token_id,
  "Last run": schedule.last_at && linkTo("runs", schedule.last_run_id, time(schedule.last_at)),
  Id: h("code", schedule.schedule_id),
}), h("h3", "Parameters"), json(schedule.parameters, "Parameters"));

function lastRuns(id) {
  const { element, body } = table("Last runs", ["Time", "Run", "Result"]);
  const place = h("div", h("p.none", "It has not run yet."));
  const update = ({ ok, body: { runs } }) => {
    if (!ok || !runs.length) return;
    keep(body, runs, (run) => run.run_id, ({ run_id, started_at, status }) => row(time(started_at),
      linkTo("runs", run_id, h("code", run_id.split(".")[1].slice(0, 10))), pill(status)));
    put(place, element);
  };
  return { element: h("section.stack", h(".head", h("h2", "Last runs"), runsOf(id)), place), update };
}
