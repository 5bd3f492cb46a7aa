/** The items of a run: outcome, attempts, and the log of each. */

import { pollApi } from "../api.js";
import { h, keep, replace } from "../dom.js";
import { counted, duration } from "../format.js";
import { button, choice, fold, later, pathOf, pill, problem, queryOf, time } from "../parts.js";
import { itemView, readItem } from "./run_item.js";

const PAGE = 50;
const CHOICES = { "": "All", failed: "Failed" };

export function itemsOf(runId) {
  const list = h("ul.items", { label: "Items" });
  const told = h(".stack");
  const none = h("p.none");
  const pages = [""]; // the cursor of each page up to the one that is shown
  let status = "";
  let following = null;
  let run;
  const turn = (change) => (value) => {
    change(value);
    return refresh(run);
  };
  const back = button("Previous", turn(() => pages.pop()));
  const next = button("Next", turn(() => pages.push(following)));
  const pager = h("nav.actions", { label: "Pages of items" }, back, next);
  const choose = turn((chosen) => {
    status = chosen;
    pages.splice(1);
  });
  const chosen = () => queryOf({ limit: PAGE, status, cursor: pages.at(-1) });
  const refresh = async (now) => {
    run = now;
    const query = chosen();
    const got = await pollApi(`/runs/${runId}/items${query}`);
    if (query !== chosen()) return; // an answer that came too late
    replace(told, !got.ok && problem(got.body));
    if (!got.ok) return;
    const { items, cursor } = got.body;
    following = cursor;
    keep(list, items, (item) => item.index, (item) => h("li", itemOf(item, runId)));
    list.hidden = !items.length;
    none.textContent = items.length ? "" : nothing(status, now);
    back.disabled = pages.length === 1;
    next.disabled = !following;
    pager.hidden = back.disabled && next.disabled;
  };
  return { refresh, element: h("section.stack", { label: "Items of this run" },
    h(".head", h("h2", "Items"), choice("Items", CHOICES, status, choose)),
    told, list, none, pager) };
}

/** What came of an item so far, in a line. */
const outcomeOf = ({ problem: wrong, result }) => (wrong ? [h("code", wrong.code), " ", wrong.detail]
  : h("code", result === null ? "" : JSON.stringify(result)));

const nothing = (status, run) =>
  `No item has ${status || "started"}${run.status === "running" ? " so far" : ""}.`;

const itemOf = (item, runId) => fold([
  h("span.index", h("span.hidden", "Item "), item.index),
  pill(item.status),
  h("span.grow.about", outcomeOf(item)),
  h("small.tabular", item.attempts > 1 && `${counted(item.attempts, "attempt")} · `,
    item.next_attempt_by && ["next ", time(item.next_attempt_by)],
    item.finished_at && duration(new Date(item.finished_at) - new Date(item.started_at))),
], () => [
  later(readItem(runId, item.index), ({ ok, body }) => (ok ? itemView(body, runId) : problem(body))),
  h("p", h("a", { href: `${pathOf("runs", runId)}/${item.index}` }, "The item's own page")),
]);
