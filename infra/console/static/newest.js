/** Lists of the API, newest first: the first page is read again and again, older ones once. */

import { pollApi } from "./api.js";
import { h, keep, put } from "./dom.js";
import { queryOf, refused, working } from "./parts.js";

const PAGE = 25;

/**
 * @param {string} path of the API; `name` is that of the list in its answer, `id` that of an item
 * @param {function} itemOf makes an element; `none` makes what stands for an empty list
 * @param {function} fits may be left out: whether an item is shown
 * @param {function} merged may be left out: an item as it is shown, of what was shown and what came
 */
export function newest({ path, name, id, label, kind = "", query, itemOf, none,
  fits = () => true, merged = (_, item) => item, signal }) {
  const list = h("ul", { class: `items ${kind}`, label });
  const place = h(".stack");
  const empty = h("div");
  const older = working("Older ones", async () => {
    await read(shown.cursor);
    draw();
  });
  let shown;

  const all = () => [...shown.items.values()]
    .filter(({ status }) => !shown.query.status || status === shown.query.status)
    .sort((one, other) => timeOf(other).localeCompare(timeOf(one)));

  async function read(cursor) {
    const now = shown;
    // An answer that comes after another choice belongs to the earlier one.
    const { ok, body } = await pollApi(path + queryOf({ limit: PAGE, ...now.query, cursor }), signal);
    now.refusal = ok ? null : body;
    if (!ok) return;
    if (cursor || !now.items.size) now.cursor = body.cursor;
    for (const item of body[name]) now.items.set(item[id], merged(now.items.get(item[id]), item));
  }

  function draw() {
    if (shown.refusal) return refused(place, shown.refusal);
    const items = all().filter(fits);
    keep(list, items, (item) => item[id], itemOf);
    older.hidden = !shown.cursor;
    keep(empty, items.length || shown.cursor ? [] : [queryOf(shown.query)], (filter) => filter, none);
    return put(place, items.length ? list : empty, older);
  }

  function choose(chosen) {
    shown = { query: { ...chosen }, items: new Map(), cursor: null };
    return refresh();
  }

  async function refresh() {
    const now = shown;
    await read();
    if (now === shown) draw();
  }

  shown = { query: { ...query }, items: new Map(), cursor: null };
  const set = (item) => shown.items.has(item[id]) && shown.items.set(item[id], item);
  return { place, all, choose, draw, refresh, set };
}

const timeOf = ({ started_at, received_at }) => started_at ?? received_at;
