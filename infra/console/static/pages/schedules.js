/** Schedules: what runs next, and one schedule with its times. */

import { accepted, live, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, keep, put } from "../dom.js";
import { counted, minute, ownZone } from "../format.js";
import { buttonTo, confirmed, empty, linkTo, pageHead, pathOf, pill, queryOf, refused, say, time,
  until, working } from "../parts.js";
import { showOne } from "./schedule_one.js";

const PAGE = 100;
const MOST_PAGES = 10;
const REFRESH_MS = 3000;

export function show(main, { rest, query, signal }) {
  return rest[0] ? showOne(main, rest[0], signal) : showAll(main, query.get("group"), signal);
}

function showAll(main, group, signal) {
  const page = h(".stack");
  const list = h("ul.items.rows", { label: "Schedules" });
  const groups = h(".row");
  const more = h("p.none", "There are more; open a group to see all of it.");
  const none = empty("Nothing is scheduled",
    "A schedule starts a workflow once at a time, or again and again.", toNew());
  main.append(pageHead("Schedules", "What starts by itself, what runs next first.", toNew()), page);
  const refresh = async () => {
    const { schedules, cursor, refusal } = await allSchedules(group, signal);
    if (refusal) return refused(page, refusal);
    if (!schedules.length && !group) return put(page, none);
    keep(groups, group ? [schedules.length] : [], () => group, () => groupHead(group, schedules.length, refresh));
    keep(list, schedules, (each) => each.schedule_id, (each) => itemOf(each, refresh));
    return put(page, groups, list, cursor && more);
  };
  live(signal, refresh, REFRESH_MS);
}

/** Up to a thousand schedules, what runs next first. The API lists them by name. */
async function allSchedules(group, signal) {
  const schedules = [];
  let cursor = "";
  for (let page = 0; page < MOST_PAGES && cursor !== null; page++) {
    const query = queryOf({ limit: PAGE, group, cursor });
    const got = await pollApi(`/schedules${query}`, signal);
    if (!got.ok) return { refusal: got.body };
    schedules.push(...got.body.schedules);
    cursor = got.body.cursor;
  }
  const order = ({ next_at }) => next_at ?? "9";
  schedules.sort((one, other) => order(one).localeCompare(order(other)));
  return { schedules, cursor };
}

function itemOf(schedule, refresh) {
  const { schedule_id, workflow, meaning, group, paused, last_at, last_run_id } = schedule;
  return h("li",
    h("div", paused ? pausedOf(schedule) : nextOf(schedule)),
    h("div", linkTo("schedules", schedule_id, workflow), " ", meaning,
      h("small", last_at && ["last ", linkTo("runs", last_run_id, time(last_at))],
        last_at && group && " · ",
        group && ["group ", h("a", { href: `/console/schedules?group=${group}` }, group)])),
    h(".actions", actionsOf(schedule, refresh, refresh, "quiet")));
}

const groupHead = (group, count, refresh) => h(".row",
  h("p", `${counted(count, "schedule")} of the group `, h("b", group)),
  h("a", { href: "/console/schedules" }, "Show all"),
  count > 0 && working("Cancel the group", async () => {
    const question = `Cancel all schedules of the group ${group}? None of them runs again.`;
    if (!(await confirmed(question, "Cancel them"))) return;
    const { body } = await accepted("DELETE", `/schedules${queryOf({ group })}`);
    say(`Cancelled ${counted(body.cancelled, "schedule")}.`);
    refresh();
  }, "danger"));

const BECAUSE = { token_revoked: "its token was revoked", token_expired: "its token has expired",
  token_scopes: "its token has lost a scope" };

/** That a schedule is paused, and why, where another token can take it over. */
export const pausedOf = ({ paused_because }) => [pill("paused"),
  paused_because && h("small", ` ${BECAUSE[paused_because]}`)];

/** Pause or resume, and cancel. A one-time schedule whose time has passed runs when resumed. */
export function actionsOf(schedule, refresh, cancelled, kind = "") {
  const { schedule_id, workflow, paused, paused_because } = schedule;
  const path = `/schedules/${schedule_id}`;
  const [turn, turned] = !paused ? ["Pause", "paused"]
    : paused_because ? ["Take over", "taken over: it runs for your token"] : ["Resume", "resumed"];
  return [
    working(turn, async () => {
      const { status, body } = await accepted("PATCH", path, { body: { paused: !paused } });
      if (status === 202) return go(pathOf("runs", body.run_id));
      say(`${workflow} is ${turned}.`);
      return refresh();
    }, kind, { label: `${turn} ${workflow}` }),
    working("Cancel", async () => {
      if (!(await confirmed(`Cancel this schedule of ${workflow}? It never runs again.`, "Cancel it"))) return;
      await accepted("DELETE", path);
      say("Cancelled.");
      cancelled();
    }, kind || "danger", { label: `Cancel ${workflow}` }),
  ];
}

const toNew = () => buttonTo("/console/workflows?how=schedule", "New schedule", "primary");

export const zoneOf = ({ expression, timezone }) => expression.startsWith("cron") && timezone;

export function nextOf(schedule) {
  const { next_at } = schedule;
  const zone = zoneOf(schedule) || ownZone();
  return [h("b", until(next_at)), zone === ownZone() ? h("small", minute(next_at))
    : [h("small", minute(next_at, zone), ` ${zone}`), h("small", `${minute(next_at)} your time`)]];
}
