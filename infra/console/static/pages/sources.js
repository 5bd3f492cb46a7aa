/** Webhook sources, samples of them, and the deliveries that came in. */

import { api, live, local } from "../api.js";
import { h, keep, replace } from "../dom.js";
import { answer, code, empty, facts, field, json, pill, problem, requestCode, time,
  working } from "../parts.js";

const MOST = 100;
const BROWSER = /^(accept|origin|referer|sec-|user-agent)/;

export async function showSources(place, signal) {
  const sources = await local("webhooks", { signal });
  const list = h("ul", { class: "folds", "aria-label": "Deliveries" });
  const none = empty("No delivery yet", "Send a signed sample from one of the sources above, " +
    "or let the application call the URL.");
  const came = h("div", {});
  place.append(
    h("section", { class: "stack" }, h("h2", {}, "Sources"),
      h("p", { class: "none" }, "Sections of ", h("code", {}, "functions/api/webhooks/sources.toml"),
        ". Each signs its deliveries and can start one workflow."),
      sources.length ? h("ul", { class: "folds", "aria-label": "Sources" }, sources.map(sourceOf))
        : empty("No source yet", "Add a section to sources.toml; docs/how-to/webhooks.md shows one.")),
    h("section", { class: "stack" }, h("h2", {}, "Deliveries"), came));
  const refresh = async () => {
    const calls = await local(`requests?path=/webhooks/&limit=${MOST}`, { poll: true, signal });
    keep(list, calls, (call) => call.request_id, deliveryOf);
    const wanted = calls.length ? list : none;
    if (wanted.parentNode !== came) replace(came, wanted);
  };
  live(signal, 1500, refresh);
}

function sourceOf(source) {
  const { source: name, scheme, workflow, secret_set, parameters } = source;
  const url = `${location.origin}/webhooks/${name}`;
  return h("li", {}, h("details", {},
    h("summary", {}, h("b", {}, name), " ", pill(scheme), " ",
      h("span", { class: "grow" }, "starts ", workflow), " ",
      secret_set === false ? pill("no secret", "warn") : h("span", { class: "link" }, "Send a sample")),
    h("div", { class: "inside stack" },
      code(url, "URL"),
      facts({
        Starts: h("a", { href: `/console/workflows/${workflow}` }, workflow),
        Secret: secret_set === null ? "none: Amazon's certificate" : secret_set ? "set" : "not set",
      }),
      secret_set === false && [h("p", {}, "Deliveries get a 404 until its secret is set:"),
        code(`printf %s "a secret of yours" | make webhook-secret SOURCE=${name}`, "Command")],
      sampleOf(source),
      h("details", {}, h("summary", {}, "How a payload becomes parameters"), code(parameters.trim(), "JMESPath")))));
}

/** A payload to edit, and what became of it. */
function sampleOf({ source, sample_payload }) {
  const text = h("textarea", { class: "mono", rows: 10, spellcheck: "false",
    value: JSON.stringify(sample_payload, null, 2) });
  const told = h("div", { class: "stack", "aria-live": "polite" });
  const send = working("Sign and send", async () => {
    replace(told);
    let payload;
    try {
      payload = JSON.parse(text.value);
    } catch (error) {
      return replace(told, h("p", { class: "error" }, `The payload is not valid JSON: ${error.message}`));
    }
    const made = await local(`webhooks/${source}/sample`, { method: "POST", body: { payload } });
    return replace(told, made.signed ? await delivered(made) : notSigned(made));
  }, "primary");
  return [field("Payload", text, "<now> and <new> become the time and a new number."),
    h("div", { class: "actions" }, send), told];
}

async function delivered({ path, headers, body }) {
  const got = await api("POST", path, { token: null, headers, body });
  const run = got.body.run_id;
  return [answer(got), got.ok && h("p", {}, run
    ? h("a", { href: `/console/runs/${run}` }, "Open the run that it started")
    : "It was accepted and starts nothing: its expression gives null for this payload."),
  requestCode(got.request)];
}

const notSigned = ({ why, command }) => [h("p", {}, why), command && code(command, "Command")];

function deliveryOf(call) {
  const { request_id, at, source, status, verified, code: refusal, detail, run_id } = call;
  const more = h("div", { class: "stack" });
  const shown = async (event) => {
    if (event.target.open && !more.childElementCount) replace(more, await contentOf(request_id));
  };
  return h("li", {}, h("details", { on: { toggle: shown } },
    h("summary", {}, pill(status), " ", h("b", {}, source ?? "–"), " ",
      pill(verified ? "verified" : "refused"), " ",
      h("span", { class: "grow" }, refusal ? [h("code", {}, refusal), ` ${detail ?? ""}`]
        : run_id ? "started a run" : "starts nothing"), " ", time(at)),
    h("div", { class: "inside stack" },
      h("p", { class: "row" }, run_id && h("a", { href: `/console/runs/${run_id}` }, "The run"),
        h("a", { href: `/console/requests/${encodeURIComponent(request_id)}` }, "The request with its log")),
      more)));
}

async function contentOf(request_id) {
  const { headers = {}, body, answer: told, request } = await local(`requests/${encodeURIComponent(request_id)}`);
  return [request?.status >= 400 && problem(told ?? {}), h("h3", {}, "Body"), json(body ?? "", "Body"),
    h("h3", {}, "Headers"), code(Object.entries(headers).filter(([name]) => !BROWSER.test(name)).map((each) => each.join(": ")).join("\n"), "Headers")];
}
