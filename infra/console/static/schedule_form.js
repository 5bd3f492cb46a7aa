/** A form for the timing of a schedule: fields of POST /schedules, and their meaning in words. */

import { local } from "./api.js";
import { h, replace } from "./dom.js";
import { minute } from "./format.js";
import { choice, field, newId } from "./parts.js";
import { cronInWords, length } from "./timing_words.js";

const KINDS = { at: "At a time", after_seconds: "After", every_seconds: "Every", cron: "By cron" };
const UNITS = { seconds: 1, minutes: 60, hours: 3600, days: 86400 };
const CRONS = {
  "0 9 ? * MON-FRI *": "Monday to Friday at 09:00",
  "0 8 ? * MON *": "Mondays at 08:00",
  "0/15 * * * ? *": "every 15 minutes",
  "0 6 1 * ? *": "the first of each month at 06:00",
  "0 18 L * ? *": "the last day of each month at 18:00",
};
const SHOWN = 3;

/** The reader's time zone. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * @returns {{element: Element, read: () => object, clear: () => void,
 *   tell: (errors: {pointer: string, detail: string}[]) => {pointer: string, detail: string}[]}}
 *   `read` gives fields of POST /schedules; `tell` shows errors beside their fields and returns
 *   those that belong elsewhere, such as to `/parameters/to`.
 */
export function scheduleForm() {
  let kind = "at";
  const controls = {
    at: h("input", { type: "datetime-local", value: inputTime(nextHour()) }),
    after_seconds: span(15, "minutes"),
    every_seconds: span(1, "hours", ["minutes", "hours", "days"]),
    cron: h("input", { class: "mono", value: "0 9 ? * MON-FRI *", spellcheck: "false",
      autocomplete: "off", list: newId("list") }),
    timezone: h("input", { value: ownZone(), autocomplete: "off", spellcheck: "false",
      list: newId("list") }),
    ends_at: h("input", { type: "datetime-local" }),
    group: h("input", { autocomplete: "off", spellcheck: "false", placeholder: "order-1234" }),
  };
  const errors = {};
  const labelled = (name, label, hint) => {
    const box = field(label, controls[name].input ?? controls[name], hint);
    if (controls[name].unit) box.insertBefore(controls[name].element, box.children[1]);
    errors[name] = h("p", { class: "error", id: newId("error") });
    box.append(errors[name]);
    return box;
  };
  const boxes = {
    at: labelled("at", "Time"),
    after_seconds: labelled("after_seconds", "From now"),
    every_seconds: labelled("every_seconds", "Interval", "First after one interval."),
    cron: labelled("cron", "Cron expression",
      "Six fields: minutes, hours, day of month, month, day of week, year. ? in one of the two days."),
    timezone: labelled("timezone", "Time zone"),
    ends_at: labelled("ends_at", "Ends at (optional)"),
    group: labelled("group", "Group (optional)", "To cancel schedules together."),
  };
  const shown = () => ["at", "after_seconds", "every_seconds", "cron"].filter((each) => each === kind)
    .concat({ at: ["timezone"], after_seconds: [], every_seconds: ["ends_at"],
      cron: ["timezone", "ends_at"] }[kind], "group");

  const read = () => Object.fromEntries(shown().map((name) => [name, valueOf(name, controls, kind)])
    .filter(([, value]) => value));
  const clear = () => Object.keys(errors).forEach((name) => mark(name, ""));
  const mark = (name, detail) => {
    const control = controls[name].input ?? controls[name];
    errors[name].textContent = detail;
    control.toggleAttribute("aria-invalid", false);
    if (!detail) return;
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-errormessage", errors[name].id);
  };
  const tell = (told) => {
    clear();
    const placed = (each) => (each.pointer === "" ? kind : each.pointer.slice(1));
    const ours = told.filter((each) => shown().includes(placed(each)));
    ours.forEach((each) => mark(placed(each), each.detail));
    if (ours[0]) (controls[placed(ours[0])].input ?? controls[placed(ours[0])]).focus();
    return told.filter((each) => !ours.includes(each));
  };

  const fields = h("div", { class: "form" });
  const meaning = h("p", { class: "meaning" });
  const next = h("p", { class: "none" });
  const explain = explainer(() => ({ kind, ...read() }), meaning, next);
  const draw = (chosen) => {
    kind = chosen;
    clear();
    replace(fields, shown().map((name) => boxes[name]));
    explain();
  };
  const element = h("div", { class: "form", on: { input: explain } },
    choice("When it runs", KINDS, kind, draw), fields,
    h("div", { class: "told", "aria-live": "polite" }, meaning, next),
    options(controls.timezone, zones()), options(controls.cron, CRONS));
  draw(kind);
  return { element, read, tell, clear };
}

/** A number with its unit; `value` is in seconds. */
function span(amount, unit, units = Object.keys(UNITS)) {
  const input = h("input", { value: amount, inputmode: "decimal", autocomplete: "off" });
  const select = h("select", { "aria-label": "Unit" }, units.map((each) => h("option", {}, each)));
  select.value = unit;
  return { input, unit: select, element: h("div", { class: "span" }, input, select) };
}

function valueOf(name, controls, kind) {
  const control = controls[name];
  if (control.unit) {
    const seconds = Number(control.input.value) * UNITS[control.unit.value];
    // What is no number goes as it was typed, so that the API's own problem is seen.
    return control.input.value && (Number.isFinite(seconds) ? seconds : control.input.value);
  }
  const value = control.value.trim();
  // Without a time zone beside it, the end is a moment.
  return name === "ends_at" && value && kind === "every_seconds"
    ? new Date(value).toISOString().replace(".000", "") : value;
}

/** Writes the timing in words, and the next times as the product's engine computes them. */
function explainer(read, meaning, next) {
  let waiting;
  let latest = 0;
  return () => {
    const { kind, group, ...timing } = read();
    meaning.textContent = sentence(kind, timing);
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const call = ++latest;
      const got = await local(`times?${new URLSearchParams(timing)}`, { poll: true })
        .catch(() => ({ times: [], errors: [] }));
      if (call !== latest) return;
      next.textContent = got.errors.length ? got.errors[0].detail.replace(/^./, (first) =>
        first.toUpperCase()) : nextInWords(got.times, kind, timing.timezone);
    }, 300);
  };
}

/** The next times in the reader's zone, where the sentence does not say them already. */
function nextInWords(times, kind, zone) {
  if (!times.length || (kind === "at" && zone === ownZone())) return "";
  const shown = times.slice(0, SHOWN).map((at) => minute(at)).join(" · ");
  return times.length === 1 ? `Your time: ${shown}` : `Next, in your time: ${shown}`;
}

function sentence(kind, { at, after_seconds, every_seconds, cron, timezone, ends_at }) {
  const end = !ends_at ? "" : `, until ${ends_at.endsWith("Z") ? minute(ends_at) : minute(`${ends_at}Z`, "UTC")}`;
  if (kind === "at") return at ? `Runs once, on ${minute(`${at}Z`, "UTC")} in ${timezone ?? "UTC"}.` : "";
  if (kind === "after_seconds") return after_seconds > 0 ? `Runs once, in ${one(after_seconds)}.` : "";
  if (kind === "every_seconds") return every_seconds > 0 ? `Runs every ${length(every_seconds)}${end}.` : "";
  return cron ? `Runs ${cronInWords(cron)}, in ${timezone ?? "UTC"}${end}.` : "";
}

const one = (seconds) => length(seconds).replace(/^(?=[a-z])/, "1 ");

/** The list of suggestions of an input. */
const options = (input, values) => h("datalist", { id: input.getAttribute("list") },
  Object.entries(values).map(([value, label]) => h("option", { value, label: label !== value && label })));

const zones = () => Object.fromEntries(["UTC", ...Intl.supportedValuesOf("timeZone")]
  .map((name) => [name, name]));

const nextHour = () => new Date(Math.ceil((Date.now() + 60_000) / 3_600_000) * 3_600_000);

/** A moment as `datetime-local` has it, in the reader's zone. */
const inputTime = (date) =>
  new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
