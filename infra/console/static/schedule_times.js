/** Times of schedules, in the schedule's zone and in the reader's. */

import { minute } from "./format.js";
import { row, table, time } from "./parts.js";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const ownZone = () => zone;

const CLOCKS = { skipped: "skipped: the clocks go forward", repeated: "shown twice: it runs the first time" };

/** A table of times; `local` and `clocks` are those of a dry run. */
export function timesTable(times, of) {
  const zones = [...new Set([of, zone])];
  const { element, body } = table("Next times",
    [...(zones[1] ? [of, `Yours, ${zone}`] : ["Time"]), ""]);
  body.append(...times.map(({ at, local, clocks }) => row(
    ...zones.map((each) => (at ? minute(at, each) : each === of ? minute(`${local}Z`, "UTC") : "–")),
    [at && time(at), clocks && ` ${CLOCKS[clocks]}`])));
  return element;
}
