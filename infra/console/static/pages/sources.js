/** Webhook sources, and the calls that came in: verified, or refused and why. */

import { live, local, poll } from "../api.js";
import { h, keep, put } from "../dom.js";
import { empty, pathOf, pill, time } from "../parts.js";

const MOST = 100;

export async function showSources(place, signal) {
  const { sources, mistakes } = await local("webhooks");
  const list = h("ul.items", { label: "Calls" });
  const none = empty("No call yet", "Send a signed sample from one of the sources above, " +
    "or let the application call the URL.");
  const came = h("div");
  place.append(
    h("section.stack", h("h2", "Sources"),
      h("p.none", "Sections of ", h("code", "functions/api/webhooks/sources.toml"),
        ". Each signs its deliveries and can start one workflow."),
      mistakes.map((sentence) => h("p.problem", { role: "alert" }, sentence)),
      sources.length ? h("ul.items", { label: "Sources" }, sources.map(sourceOf))
        : empty("No source yet", "Add a section to sources.toml; docs/how-to/webhooks.md shows one.")),
    h("section.stack", h("h2", "Calls that came in"), came));
  live(signal, 1500, async () => {
    const calls = await poll(`requests?path=/webhooks/&limit=${MOST}`, signal);
    const posts = calls.filter(({ source, method }) => source && method === "POST");
    keep(list, posts, (call) => call.request_id, callOf);
    put(came, posts.length ? list : none);
  });
}

const sourceOf = ({ source, scheme, workflow, secret_set }) => h("li",
  h("a", { href: pathOf("webhooks", source) }, h("span.row", h("b", source), pill(scheme),
    h("span.grow", "starts ", workflow), secret_set === false && pill("no secret", "warn"),
    h("span.link", "Sample and deliveries"))));

const callOf = ({ request_id, at, source, status, verified, code, detail, run_id }) => h("li",
  h("a", { href: pathOf("requests", request_id) }, h("span.row",
    pill(status), h("b", source), pill(verified ? "verified" : "refused"),
    h("span.grow", code ? [h("code", code), ` ${detail ?? ""}`]
      : run_id ? "started a run" : "started nothing"), time(at))));
