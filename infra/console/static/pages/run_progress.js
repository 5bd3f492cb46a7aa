/** How a run goes: its bar, its counts, its speed; and who started it. */

import { h } from "../dom.js";
import { count, inUnits } from "../format.js";
import { pathOf } from "../parts.js";

const PARTS = { succeeded: "good", failed: "bad", skipped: "quiet", running: "info", waiting: "warn" };

/** A run's status, and whether all that is left of it waits. */
export const statusOf = (run) => (run.waiting && !run.running && !run.pending ? "waiting" : run.status);

export const done = (run) => run.succeeded + run.failed + run.skipped;

export const pendingWord = (run) => (run.status === "running" || !run.pending ? "pending" : "never started");

/** "195 of 200 succeeded · 5 failed", with what is not over yet. */
export const inWords = (run) => [
  `${count(run.succeeded)} of ${count(run.total)} succeeded`,
  ...["failed", "skipped", "running", "waiting"].map((name) => run[name] > 0 && `${count(run[name])} ${name}`),
  run.pending > 0 && `${count(run.pending)} ${pendingWord(run)}`,
].filter(Boolean).join(" · ");

/** The starter of a run in words, and the path of its page; `names` are those of tokens. */
export function starter({ started_by: { kind, id, index } }, names) {
  const known = {
    token: [names ? `token ${names[id] ?? id}` : "a token"],
    schedule: ["a schedule", id && pathOf("schedules", id)],
    webhook: [`webhook ${id}`, pathOf("webhooks", id)],
    event: ["an event of the platform"],
    workflow: [`a call of ${id}`, pathOf("workflows", id)],
    run: [`item ${index} of another run`, `${pathOf("runs", id)}/${index}`],
  };
  const [words, href] = known[kind];
  return { words, href };
}

const lasted = (run) =>
  Math.max(0, (run.finished_at ? new Date(run.finished_at) : Date.now()) - new Date(run.started_at));

/** A duration; the API's times have whole seconds. */
export function lastedInWords(run) {
  const seconds = Math.floor(lasted(run) / 1000);
  return seconds < 1 ? "under 1 s" : inUnits(seconds);
}

const rateOf = (run) => done(run) / Math.max(1, lasted(run) / 1000);

export function speed(run) {
  const [rate, unit] = rateOf(run) >= 1 ? [rateOf(run), "second"] : [rateOf(run) * 60, "minute"];
  return `${count(Math.round(rate * 10) / 10)} a ${unit}`;
}

export const leftOf = (run) => Math.ceil((run.total - done(run)) / rateOf(run));

export function progress(run, kind = "") {
  const bar = h("div", { class: `bar ${kind}`, role: "progressbar", "aria-valuemin": 0,
    label: "Items with an outcome" },
  Object.values(PARTS).map((tone) => h("span", { class: tone })));
  const words = h("small.tabular");
  const update = (now) => {
    Object.assign(bar, { ariaValueMax: now.total, ariaValueNow: done(now), ariaValueText: inWords(now) });
    Object.keys(PARTS).forEach((name, place) => {
      bar.children[place].style.width = `${(100 * now[name]) / now.total}%`;
      bar.children[place].hidden = now[name] === 0;
    });
    words.textContent = inWords(now);
  };
  update(run);
  return { element: h(".progress", bar, words), update };
}
