/** How a run goes: its bar, its counts, and its speed. */

import { h } from "../dom.js";
import { count, inUnits } from "../format.js";
import { pill } from "../parts.js";

const PARTS = { succeeded: "good", failed: "bad", running: "info" };
const WINDOW_MS = 8000;

/** Items with an outcome. */
export const done = (run) => run.succeeded + run.failed;

/** The word for items without an attempt. */
export const waitingWord = (run) => (run.status === "cancelled" ? "never started" : "pending");

/** "195 of 200 succeeded · 5 failed", with what is not over yet. */
export const inWords = (run) => [
  `${count(run.succeeded)} of ${count(run.total)} succeeded`,
  run.failed > 0 && `${count(run.failed)} failed`,
  run.running > 0 && `${count(run.running)} running`,
  run.pending > 0 && `${count(run.pending)} ${waitingWord(run)}`,
].filter(Boolean).join(" · ");

/** That items of a list failed, which the run's status does not say. */
export const failures = (run) => run.status === "succeeded" && run.failed > 0 &&
  pill(`${count(run.failed)} failed`, "bad");

/** Milliseconds from the start to the end, or until now. */
const lasted = (run, now = Date.now()) =>
  Math.max(0, (run.finished_at ? new Date(run.finished_at) : now) - new Date(run.started_at));

/** A duration; the API's times have whole seconds. */
export function lastedInWords(run) {
  const seconds = Math.floor(lasted(run) / 1000);
  return seconds < 1 ? "under 1 s" : inUnits(seconds);
}

/** "12 a second", over the whole run. */
export const speed = (run) => rateInWords(done(run) / (Math.max(1000, lasted(run)) / 1000));

export function rateInWords(perSecond) {
  const rounded = (value) => count(Math.round(value * 10) / 10);
  return perSecond >= 1 || perSecond === 0 ? `${rounded(perSecond)} a second`
    : `${rounded(perSecond * 60)} a minute`;
}

/** A bar with its counts in words. `update` moves it. */
export function progress(run, kind = "") {
  const bar = h("div", { class: `bar ${kind}`, role: "progressbar", "aria-valuemin": 0,
    "aria-label": "Items with an outcome" },
  Object.values(PARTS).map((tone) => h("span", { class: tone })));
  const words = h("small.tabular");
  const update = (now) => {
    bar.setAttribute("aria-valuemax", now.total);
    bar.setAttribute("aria-valuenow", done(now));
    bar.setAttribute("aria-valuetext", inWords(now));
    Object.keys(PARTS).forEach((name, place) => {
      bar.children[place].style.width = `${(100 * now[name]) / now.total}%`;
      bar.children[place].hidden = now[name] === 0;
    });
    words.textContent = inWords(now);
  };
  update(run);
  return { element: h("div.progress", bar, words), update };
}

/**
 * Speed over the last seconds, and the time that is left at that speed.
 * @returns {(run: object) => {perSecond: number, leftMs: number | null}}
 */
export function speedometer() {
  const seen = [];
  return (run, now = Date.now()) => {
    seen.push({ at: now, done: done(run) });
    while (seen.length > 2 && now - seen[0].at > WINDOW_MS) seen.shift();
    const [first] = seen;
    const seconds = (now - first.at) / 1000;
    const perSecond = seconds >= 1 ? (done(run) - first.done) / seconds
      : done(run) / Math.max(1, lasted(run, now) / 1000);
    const left = run.total - done(run);
    return { perSecond, leftMs: perSecond > 0 && left > 0 ? (left / perSecond) * 1000 : null };
  };
}
