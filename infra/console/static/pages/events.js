/** Events out: what the developer's server was told, and what it answered. */

import { about, accepted, live, local, poll, pollApi } from "../api.js";
import { h, keep, put } from "../dom.js";
import { buttonTo, code, empty, fold, later, linkTo, logLines, pill, say, section, time, working, wrongOf }
  from "../parts.js";

export async function showEvents(place, signal) {
  const { events_url } = await about();
  const list = h("ul.items", { label: "Events" });
  const came = h("div");
  const none = events_url
    ? empty("No event yet", "Verify an address, or send one.")
    : empty("Events go nowhere yet", "Start the stack with your server's URL:",
      code("make run EVENTS_URL=http://127.0.0.1:9000/events", "Command"));
  place.append(h("section.card",
    events_url && h("p", "Each event is sent, signed, to ", h("code", events_url), "."),
    h("p", buttonTo("/console/workflows/deliver_event?how=later", "Send an event of your own"))),
  section("Events", came));
  const refresh = async () => {
    const events = await poll("events", signal);
    const { body } = await pollApi("/runs?workflow=deliver_event&limit=100", signal);
    const runs = new Map(body.runs?.map(({ run_id, status }) => [run_id, status]));
    keep(list, events.map((event) => ({ ...event, run: runs.get(event.run_id) })),
      (event) => event.event_id, (event) => eventOf(event, refresh));
    put(came, events.length ? list : none);
  };
  live(signal, refresh);
}

function eventOf(event, refresh) {
  const { event_id, type, run_id, next_try_at, tries, run } = event;
  const last = tries.at(-1);
  const retries = last.code && run_id && run !== "running" && run !== undefined;
  const retry = working("Retry", async () => {
    await accepted("POST", `/runs/${run_id}/retry`);
    say(`${type} is sent again.`);
    await refresh();
  }, "quiet", { label: `Retry ${type}` });
  return h("li", { class: retries && "failed" }, fold(
    [outcome(last, run), h("b", type),
      h("span.grow", told(last), tries.length > 1 && ` · ${tries.length} tries`,
        next_try_at && [" · next try ", time(next_try_at)]), time(last.at)],
    () => [
      h("p.row", h("code", event_id), linkTo("runs", run_id, "The run")),
      h("ol", tries.map((each) => h("li", time(each.at), " ", told(each)))),
      later(linesOf(event), (lines) => [h("h3", "Log"), logLines(lines)])]),
  retries && retry);
}

function outcome({ status, code: refusal }, run) {
  if (refusal) return run === "running" ? pill("tries again", "warn") : pill("failed");
  return pill(status ? "delivered" : "not sent");
}

const told = ({ status, code: refusal, detail }) => (refusal ? wrongOf({ code: refusal, detail })
  : status ? `Your server answered ${status}` : "No server gets events of this type");

async function linesOf({ event_id, run_id }) {
  const { lines } = await local(`logs?run=${run_id}`);
  const own = lines.filter((line) => line.keys.event_id === event_id);
  return own.map((line) => (line === own.at(-1) ? line : { ...line, traceback: "" }));
}
