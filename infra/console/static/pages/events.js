/** Events out: what the developer's server was told, and what it answered. */

import { about, api, live, local } from "../api.js";
import { h, keep, replace } from "../dom.js";
import { answer, code, empty, field, logLines, pill, requestCode, say, time, working } from "../parts.js";

const COMMAND = "make run EVENTS_URL=http://127.0.0.1:9000/events";
const SAMPLE = { order: "1042", carrier: "Example Post" };

export async function showEvents(place, signal) {
  const { events_url } = await about();
  const list = h("ul", { class: "folds", "aria-label": "Events" });
  const runs = new Map();
  const came = h("div", {});
  const none = events_url
    ? empty("No event yet", "Verify an address, or send an event of your own above.")
    : h("div", { class: "empty" }, h("h2", {}, "Events go nowhere yet"),
      h("p", {}, "Start the stack with the URL of a server of yours:"), code(COMMAND, "Command"));
  place.append(h("section", { class: "card" }, events_url
    ? h("p", {}, "Each event is sent, signed, to ", h("code", {}, events_url), ".")
    : h("p", {}, pill("no EventsUrl", "warn"), " An event that is sent now ends without a server to tell."),
  sender(events_url)), h("section", { class: "stack" }, h("h2", {}, "Events"), came));
  const refresh = async () => {
    const events = await local("events", { poll: true, signal });
    await Promise.all(events.map((event) => judge(event, runs, signal)));
    keep(list, events.map((event) => ({ ...event, run: runs.get(event.run_id) })),
      (event) => event.event_id, (event) => eventOf(event, refresh));
    const wanted = events.length ? list : none;
    if (wanted.parentNode !== came) replace(came, wanted);
  };
  live(signal, 2000, refresh);
}

/** Learns from a run that is under way, or failed, whether it tries again. */
async function judge({ run_id, tries }, runs, signal) {
  const known = runs.get(run_id);
  if (!run_id || !tries.at(-1).code || (known && known !== "running")) return;
  const got = await api("GET", `/runs/${run_id}`, { poll: true, signal });
  runs.set(run_id, got.ok ? got.body.status : "gone");
}

function eventOf({ event_id, type, run_id, request_id, tries, run }, refresh) {
  const last = tries.at(-1);
  const more = h("div", { class: "stack" });
  const shown = async (event) => {
    if (event.target.open) replace(more, await logOf(event_id, run_id, request_id));
  };
  const retries = last.code && run_id && run !== "running" && run !== undefined;
  const retry = working("Retry", async () => {
    const got = await api("POST", `/runs/${run_id}/retry`);
    say(got.ok ? `${type} is sent again.` : got.body.detail);
    await refresh();
  }, "quiet", { "aria-label": `Retry ${type}` });
  return h("li", { class: retries && "failed" }, h("details", { on: { toggle: shown } },
    h("summary", {}, outcome(last, run), " ", h("b", {}, type), " ",
      h("span", { class: "grow" }, told(last), tries.length > 1 && ` · ${tries.length} tries`), " ", time(last.at)),
    h("div", { class: "inside stack" },
      h("p", { class: "row" }, h("code", {}, event_id), run_id && h("a", { href: `/console/runs/${run_id}` }, "The run"),
        !run_id && h("a", { href: `/console/requests/${encodeURIComponent(request_id)}` }, "The request")),
      h("ol", { class: "tries" }, tries.map((each) => h("li", {}, time(each.at), " ", told(each)))), more)),
  retries && retry);
}

function outcome({ status, code: refusal }, run) {
  if (refusal) return run === "running" ? pill("tries again", "warn") : pill("failed");
  return status ? pill("delivered") : pill("not sent");
}

const told = ({ status, code: refusal, detail }) => (refusal ? [h("code", {}, refusal), ` ${detail}`]
  : status ? `Your server answered ${status}` : "No server gets events of this type");

/** Log lines of an event's tries, with the last one's traceback. */
async function logOf(event_id, run_id, request_id) {
  const { lines } = run_id ? await local(`logs?run=${run_id}`)
    : await local(`requests/${encodeURIComponent(request_id)}`);
  const own = lines.filter((line) => line.keys.event_id === event_id);
  return [h("h3", {}, "Log"), logLines(own.map((line) => (line === own.at(-1) ? line : { ...line, traceback: "" })))];
}

/** A form that sends an event of the developer's own. */
function sender() {
  const type = h("input", { value: "order.shipped", spellcheck: "false", autocomplete: "off" });
  const data = h("textarea", { class: "mono", rows: 4, spellcheck: "false", value: JSON.stringify(SAMPLE, null, 2) });
  const result = h("div", { class: "stack", "aria-live": "polite" });
  const send = working("Send the event", async () => {
    let body;
    try {
      body = { type: type.value, data: JSON.parse(data.value) };
    } catch (error) {
      return replace(result, h("p", { class: "error" }, `The data is not valid JSON: ${error.message}`));
    }
    const headers = { prefer: "respond-async" };
    const got = await api("POST", "/workflows/deliver_event", { body, headers });
    return replace(result, got.ok ? h("p", {}, "It is on its way. ",
      h("a", { href: `/console/runs/${got.body.run_id}` }, "Open its run")) : answer(got), requestCode(got.request));
  }, "primary");
  return h("details", {}, h("summary", {}, "Send an event of your own"), h("div", { class: "form inside" },
    field("Type", type, "Not one of the platform's own: verification., email., usersnap. and run. are reserved."),
    field("Data", data), h("div", { class: "actions" }, send), result));
}
