/** Webhook sources, samples of them, and the deliveries that came in. */

import { api, live, local, poll } from "../api.js";
import { h, keep, put } from "../dom.js";
import { codeArea, readJson } from "../form.js";
import { answer, code, empty, facts, field, fold, headerLines, json, later, linkTo, pill, problem,
  requestCode, submit, time } from "../parts.js";

const MOST = 100;
const OF_THE_BROWSER = /^(accept|origin|referer|sec-|user-agent)/;

export async function showSources(place, signal) {
  const sources = await local("webhooks");
  const list = h("ul.items", { label: "Deliveries" });
  const none = empty("No delivery yet", "Send a signed sample from one of the sources above, " +
    "or let the application call the URL.");
  const came = h("div");
  place.append(
    h("section.stack", h("h2", "Sources"),
      h("p.none", "Sections of ", h("code", "functions/api/webhooks/sources.toml"),
        ". Each signs its deliveries and can start one workflow."),
      sources.length ? h("ul.items", { label: "Sources" }, sources.map(sourceOf))
        : empty("No source yet", "Add a section to sources.toml; docs/how-to/webhooks.md shows one.")),
    h("section.stack", h("h2", "Deliveries"), came));
  live(signal, 1500, async () => {
    const calls = await poll(`requests?path=/webhooks/&limit=${MOST}`, signal);
    keep(list, calls, (call) => call.request_id, deliveryOf);
    put(came, calls.length ? list : none);
  });
}

function sourceOf(source) {
  const { source: name, scheme, workflow, secret_set, parameters } = source;
  return h("li", fold([
    h("b", name), pill(scheme), h("span.grow", "starts ", workflow),
    secret_set === false ? pill("no secret", "warn") : h("span.link", "Send a sample"),
  ], () => [
    code(`${location.origin}/webhooks/${name}`, "URL"),
    facts({
      Starts: linkTo("workflows", workflow),
      Secret: secret_set === null ? "none: Amazon's certificate" : secret_set ? "set" : "not set",
    }),
    secret_set === false && [h("p", "Deliveries get a 404 until its secret is set:"),
      code(`printf %s "a secret of yours" | make webhook-secret SOURCE=${name}`, "Command")],
    sampleOf(source),
    fold("How a payload becomes parameters", () => code(parameters.trim(), "JMESPath")),
  ]));
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
  const run = got.body.run_id;
  return [answer(got), got.ok && h("p", run ? linkTo("runs", run, "Open the run that it started")
    : "It was accepted and starts nothing: its expression gives null for this payload."),
  requestCode(got.request)];
}

function deliveryOf({ request_id, at, source, status, verified, code: refusal, detail, run_id }) {
  return h("li", fold([
    pill(status), h("b", source ?? "–"), pill(verified ? "verified" : "refused"),
    h("span.grow", refusal ? [h("code", refusal), ` ${detail ?? ""}`]
      : run_id ? "started a run" : "starts nothing"), time(at),
  ], () => [
    h("p.row", run_id && linkTo("runs", run_id, "The run"),
      linkTo("requests", request_id, "The request with its log")),
    later(local(`requests/${encodeURIComponent(request_id)}`), contentOf),
  ]));
}

const contentOf = ({ headers = {}, body, answer: told, request }) => [
  request?.status >= 400 && problem(told ?? {}),
  h("h3", "Body"), json(body ?? "", "Body"),
  h("h3", "Headers"), headerLines(Object.entries(headers).filter(([name]) => !OF_THE_BROWSER.test(name)), "Headers")];
