/** Schedules: what runs next, one schedule with its times, and a new one. */

import { api, live } from "../api.js";
import { go } from "../app.js";
import { h, keep, replace } from "../dom.js";
import { counted, minute } from "../format.js";
import { button, confirmed, empty, pageHead, pill, problem, say, working } from "../parts.js";
import { ownZone } from "../schedule_form.js";
import { inWords } from "../timing_words.js";
import { showNew } from "./schedule_new.js";
import { showOne } from "./schedule_one.js";

const PAGE = 100;
const MOST_PAGES = 10;
const LONG_LIST_MS = 15_000;

export function show(main, { rest, query, signal }) {
  const ticking = setInterval(() => main.querySelectorAll("[data-until]").forEach(tick), 1000);
  signal.addEventListener("abort", () => clearInterval(ticking));
  if (rest[0] === "new") return showNew(main, query.get("workflow"));
  return rest[0] ? showOne(main, rest[0], signal) : showAll(main, query.get("group"), signal);
}

function showAll(main, group, signal) {
  const told = h("div", { class: "stack" });
  const list = h("ul", { class: "rows", "aria-label": "Schedules" });
  const groups = h("div", { class: "row" });
  const none = empty("Nothing is scheduled",
    "A schedule starts a workflow later: once at a time, or again and again.", toNew("primary"));
  main.append(pageHead("Schedules", "What starts by itself, what runs next first.", toNew("primary")), told);
  let rests = 0;
  const refresh = async (asked = true) => {
    if (!asked && Date.now() < rests) return undefined;
    const got = await allSchedules(group, signal);
    rests = Date.now() + (got.schedules?.length > PAGE ? LONG_LIST_MS : 0);
    if (got.refused) return refused(told, got.refused);
    if (!got.schedules.length && !group) return put(told, none);
    drawGroups(groups, got.schedules, group, refresh);
    keep(list, got.schedules, (each) => each.schedule_id, (each) => itemOf(each, refresh));
    return put(told, groups, list, got.more);
  };
  live(signal, 2000, () => refresh(false));
}

/** Puts nodes where they are not yet: one that moves loses its focus. */
function put(place, ...nodes) {
  const wanted = nodes.filter(Boolean);
  if (wanted.length !== place.children.length || wanted.some((each) => each.parentNode !== place)) {
    replace(place, wanted);
  }
}

/** Shows a problem, and again only when it is another one: it is read aloud. */
export function refused(place, body) {
  const known = JSON.stringify({ ...body, request_id: "" });
  if (place.firstChild?.told === known) return;
  replace(place, Object.assign(problem(body), { told: known }));
}

/** Up to a thousand schedules, what runs next first. The API lists them by name. */
async function allSchedules(group, signal) {
  const schedules = [];
  let cursor;
  for (let page = 0; page < MOST_PAGES && cursor !== null; page++) {
    const query = new URLSearchParams({ limit: PAGE, ...(group && { group }), ...(cursor && { cursor }) });
    const got = await api("GET", `/schedules?${query}`, { poll: true, signal });
    if (!got.ok) return { refused: got.body };
    schedules.push(...got.body.schedules);
    cursor = got.body.cursor;
  }
  const order = ({ next_at }) => next_at ?? "9";
  const more = cursor !== null && h("p", { class: "none" }, "There are more; open a group to see all of it.");
  return { more, schedules: schedules.sort((one, other) => order(one).localeCompare(order(other))) };
}

function itemOf(schedule, refresh) {
  const { schedule_id, workflow, expression, timezone, group, paused, next_at } = schedule;
  const isCron = expression.startsWith("cron");
  return h("li", {},
    h("div", {}, paused ? pill("paused") : [countdown(next_at), when(next_at, isCron ? timezone : ownZone())]),
    h("div", {}, h("a", { href: addressOf(schedule_id) }, workflow), " ", inWords(expression),
      h("small", {}, isCron && `in ${timezone}`, isCron && group && " · ", group && ["group ",
        h("a", { href: `/console/schedules?group=${group}` }, group)])),
    h("div", { class: "actions" }, pauseButton(schedule, refresh, "quiet"),
      cancelButton(schedule, refresh, "quiet")));
}

function drawGroups(place, schedules, group, refresh) {
  const names = [...new Set(schedules.map((each) => each.group).filter(Boolean))].sort();
  const text = JSON.stringify([names, group, schedules.length]);
  if (place.item === text) return;
  place.item = text;
  replace(place, group && [
    h("p", {}, `${counted(schedules.length, "schedule")} of the group `, h("b", {}, group)),
    h("a", { href: "/console/schedules" }, "Show all"),
    schedules.length > 0 && button("Cancel the group", async () => {
      const question = `Cancel all schedules of the group ${group}? None of them runs again.`;
      if (!(await confirmed(question, "Cancel them"))) return;
      const got = await api("DELETE", `/schedules?group=${encodeURIComponent(group)}`);
      say(got.ok ? `Cancelled ${counted(got.body.cancelled, "schedule")}.` : got.body.detail);
      refresh();
    }, "danger"),
  ]);
}

export const addressOf = (id) => `/console/schedules/${encodeURIComponent(id)}`;

/** Pauses or resumes. A one-time schedule whose time has passed runs when resumed. */
export const pauseButton = ({ schedule_id, workflow, paused }, refresh, kind = "") =>
  working(paused ? "Resume" : "Pause", async () => {
    const got = await api("PATCH", `/schedules/${schedule_id}`, { body: { paused: !paused } });
    if (got.status === 202) return go(`/console/runs/${got.body.run_id}`);
    say(got.ok ? `${workflow} is ${paused ? "resumed" : "paused"}.` : got.body.detail);
    return refresh();
  }, kind, { "aria-label": `${paused ? "Resume" : "Pause"} ${workflow}` });

export const cancelButton = ({ schedule_id, workflow }, refresh, kind = "danger") =>
  button("Cancel", async () => {
    if (!(await confirmed(`Cancel this schedule of ${workflow}? It never runs again.`, "Cancel it"))) return;
    const got = await api("DELETE", `/schedules/${schedule_id}`);
    say(got.ok ? "Cancelled." : got.body.detail);
    refresh();
  }, kind, { "aria-label": `Cancel ${workflow}` });

const toNew = (kind) => h("a", { class: `button ${kind}`, href: "/console/schedules/new" }, "New schedule");

/** Time until something, which goes on by itself. */
export function countdown(iso) {
  const made = h("b", { class: "until", "data-until": iso });
  tick(made);
  return made;
}

function tick(element) {
  const left = Math.round((new Date(element.dataset.until) - Date.now()) / 1000);
  const text = left > 0 ? `in ${split(left)}` : "due now";
  if (element.textContent !== text) element.textContent = text;
}

/** "2 d 3 h", "3 h 5 min", "4 min 9 s". */
export function split(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, length]) => seconds >= length);
  return parts.slice(first < 0 ? 3 : first).slice(0, 2).map(([unit, length], place) =>
    `${Math.floor((place || first < 0 ? seconds % (length * (unit === "h" ? 24 : 60)) : seconds) / length)} ${unit}`)
    .join(" ");
}

/** A time in a schedule's zone, and in the reader's where that is another. */
export const when = (iso, zone) => [h("small", {}, minute(iso, zone), zone !== ownZone() && ` ${zone}`),
  zone !== ownZone() && h("small", {}, `${minute(iso)} your time`)];
