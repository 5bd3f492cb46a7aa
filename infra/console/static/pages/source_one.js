/** One source of webhooks: a signed sample of it, and its deliveries, which are kept for a week. */

import { accepted, api, live, local } from "../api.js";
import { h, replace } from "../dom.js";
import { codeArea, readJson } from "../form.js";
import { counted } from "../format.js";
import { newest } from "../newest.js";
import { answer, backTo, card, choice, code, empty, facts, field, fold, json, later, linkTo, pageHead,
  pill, problem, requestCode, say, submit, time, working, wrongOf } from "../parts.js";

const STATUSES = { "": "All", started: "Started", sent: "Sent", ignored: "Ignored", failed: "Failed" };
const WORDS = { ignored: "its expression asks for nothing", failed: "not processed to its end" };
const sentTo = (woken) => `Its event woke ${counted(woken, "item")}.`;

export async function showSource(main, name, signal) {
  const place = h(".stack");
  document.title = `${name} · Webhooks`;
  main.append(backTo("webhooks"), pageHead(h("code", name), "A source of webhooks"), place);
  const { sources } = await local("webhooks");
  const source = sources.find((each) => each.source === name);
  replace(place, source ? h(".split", h(".stack", aboutOf(source), card("Send a sample", sampleOf(source))),
    deliveriesOf(source, signal))
    : empty("There is no such source", "sources.toml has no usable section of this name."));
}

function aboutOf({ source, scheme, workflow, event, secret_set, parameters, key, data }) {
  return card("Definition", code(`${location.origin}/webhooks/${source}`, "URL"),
    facts({
      Starts: workflow && linkTo("workflows", workflow), Sends: event && h("code", event), Scheme: scheme,
      Secret: secret_set === null ? "none: Amazon's certificate" : secret_set ? "set" : "not set",
    }),
    secret_set === false && [h("p", "Deliveries get a 404 until its secret is set:"),
      code(`printf %s "a secret of yours" | make webhook-secret SOURCE=${source}`, "Command")],
    fold("Its expressions", () => Object.entries({ parameters, key, data })
      .map(([name, text]) => text && [h("h3", name), code(text.trim(), name)])));
}

function sampleOf({ source, sample_payload }) {
  const area = codeArea(sample_payload, 10);
  const send = submit("Sign and send", async () => {
    const payload = readJson(area.value, "The payload");
    const made = await local(`webhooks/${source}/sample`, { method: "POST", body: { payload } });
    return made.signed ? delivered(made) : [h("p", made.why), made.command && code(made.command, "Command")];
  });
  return [field("Payload", area, "<now> and <new> become the time and a new number."), send];
}

async function delivered({ path, headers, body }) {
  const got = await api("POST", path, { token: null, headers, body });
  const { run_id: run, woken } = got.body;
  return [answer(got), got.ok && h("p", run ? linkTo("runs", run, "Open the run that it started")
    : woken === null ? "It started nothing. Its delivery says why." : sentTo(woken)),
  requestCode(got.request)];
}

function deliveriesOf({ source, keep }, signal) {
  const path = `/webhooks/${source}/deliveries`;
  const deliveries = newest({ path, name: "deliveries", id: "id", label: "Deliveries", signal,
    itemOf: (each) => deliveryOf(each, path, () => deliveries.refresh()),
    none: (filter) => empty(filter ? "No delivery is like this" : "No delivery yet", keep
      ? "What the source sends is kept for 7 days, once its signature is verified."
      : "Its section says keep = false. The page Webhooks has its calls.") });
  live(signal, deliveries.refresh);
  return h("section.stack", h(".head", h("h2", "Deliveries"),
    choice("Status", STATUSES, "", (status) => deliveries.choose({ status }))), deliveries.place);
}

function deliveryOf({ id, received_at, status, run_id, woken, problem: wrong }, path, refresh) {
  const replay = async () => {
    const { body } = await accepted("POST", `${path}/${id}/replay`, { body: {} });
    say(body.run_id ? "Replayed: it started a run."
      : body.woken === null ? "Replayed: it starts nothing." : `Replayed. ${sentTo(body.woken)}`);
    return refresh();
  };
  return h("li", fold([
    pill(status), h("span.grow.about", wrong ? wrongOf(wrong)
      : run_id ? h("code", run_id.split(".")[1].slice(0, 10)) : status === "sent" ? sentTo(woken) : WORDS[status]),
    time(received_at),
  ], () => [
    h("p.row", run_id && linkTo("runs", run_id, "The run"), h("code", id), working("Replay", replay)),
    wrong && problem(wrong),
    later(accepted("GET", `${path}/${id}`), ({ body: { payload, query } }) => [
      h("h3", "Payload"), json(payload, "Payload"),
      Object.keys(query).length > 0 && [h("h3", "Query"), json(query, "Query")]]),
  ]));
}
