/** A form for the timing of a schedule: fields of POST /schedules, and their meaning in words. */

import { poll } from "./api.js";
import { h, replace } from "./dom.js";
import { asNumber, textInput } from "./form.js";
import { minute, UNITS } from "./format.js";
import { choice, field, mark, newId, queryOf } from "./parts.js";
import { cronInWords, length } from "./timing_words.js";

const KINDS = { at: "At a time", after_seconds: "After", every_seconds: "Every", cron: "By cron" };
const CRONS = {
  "0 9 ? * MON-FRI *": "Monday to Friday at 09:00",
  "0 8 ? * MON *": "Mondays at 08:00",
  "0/15 * * * ? *": "every 15 minutes",
  "0 6 1 * ? *": "the first of each month at 06:00",
  "0 18 L * ? *": "the last day of each month at 18:00",
};
const SHOWN_WITH = { at: ["timezone"], every_seconds: ["ends_at"], cron: ["timezone", "ends_at"] };
const TIMES = 3;

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const ownZone = () => zone;

/**
 * `read` gives fields of POST /schedules; `tell` shows errors beside their fields and returns
 * those that belong elsewhere, such as to `/parameters/to`.
 */
export function scheduleForm() {
  let kind = "at";
  const fields = fieldsOf();
  const shown = () => [kind, ...(SHOWN_WITH[kind] ?? []), "group"];
  const read = () => Object.fromEntries(shown().map((name) => [name, fields[name].value(kind)])
    .filter(([, value]) => value));
  const tell = (errors) => {
    const nameOf = ({ pointer }) => pointer.slice(1) || kind;
    for (const [name, { control }] of Object.entries(fields)) {
      mark(control, errors.find((each) => nameOf(each) === name)?.detail ?? "");
    }
    const ours = errors.filter((each) => shown().includes(nameOf(each)));
    if (ours[0]) fields[nameOf(ours[0])].control.focus();
    return errors.filter((each) => !ours.includes(each));
  };
  const place = h(".stack");
  const meaning = h("p");
  const next = h("p.none");
  const explain = explainer(() => ({ kind, ...read() }), meaning, next);
  const draw = (chosen) => {
    kind = chosen;
    tell([]);
    replace(place, shown().map((name) => fields[name].box));
    explain();
  };
  const element = h(".stack", { on: { input: explain } },
    choice("When it runs", KINDS, kind, draw), place,
    h(".told", { "aria-live": "polite" }, meaning, next),
    options(fields.timezone.control, zones()), options(fields.cron.control, CRONS));
  draw(kind);
  return { element, read, tell };
}

function fieldsOf() {
  const end = textField("Ends at (optional)", { type: "datetime-local" });
  return {
    at: textField("Time", { type: "datetime-local", value: inputTime(nextHour()) }),
    after_seconds: span("From now", 15, "minute", Object.keys(UNITS).reverse()),
    every_seconds: span("Interval", 1, "hour", ["minute", "hour", "day"], "First after one interval."),
    cron: textField("Cron expression", { class: "mono", value: "0 9 ? * MON-FRI *", list: newId("list") },
      "Six fields: minutes, hours, day of month, month, day of week, year. ? in one of the two days."),
    timezone: textField("Time zone", { value: ownZone(), list: newId("list") }),
    // Without a time zone beside it, the end is a moment.
    ends_at: { ...end, value: (kind) => (end.value() && kind === "every_seconds"
      ? new Date(end.value()).toISOString().replace(".000", "") : end.value()) },
    group: textField("Group (optional)", { placeholder: "order-1234" }, "To cancel schedules together."),
  };
}

function textField(label, props, hint) {
  const control = textInput(props);
  return { control, box: field(label, control, hint), value: () => control.value.trim() };
}

function span(label, amount, unit, units, hint) {
  const select = h("select", { label: `${label}, unit` },
    units.map((each) => h("option", { value: each }, `${each}s`)));
  select.value = unit;
  const { control, box } = textField(label, { value: amount, inputmode: "decimal" }, hint);
  const both = h(".span");
  control.replaceWith(both);
  both.append(control, select);
  const value = () => {
    const typed = asNumber(control.value);
    return typeof typed === "number" ? typed * UNITS[select.value] : typed;
  };
  return { control, box, value };
}

function explainer(read, meaning, next) {
  let waiting;
  let latest = 0;
  return () => {
    const { kind, group, ...timing } = read();
    meaning.textContent = sentence(kind, timing);
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const call = ++latest;
      const got = await poll(`times${queryOf(timing)}`)
        .catch(() => ({ times: [], errors: [] }));
      if (call !== latest) return;
      if (got.errors.length) meaning.textContent = "";
      next.textContent = got.errors.length ? got.errors[0].detail.replace(/^./, (first) =>
        first.toUpperCase()) : nextInWords(got.times, kind, timing.timezone);
    }, 300);
  };
}

/** The next times in the reader's zone, where the sentence does not say them already. */
const nextInWords = (times, kind, zone) => (kind === "at" && zone === ownZone() ? ""
  : !times.length ? "" : `${times.length > 1 ? "Next, in your" : "Your"} time: ${
    times.slice(0, TIMES).map((at) => minute(at)).join(" · ")}`);

function sentence(kind, { at, after_seconds, every_seconds, cron, timezone, ends_at }) {
  const end = !ends_at ? "" : `, until ${ends_at.endsWith("Z") ? minute(ends_at) : minute(`${ends_at}Z`, "UTC")}`;
  if (kind === "at") return at ? `Runs once, on ${minute(`${at}Z`, "UTC")} in ${timezone ?? "UTC"}.` : "";
  if (kind === "after_seconds") {
    return after_seconds > 0 ? `Runs once, in ${length(after_seconds).replace(/^(?=[a-z])/, "1 ")}.` : "";
  }
  if (kind === "every_seconds") return every_seconds > 0 ? `Runs every ${length(every_seconds)}${end}.` : "";
  return cron ? `Runs ${cronInWords(cron)}, in ${timezone ?? "UTC"}${end}.` : "";
}

const options = (input, values) => h("datalist", { id: input.getAttribute("list") },
  Object.entries(values).map(([value, label]) => h("option", { value }, label)));

const zones = () => Object.fromEntries(["UTC", ...Intl.supportedValuesOf("timeZone")]
  .map((name) => [name, name]));

const nextHour = () => new Date(Math.ceil((Date.now() + 60_000) / 3_600_000) * 3_600_000);

const inputTime = (date) =>
  new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
