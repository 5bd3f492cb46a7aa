/** Webhooks and events: the sources, the calls that came in, and what went out. */

import { live, local, poll } from "../api.js";
import { h, keep, put } from "../dom.js";
import { empty, pageHead, pathOf, pill, section, tabs, time, wrongOf } from "../parts.js";
import { showEvents } from "./events.js";
import { showSource } from "./source_one.js";

const MOST = 100;

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
    "Other applications call you by webhooks. Events tell your server what happened."),
  tabs("Direction", { In: panel(showSources, "/console/webhooks"),
    Out: panel(showEvents, "/console/webhooks?out") }, query.has("out") ? "Out" : "In"));
}

async function showSources(place, signal) {
  const { sources, mistakes } = await local("webhooks");
  const list = h("ul.items", { label: "Calls" });
  const none = empty("No call yet", "Send a sample from a source above, or let the application call its URL.");
  const came = h("div");
  place.append(
    section("Sources",
      h("p.none", "Sections of ", h("code", "functions/api/webhooks/sources.toml"),
        ". Each starts one workflow or sends one event."),
      mistakes.map((sentence) => h("p.problem", { role: "alert" }, sentence)),
      sources.length ? h("ul.items", { label: "Sources" }, sources.map(sourceOf))
        : empty("No source yet", "Add a section to sources.toml; docs/how-to/webhooks.md shows one.")),
    section("Calls that came in", came));
  live(signal, async () => {
    const calls = await poll(`requests?path=/webhooks/&limit=${MOST}`, signal);
    const posts = calls.filter(({ source, method }) => source && method === "POST");
    keep(list, posts, (call) => call.request_id, callOf);
    put(came, posts.length ? list : none);
  });
}

const sourceOf = ({ source, scheme, workflow, event, secret_set }) => h("li",
  h("a", { href: pathOf("webhooks", source) }, h("span.row", h("b", source), pill(scheme),
    h("span.grow", workflow ? `starts ${workflow}` : `sends ${event}`), secret_set === false && pill("no secret", "warn"),
    h("span.link", "Sample and deliveries"))));

const callOf = ({ request_id, at, source, status, verified, code, detail, run_id, woken }) => h("li",
  h("a", { href: pathOf("requests", request_id) }, h("span.row",
    pill(status), h("b", source), pill(verified ? "verified" : "refused"),
    h("span.grow", code ? wrongOf({ code, detail })
      : run_id ? "started a run" : woken === null ? "started nothing" : "sent an event"), time(at))));
