/** Times, durations and numbers as people read them. */

export const UNITS = { day: 86400, hour: 3600, minute: 60, second: 1 };

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const ownZone = () => zone;

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const number = new Intl.NumberFormat();
const formats = new Map(); // making a format takes longer than drawing a row

function formatted(iso, options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(undefined, options));
  return formats.get(key).format(new Date(iso));
}

/** "3 minutes ago", "in 2 hours"; seconds are rounded to five. */
export function ago(iso) {
  const seconds = (new Date(iso) - Date.now()) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  const [unit, length] = Object.entries(UNITS).find(([, each]) => Math.abs(seconds) >= each);
  return relative.format(unit === "second" ? Math.round(seconds / 5) * 5 : Math.round(seconds / length), unit);
}

export const moment = (iso, timeZone) =>
  formatted(iso, { dateStyle: "medium", timeStyle: "medium", timeZone });

/** "Fri 27 Nov, 10:36": a time to the minute, with its year in another year. */
export const minute = (iso, timeZone) => formatted(iso, { weekday: "short", day: "numeric",
  month: "short", hour: "2-digit", minute: "2-digit", timeZone,
  year: new Date(iso).getFullYear() === new Date().getFullYear() ? undefined : "numeric" });

/** "in 2 h 4 min" */
export function left(iso) {
  const seconds = Math.round((new Date(iso) - Date.now()) / 1000);
  return seconds > 0 ? `in ${inUnits(seconds)}` : "due now";
}

/** "320 ms", "4.2 s", "12 s", "3 min 20 s". */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms`
  : ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : inUnits(ms / 1000));

/** "9 s", "3 min 20 s", "2 d 3 h": the two largest units. */
export function inUnits(seconds) {
  const whole = Math.round(seconds);
  const parts = Object.entries({ d: whole / 86400, h: whole / 3600 % 24, min: whole / 60 % 60,
    s: whole % 60 }).map(([unit, amount]) => [Math.floor(amount), unit]);
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(first).slice(0, 2).map((part) => part.join(" ")).join(" ");
}

export const count = (value) => number.format(value);

export const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
