/** One schedule: when it runs next, its next times, its last runs, its definition, and its change. */

import { accepted, api, live, local, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, keep, put, replace } from "../dom.js";
import { editorOf, parametersOf } from "../form.js";
import { moment, ownZone } from "../format.js";
import { backTo, button, card, empty, facts, json, linkTo, pageHead, pathOf, pill, problem, queryOf,
  refused, row, say, section, submit, table, time, working } from "../parts.js";
import { planned, scheduleForm, timesTable } from "../schedule_form.js";
import { actionsOf, nextOf, pausedOf, zoneOf } from "./schedules.js";
import { ofParameters } from "./workflow_call.js";

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
  live(signal, refresh);
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
      !paused && section(next_times.length === 10 ? "Next ten times" : "Next times",
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

async function changeOf(schedule, done) {
  const { schedule_id, workflow } = schedule;
  const { schema, api: document } = await parametersOf(workflow);
  const editor = editorOf(schema, document, schedule.parameters);
  const timing = scheduleForm((asked) => planned(workflow, editor.read(), asked), schedule);
  const [before, parameters] = [timing.read(), JSON.stringify(editor.read())];
  const [actions, out] = submit("Save", async () => {
    const changed = changesOf(before, timing.read());
    const now = editor.read();
    if (JSON.stringify(now) !== parameters) changed.parameters = now;
    const got = await api("PATCH", `/schedules/${schedule_id}`, { body: changed });
    if (got.ok) {
      say("Changed. It runs for your token now.");
      return done();
    }
    editor.tell(ofParameters(timing.tell(got.body.errors ?? [])));
    return problem(got.body);
  });
  actions.append(button("Keep it as it is", done));
  return card("Change it", h(".split", timing.element, editor.element), actions, out);
}

/** What is not as it was. An end that was taken away is "never"; a local one needs its zone. */
function changesOf(before, now) {
  const isNew = (name) => now[name] !== before[name];
  const { ends_at, overlap, ...timing } = now;
  return {
    ...(Object.keys(timing).some(isNew) && timing),
    ...(isNew("ends_at") && { ends_at: ends_at ?? "never", timezone: timing.timezone }),
    ...(isNew("overlap") && { overlap }),
  };
}
