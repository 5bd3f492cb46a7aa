/** The items of a run: outcome, attempts, and the log of each. */

import { api, local } from "../api.js";
import { h, keep, replace } from "../dom.js";
import { counted, duration } from "../format.js";
import { button, choice, json, logLines, pill, problem } from "../parts.js";

const PAGE = 50;
const CHOICES = { "": "All", failed: "Failed" };

/**
 * @returns {{element: Element, refresh: (run: object) => Promise<void>}} `refresh` reads the page
 *   that is shown
 */
export function itemsOf(runId) {
  const open = new Set();
  const list = h("ul", { class: "folds", "aria-label": "Items" });
  const told = h("div", { class: "stack" });
  const none = h("p", { class: "none" });
  const pages = [""]; // the cursor of each page up to the one that is shown
  let status = "";
  let following = null;
  let run;
  const turn = (change) => () => {
    change();
    return refresh(run);
  };
  const back = button("Previous", turn(() => pages.pop()));
  const next = button("Next", turn(() => pages.push(following)));
  const pager = h("nav", { class: "actions", "aria-label": "Pages of items" }, back, next);
  const choose = (chosen) => turn(() => {
    status = chosen;
    pages.splice(1);
  })();
  const refresh = async (now) => {
    run = now;
    const query = new URLSearchParams({ limit: PAGE, ...(status && { status }),
      ...(pages.at(-1) && { cursor: pages.at(-1) }) });
    const got = await api("GET", `/runs/${runId}/items?${query}`, { poll: true });
    replace(told, !got.ok && problem(got.body));
    if (!got.ok) return;
    following = got.body.cursor;
    keep(list, got.body.items, (item) => item.index, (item) => itemOf(item, runId, open));
    list.hidden = !got.body.items.length;
    none.textContent = got.body.items.length ? "" : nothing(status, now);
    back.disabled = pages.length === 1;
    next.disabled = !following;
    pager.hidden = back.disabled && next.disabled;
  };
  return { refresh, element: h("section", { class: "stack", "aria-label": "Items of this run" },
    h("div", { class: "head" }, h("h2", {}, "Items"), choice("Items", CHOICES, status, choose)),
    told, list, none, pager) };
}

const nothing = (status, run) => (run.status === "running"
  ? status ? "No item has failed so far." : "No item has started yet."
  : status ? "No item failed." : "No item started.");

function itemOf(item, runId, open) {
  const content = h("div", { class: "inside stack" });
  const element = h("details", { open: open.has(item.index), on: { toggle: () => {
    open[element.open ? "add" : "delete"](item.index);
    if (element.open) fill(content, item, runId);
  } } }, summaryOf(item), content);
  return h("li", {}, element);
}

const summaryOf = (item) => h("summary", {},
  h("span", { class: "index" }, h("span", { class: "hidden" }, "Item "), item.index),
  pill(item.status),
  h("span", { class: "grow about" }, item.problem
    ? [h("code", {}, item.problem.code), " ", item.problem.detail]
    : h("code", {}, item.result === null ? "" : JSON.stringify(item.result))),
  h("small", { class: "tabular" }, item.attempts > 1 && `${counted(item.attempts, "attempt")} · `,
    item.finished_at && duration(new Date(item.finished_at) - new Date(item.started_at))));

/** Result or problem, and what the workflow logged on this item. */
async function fill(content, item, runId) {
  const log = h("div", { class: "stack" });
  replace(content, item.problem ? problem(item.problem) : json(item.result, "Result"), log,
    item.problem && h("details", {}, h("summary", {}, "Problem as JSON"),
      json(item.problem, "Problem")));
  try {
    const { lines } = await local(`logs?run=${encodeURIComponent(runId)}&index=${item.index}`);
    replace(log, h("h3", {}, "Log"), lines.length ? logLines(lines)
      : h("p", { class: "none" }, "Nothing is logged on this item."));
  } catch (error) {
    replace(log, h("p", { class: "error" }, error.message));
  }
}
