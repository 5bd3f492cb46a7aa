/** Webhooks and events: what came in, and what went out to the developer's server. */

import { h } from "../dom.js";
import { pageHead, tabs } from "../parts.js";
import { showEvents } from "./events.js";
import { showSource } from "./source_one.js";
import { showSources } from "./sources.js";

export function show(main, { rest: [source], query, signal }) {
  if (source) return showSource(main, source, signal);
  let leave = new AbortController();
  signal.addEventListener("abort", () => leave.abort());
  const panel = (draw, address) => () => {
    history.replaceState(null, "", address);
    leave.abort();
    leave = new AbortController();
    const place = h(".stack");
    draw(place, leave.signal);
    return place;
  };
  main.append(pageHead("Webhooks and events",
    "Other applications start your workflows by webhooks. Events tell your server what happened."),
  tabs("Direction", { In: panel(showSources, "/console/webhooks"),
    Out: panel(showEvents, "/console/webhooks?out") }, query.has("out") ? "Out" : "In"));
}
