/** Timings of schedules in words. The product's own engine computes their times (/_local/times). */

import { UNITS } from "./format.js";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December"];
const DAILY = "every day";
const NTH = ["", "first", "second", "third", "fourth", "fifth"];

/** "minute", "15 minutes", "2 hours": a length in its largest whole unit. */
export function length(seconds) {
  const [unit, one] = Object.entries(UNITS).find(([, each]) => seconds % each === 0) ?? ["second", 1];
  const amount = seconds / one;
  return amount === 1 ? unit : `${amount} ${unit}s`;
}

export function inWords(expression) {
  const [, kind, text] = /^(\w+)\((.*)\)$/.exec(expression) ?? [];
  if (kind === "rate") return `every ${length(60 * text.split(" ")[0])}`;
  if (kind === "cron") return cronInWords(text);
  return "once";
}

/** AWS's six fields in words; the fields themselves where they have no plain words. */
export function cronInWords(text) {
  const fields = text.trim().toUpperCase().split(/\s+/);
  if (fields.length !== 6) return text;
  const [minutes, hours, day, month, weekday, year] = fields;
  const time = timeOf(minutes, hours);
  const days = weekday === "?" ? dayOf(day) : weekdayOf(weekday);
  return [
    time,
    (days !== DAILY || !time.startsWith("every")) && days,
    month !== "*" && `in ${named(month, MONTHS)}`,
    year !== "*" && `in ${year}`,
  ].filter(Boolean).join(" ");
}

const step = (text) => /^(?:\*|0)\/(\d+)$/.exec(text)?.[1];
const isNumber = (text) => /^\d+$/.test(text);
const two = (text) => text.padStart(2, "0");

function timeOf(minutes, hours) {
  if (isNumber(minutes) && /^\d+(,\d+)*$/.test(hours)) {
    return `at ${hours.split(",").map((hour) => `${two(hour)}:${two(minutes)}`).join(", ")}`;
  }
  const within = hours === "*" ? "" : step(hours) ? ` of every ${step(hours)} hours`
    : ` in the hours ${hours}`;
  if (minutes === "*" || step(minutes)) {
    return `every ${length(60 * (step(minutes) ?? 1))}${within}`;
  }
  if (step(hours) && minutes === "0") return `every ${length(3600 * step(hours))}`;
  return hours === "*" ? `every hour at minute ${minutes}` : `at minute ${minutes}${within}`;
}

function dayOf(day) {
  if (day === "*") return DAILY;
  if (day === "L") return "on the last day of the month";
  if (day === "LW") return "on the last working day of the month";
  if (/^\d+W$/.test(day)) return `on the working day nearest to day ${day.slice(0, -1)} of the month`;
  return `on day ${day.replaceAll(",", ", ")} of the month`;
}

function weekdayOf(text) {
  if (text === "*") return DAILY;
  const [, nthDay, nth] = /^(\w+)#(\d)$/.exec(text) ?? [];
  if (nth) return `on the ${NTH[nth]} ${named(nthDay, WEEKDAYS)} of the month`;
  const last = /^(\w+)L$/.exec(text)?.[1];
  if (last) return `on the last ${named(last, WEEKDAYS)} of the month`;
  return `on ${named(text === "L" ? "SAT" : text, WEEKDAYS)}`;
}

/** "MON-FRI" → "Monday to Friday". AWS counts weekdays and months from one. */
function named(text, names) {
  const one = (each) => (isNumber(each) ? names[each - 1]
    : names.find((name) => name.slice(0, 3).toUpperCase() === each)) ?? each;
  return text.split(",").map((part) => part.split("-").map(one).join(" to ")).join(", ");
}
