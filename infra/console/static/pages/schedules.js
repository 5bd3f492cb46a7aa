/** Schedules: what runs next, and one schedule with its times. */

import { api, live, pollApi } from "../api.js";
import { go } from "../app.js";
import { h, keep, put } from "../dom.js";
import { counted, inUnits, minute } from "../format.js";
import { button, buttonTo, confirmed, empty, linkTo, pageHead, pathOf, pill, queryOf, refused, say,
  working } from "../parts.js";
import { ownZone } from "../schedule_form.js";
import { inWords } from "../timing_words.js";
import { showOne } from "./schedule_one.js";

const PAGE = 100;
const MOST_PAGES = 10;
const REFRESH_MS = 3000;

export function show(main, { rest, query, signal }) {
  const ticking = setInterval(() => main.querySelectorAll("[data-until]").forEach(tick), 1000);
  signal.addEventListener("abort", () => clearInterval(ticking));
  return rest[0] ? showOne(main, rest[0], signal) : showAll(main, query.get("group"), signal);
}

function showAll(main, group, signal) {
  const page = h(".stack");
  const list = h("ul.items.rows", { label: "Schedules" });
  const groups = h(".row");
  const more = h("p.none", "There are more; open a group to see all of it.");
  const none = empty("Nothing is scheduled",
    "A schedule starts a workflow later: once at a time, or again and again.", toNew());
  main.append(pageHead("Schedules", "What starts by itself, what runs next first.", toNew()), page);
  const refresh = async () => {
    const { schedules, cursor, refusal } = await allSchedules(group, signal);
    if (refusal) return refused(page, refusal);
    if (!schedules.length && !group) return put(page, none);
    keep(groups, group ? [schedules.length] : [], () => group, () => groupHead(group, schedules.length, refresh));
    keep(list, schedules, (each) => each.schedule_id, (each) => itemOf(each, refresh));
    return put(page, groups, list, cursor && more);
  };
  live(signal, REFRESH_MS, refresh);
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
  const { schedule_id, workflow, expression, group, paused } = schedule;
  const zone = zoneOf(schedule);
  return h("li",
    h("div", paused ? pill("paused") : nextOf(schedule)),
    h("div", linkTo("schedules", schedule_id, workflow), " ", inWords(expression),
      h("small", zone && `in ${zone}`, zone && group && " · ",
        group && ["group ", h("a", { href: `/console/schedules?group=${group}` }, group)])),
    h(".actions", actionsOf(schedule, refresh, refresh, "quiet")));
}

const groupHead = (group, count, refresh) => h(".row",
  h("p", `${counted(count, "schedule")} of the group `, h("b", group)),
  h("a", { href: "/console/schedules" }, "Show all"),
  count > 0 && button("Cancel the group", async () => {
    const question = `Cancel all schedules of the group ${group}? None of them runs again.`;
    if (!(await confirmed(question, "Cancel them"))) return;
    const got = await api("DELETE", `/schedules${queryOf({ group })}`);
    say(got.ok ? `Cancelled ${counted(got.body.cancelled, "schedule")}.` : got.body.detail);
    refresh();
  }, "danger"));

/** Pause or resume, and cancel. A one-time schedule whose time has passed runs when resumed. */
export const actionsOf = ({ schedule_id, workflow, paused }, refresh, cancelled, kind = "") => [
  working(paused ? "Resume" : "Pause", async () => {
    const got = await api("PATCH", `/schedules/${schedule_id}`, { body: { paused: !paused } });
    if (got.status === 202) return go(pathOf("runs", got.body.run_id));
    say(got.ok ? `${workflow} is ${paused ? "resumed" : "paused"}.` : got.body.detail);
    return refresh();
  }, kind, { label: `${paused ? "Resume" : "Pause"} ${workflow}` }),
  button("Cancel", async () => {
    if (!(await confirmed(`Cancel this schedule of ${workflow}? It never runs again.`, "Cancel it"))) return;
    const got = await api("DELETE", `/schedules/${schedule_id}`);
    say(got.ok ? "Cancelled." : got.body.detail);
    cancelled();
  }, kind || "danger", { label: `Cancel ${workflow}` }),
];

const toNew = () => buttonTo("/console/workflows?how=schedule", "New schedule", "primary");

export const zoneOf = ({ expression, timezone }) => expression.startsWith("cron") && timezone;

export function nextOf(schedule) {
  const { next_at } = schedule;
  const zone = zoneOf(schedule) || ownZone();
  const until = h("b.until", { "data-until": next_at });
  tick(until);
  return zone === ownZone() ? [until, h("small", minute(next_at))]
    : [until, h("small", minute(next_at, zone), ` ${zone}`), h("small", `${minute(next_at)} your time`)];
}

function tick(element) {
  const left = Math.round((new Date(element.dataset.until) - Date.now()) / 1000);
  element.textContent = left > 0 ? `in ${inUnits(left)}` : "due now";
}
