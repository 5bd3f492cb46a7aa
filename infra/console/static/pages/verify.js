/** Verify: send a code, read the message that arrived, check the code. */

import { about, local, live } from "../api.js";
import { h, replace } from "../dom.js";
import { choice, code, empty, pageHead, pill, problem, requestCode } from "../parts.js";
import { messageView } from "../message.js";
import { clock } from "../format.js";

const CHANNELS = { email: "Email", sms: "SMS" };
const PURPOSES = ["", "sign_up", "sign_in", "two_factor", "change_destination"];

export async function show(main, { signal }) {
  const { createVerifyClient } = await import("/verify.js");
  const { tokens } = await about();
  const requests = h("div", { class: "stack" });
  const message = h("div", {}, nothingYet());
  const state = { channel: "email", purpose: "", to: "" };
  const client = createVerifyClient({
    token: tokens.publishable,
    fetch: (url, options) => recorded(url, options, requests),
  });
  const form = h("div");
  const draw = () => replace(form, element(state, client));
  form.addEventListener("verify-sent", ({ detail }) => {
    state.sentTo = detail.to;
    state.arrived = state.since;
    showMessage(signal, message, state);
  });
  draw();
  main.append(
    pageHead("Verify", "Send a code to an email address or a phone, read the message that arrives, "
      + "and check the code. This is the form that a page of yours can include."),
    h("div", { class: "split" },
      h("div", { class: "stack" },
        h("section", { class: "card", "aria-label": "Verification" }, options(state, draw), form),
        h("section", { class: "card" }, h("h2", {}, "Include it"), code(snippet(tokens), "HTML"))),
      h("section", { class: "card", "aria-label": "Message", "aria-live": "polite" },
        h("h2", {}, "The message, as it arrives"), message)),
    h("section", { class: "stack", "aria-label": "Requests" },
      h("h2", {}, "Requests"), h("p", { class: "none" }, "Each call of the form, newest first."), requests));
}

function options(state, draw) {
  const purpose = h("select", { "aria-label": "Purpose", on: { change: () => {
    state.purpose = purpose.value;
    draw();
  } } }, PURPOSES.map((each) => h("option", { value: each }, each.replace("_", " ") || "No purpose")));
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

const nothingYet = () =>
  empty("No message yet", "Enter any address of yours or an invented one: nothing leaves this machine.");

/** Shows the newest message once it is there, in place of the one before. */
async function showMessage(signal, place, state) {
  const newest = async () => (await local("inbox", { poll: true }))[0];
  await live(signal, 400, async () => {
    const found = await newest();
    if (!found || found.id === state.shown) return true;
    state.shown = found.id;
    replace(place, messageView(found));
    return false;
  });
}

/** Makes a request and shows it, with its answer, as the first of the list. */
async function recorded(url, options, list) {
  const started = performance.now();
  const response = await fetch(url, { ...options, headers: { ...options.headers, "x-console": "page" } });
  const body = await response.clone().json().catch(() => null);
  const { pathname } = new URL(url, location.origin);
  const request = { method: "POST", path: pathname, headers: options.headers, body: JSON.parse(options.body) };
  list.prepend(requestPart(request, response, body, performance.now() - started));
  return response;
}

const requestPart = (request, response, body, ms) => h("details", { class: "card" },
  h("summary", {}, h("span", { class: "row" }, h("b", {}, request.path.split("/").at(-1)),
    pill(response.status), h("span", { class: "none" }, `${Math.round(ms)} ms`),
    h("span", { class: "none" }, clock(new Date().toISOString())))),
  h("div", { class: "split" }, requestCode(request),
    h("div", { class: "stack" }, h("h3", {}, "Answer"), !response.ok && body && problem(body),
      code(JSON.stringify(body, null, 2), "Answer"))));

const snippet = (tokens) => `<script type="module" src="${location.origin}/verify.js"></script>
<verify-code channel="email" token="${tokens.publishable}"></verify-code>
<script>
  document.addEventListener("verify-valid", (event) => console.log(event.detail));
</script>`;
