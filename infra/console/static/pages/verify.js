/** Verify: send a code, read the message that arrived, check the code. */

import { about, local } from "../api.js";
import { h, replace } from "../dom.js";
import { choice, code, empty, json, pageHead, pill, problem, requestCode } from "../parts.js";
import { messageView } from "../message.js";
import { clock } from "../format.js";
import { openapi } from "../form.js";

const CHANNELS = { email: "Email", sms: "SMS" };

export async function show(main, { signal }) {
  const { createVerifyClient } = await import("/verify.js");
  const { tokens } = await about();
  const { purpose } = (await openapi()).components.schemas.VerifySend.properties;
  const requests = h("div", { class: "stack" });
  const message = h("div", { class: "stack" }, nothingYet());
  const state = { channel: "email", purpose: "", since: null };
  const purposes = ["", ...purpose.enum.filter((each) => each !== null)];
  const client = createVerifyClient({
    token: tokens.publishable,
    fetch: (url, options) => {
      if (url.endsWith("verify_send")) state.since = new Date().toISOString();
      return recorded(url, options, requests);
    },
  });
  const form = h("div", { on: { "verify-sent": () => showMessage(signal, message, state) } });
  const draw = () => replace(form, element(state, client));
  draw();
  main.append(
    pageHead("Verify", "Send a code to an email address or a phone, read the message that arrives, "
      + "and check the code. Nothing leaves this machine."),
    h("div", { class: "split" },
      h("section", { class: "card", "aria-label": "Verification" }, options(state, purposes, draw), form),
      h("section", { class: "card", "aria-label": "Message", "aria-live": "polite" }, message)),
    h("section", { class: "card" }, h("h2", {}, "Requests"), requests),
    h("section", { class: "card" }, h("h2", {}, "Put it on a page of yours"),
      h("p", {}, "This form is the element verify-code. Any page on this machine may use it now."),
      code(snippet(tokens), "HTML")));
  replace(requests, h("p", { class: "none" }, "Each call of the form appears here, as curl and as JavaScript."));
}

function options(state, purposes, draw) {
  const purpose = h("select", { "aria-label": "Purpose", on: { change: () => {
    state.purpose = purpose.value;
    draw();
  } } }, purposes.map((each) => h("option", { value: each }, each.replaceAll("_", " ") || "No purpose")));
  return h("div", { class: "row" }, choice("Channel", CHANNELS, state.channel, (value) => {
    state.channel = value;
    draw();
  }), h("div", {}, purpose));
}

function element(state, client) {
  const made = h("verify-code", { channel: state.channel, purpose: state.purpose || null });
  made.client = client;
  return made;
}

const nothingYet = () => empty("The message arrives here",
  "Enter any address, such as ana@example.com. Its code is the same that AWS would send.");

/** Shows the message of the last send, as soon as it is there. */
async function showMessage(signal, place, state) {
  const read = `inbox?wait=20&since=${encodeURIComponent(state.since)}`;
  const [found] = await local(read, { poll: true, signal });
  if (found) replace(place, messageView(found));
}

/** Makes a request and shows it, with its answer, as the first of the list. */
async function recorded(url, options, list) {
  const { pathname } = new URL(url, location.origin);
  const { headers, body } = options;
  const request = { method: "POST", path: pathname, headers, body: JSON.parse(body) };
  const part = h("details", { class: "request" });
  draw(part, request, h("span", { class: "none" }, "…"));
  if (!list.querySelector("details")) replace(list);
  list.prepend(part);
  const started = performance.now();
  const response = await fetch(url, { ...options, headers: { ...headers, "x-console": "page" } });
  const answer = await response.clone().json().catch(() => null);
  const ms = Math.round(performance.now() - started);
  draw(part, request, [pill(response.status), h("span", { class: "none" }, `${ms} ms`)],
    h("div", { class: "stack" }, h("h3", {}, "Answer"), !response.ok && answer && problem(answer),
      json(answer, "Answer")));
  return response;
}

const draw = (part, request, status, answer) => replace(part,
  h("summary", {}, h("span", { class: "row" }, h("b", {}, request.path.split("/").at(-1)), status,
    h("span", { class: "none" }, clock(new Date().toISOString())))),
  h("div", { class: "split" }, requestCode(request), answer));

const snippet = (tokens) => `<script type="module" src="${location.origin}/verify.js"></script>
<verify-code channel="email" token="${tokens.publishable}"></verify-code>
<script>
  document.addEventListener("verify-valid", (event) => console.log(event.detail));
</script>`;
