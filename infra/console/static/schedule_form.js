/** A form for the timing of a schedule: fields of POST /schedules, and what they mean. */

import { api } from "./api.js";
import { h, replace } from "./dom.js";
import { asNumber, textInput } from "./form.js";
import { minute, ownZone, UNITS } from "./format.js";
import { choice, field, mark, newId, row, table, time } from "./parts.js";

const KINDS = { at: "At a time", after_seconds: "After", every_seconds: "Every", cron: "By cron" };
const CRONS = {
  "0 9 * * 1-5": "Monday to Friday at 09:00",
  "0 8 * * 1": "Mondays at 08:00",
  "*/15 * * * *": "every 15 minutes",
  "@daily": "every day at 00:00",
  "0 6 1 * *": "the first of each month at 06:00",
  "0 18 L * ? *": "the last day of each month at 18:00",
};
const CLOCKS = { skipped: "skipped: the clocks go forward", repeated: "shown twice: it runs the first time" };
const OVERLAPS = { allow: "Start all the same", skip: "Skip that time" };
const AGAIN = ["ends_at", "overlap"];
const SHOWN_WITH = { at: ["timezone"], every_seconds: AGAIN, cron: ["timezone", ...AGAIN] };
const PAUSE_MS = 300;

/**
 * `plan` makes a dry run of a timing; `schedule` is the one to change. `read` gives fields of POST
 * /schedules; `tell` shows errors beside their fields and returns those that belong elsewhere, such
 * as to `/parameters/to`.
 */
export function scheduleForm(plan, schedule) {
  const known = schedule ? valuesOf(schedule) : { kind: "at" };
  let { kind } = known;
  const fields = fieldsOf(known);
  const shown = () => [kind, ...(SHOWN_WITH[kind] ?? []), ...(schedule ? [] : ["group"])];
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
  const all = h("details", { hidden: true });
  const ask = async () => {
    const timing = read();
    return { timing, ...await plan(timing) };
  };
  const explain = whenTypingPauses(ask, ({ timing, ok, body }) => {
    meaning.textContent = ok ? `Runs ${body.meaning}.` : firstOf(body);
    const next = ok && body.times.find(({ at }) => at);
    all.hidden = !next;
    if (!next) return;
    all.open ||= body.times.some(({ clocks }) => clocks);
    replace(all, h("summary.link", `Next on ${minute(next.at)}, your time`),
      h(".inside", timesTable(body.times, timing.timezone ?? ownZone())));
  });
  const draw = (chosen) => {
    kind = chosen;
    tell([]);
    replace(place, shown().map((name) => fields[name].box));
    explain();
  };
  const element = h(".stack", { on: { input: explain } },
    choice("When it runs", KINDS, kind, draw), place,
    h(".told", { "aria-live": "polite" }, meaning), all,
    options(fields.timezone.control, zones()), options(fields.cron.control, CRONS));
  draw(kind);
  return { element, read, tell };
}

/** What a schedule would do: a dry run. */
export const planned = (workflow, parameters, timing) => api("POST", "/schedules",
  { poll: true, body: { workflow, parameters, ...timing, dry_run: true } });

/** Values of the fields, as the definition of a schedule has them. */
function valuesOf({ expression, timezone, ends_at, overlap }) {
  const [, kind, text] = /^(\w+)\((.*)\)$/.exec(expression);
  const isCron = kind === "cron";
  const end = { ends_at: ends_at && localTime(ends_at, isCron ? timezone : ownZone()), overlap };
  if (isCron) return { kind, cron: text, timezone, ...end };
  if (kind === "at") return { kind, at: localTime(`${text}Z`, ownZone()) };
  const [amount, unit] = text.split(" ");
  return { kind: "every_seconds", every_seconds: amount * UNITS[unit.replace(/s$/, "")], ...end };
}

function fieldsOf(known) {
  const end = textField("Ends at (optional)", { type: "datetime-local", value: known.ends_at });
  return {
    at: textField("Time", { type: "datetime-local", value: known.at ?? localTime(nextHour(), ownZone()) }),
    after_seconds: span("From now", 15 * UNITS.minute, Object.keys(UNITS).reverse()),
    every_seconds: span("Interval", known.every_seconds ?? UNITS.hour, ["minute", "hour", "day"],
      "First after one interval."),
    cron: textField("Cron expression",
      { class: "mono", value: known.cron ?? "0 9 * * 1-5", list: newId("list") },
      "Five fields: minutes, hours, day of month, month, weekday from Sunday, 0. Or @daily, or AWS's six."),
    timezone: textField("Time zone", { value: known.timezone ?? ownZone(), list: newId("list") }),
    // Without a time zone beside it, the end is a moment.
    ends_at: { ...end, value: (kind) => (end.value() && kind === "every_seconds"
      ? new Date(end.value()).toISOString().replace(".000", "") : end.value()) },
    overlap: selectField("While a run of it is under way", OVERLAPS, known.overlap),
    group: textField("Group (optional)", { placeholder: "order-1234" }, "To cancel schedules together."),
  };
}

function textField(label, props, hint) {
  const control = textInput(props);
  return { control, box: field(label, control, hint), value: () => control.value.trim() };
}

function selectField(label, values, chosen) {
  const control = h("select", optionsOf(values));
  if (chosen) control.value = chosen;
  return { control, box: field(label, control), value: () => control.value };
}

function span(label, seconds, units, hint) {
  const unit = units.findLast((each) => seconds % UNITS[each] === 0);
  const select = h("select", { label: `${label}, unit` },
    optionsOf(Object.fromEntries(units.map((each) => [each, `${each}s`]))));
  select.value = unit;
  const { control, box } = textField(label, { value: seconds / UNITS[unit], inputmode: "decimal" }, hint);
  const both = h(".span");
  control.replaceWith(both);
  both.append(control, select);
  const value = () => {
    const typed = asNumber(control.value);
    return typeof typed === "number" ? typed * UNITS[select.value] : typed;
  };
  return { control, box, value };
}

/** Asks once typing pauses, and shows the answer unless there is a newer one to come. */
function whenTypingPauses(ask, show) {
  let waiting;
  return () => {
    clearTimeout(waiting);
    const mine = waiting = setTimeout(async () => {
      const got = await ask().catch(() => null);
      if (got && mine === waiting) show(got);
    }, PAUSE_MS);
  };
}

const firstOf = ({ errors, detail }) => (errors?.length
  ? `${errors[0].pointer.slice(1).replaceAll("/", ".")} ${errors[0].detail}.`.trimStart() : detail);

const optionsOf = (values) => Object.entries(values).map(([value, label]) => h("option", { value }, label));

const options = (input, values) => h("datalist", { id: input.getAttribute("list") }, optionsOf(values));

const zones = () => Object.fromEntries(["UTC", ...Intl.supportedValuesOf("timeZone")]
  .map((name) => [name, name]));

const nextHour = () => new Date(Math.ceil((Date.now() + 60_000) / 3_600_000) * 3_600_000);

/** A moment as a field for a local time has it, such as "2027-01-31T09:00". */
const localTime = (moment, zone) =>
  new Date(moment).toLocaleString("sv", { timeZone: zone }).slice(0, 16).replace(" ", "T");

/** A table of times; `local` and `clocks` are those of a dry run. */
export function timesTable(times, of) {
  const zones = [...new Set([of, ownZone()])];
  const { element, body } = table("Next times",
    [...(zones[1] ? [of, `Yours, ${ownZone()}`] : ["Time"]), ""]);
  body.append(...times.map(({ at, local, clocks }) => row(
    ...zones.map((each) => (at ? minute(at, each) : each === of ? minute(`${local}Z`, "UTC") : "–")),
    [at && time(at), clocks && ` ${CLOCKS[clocks]}`])));
  return element;
}
