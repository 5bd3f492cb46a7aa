/** Times, durations and numbers as people read them. */

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const number = new Intl.NumberFormat();
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** "3 minutes ago", "in 2 hours"; seconds are rounded to five. */
export function ago(iso, now = Date.now()) {
  const seconds = (new Date(iso) - now) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  const amount = unit === "second" ? Math.round(seconds / 5) * 5 : Math.round(seconds / length);
  return relative.format(amount, unit);
}

const moments = new Map(); // making a format takes longer than 20 uses of it

/** A time with its date, in the reader's zone or another one. */
export function moment(iso, timeZone) {
  if (!moments.has(timeZone)) {
    moments.set(timeZone, new Intl.DateTimeFormat(undefined,
      { dateStyle: "medium", timeStyle: "medium", timeZone }));
  }
  return moments.get(timeZone).format(new Date(iso));
}

const formats = new Map();

/** "Fri 27 Nov, 10:36": a time to the minute, with its year in another year. */
export function minute(iso, timeZone) {
  const at = new Date(iso);
  const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const key = `${timeZone} ${year}`;
  // Making a format takes longer than drawing a row.
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric",
      month: "short", hour: "2-digit", minute: "2-digit", year, timeZone }));
  }
  return formats.get(key).format(at);
}

/** "12:00:07" today, with the date on another day. */
export function clock(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(undefined, today
    ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "short" });
}

/** "320 ms", "4.2 s", "3 min 20 s", "2 h 5 min". */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A number with separators. */
export const count = (value) => number.format(value);

/** "1 item", "5 items". */
export const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
