/** Verify: send a code, read the message that arrived, check the code. */

import { about, api, poll } from "../api.js";
import { h, replace } from "../dom.js";
import { answer, card, choice, code, empty, pageHead, pill, requestCode, time } from "../parts.js";
import { openapi } from "../form.js";
import { messageView } from "../message.js";

const CHANNELS = { email: "Email", sms: "SMS" };

export async function show(main, { signal }) {
  const message = h(".stack", empty("The message arrives here",
    "Enter any address, such as ana@example.com. Its code is the same that AWS would send."));
  const requests = h(".stack", h("p.none", "Each call of the form appears here, as curl and as JavaScript."));
  const state = { channel: "email", purpose: "", since: null };
  const purpose = h("select", { label: "Purpose" });
  const form = h("div", { on: { "verify-sent": () => showMessage(signal, message, state) } });
  const place = h(".stack");
  let client;
  const draw = () => client && replace(form, Object.assign(
    h("verify-code", { channel: state.channel, purpose: state.purpose || null }), { client }));
  main.append(
    pageHead("Verify", "Send a code to an email address or a phone, read the message that arrives, "
      + "and check the code. Nothing leaves this machine."),
    h(".split",
      h("section.card", { label: "Verification" }, options(state, purpose, draw), form),
      h("section.card", { label: "Message", "aria-live": "polite" }, message)),
    card("Requests", requests), place);
  const [{ createVerifyClient }, { tokens }, { components }] =
    await Promise.all([import("/verify.js"), about(), openapi()]);
  const purposes = components.schemas.VerifySend.properties.purpose.enum.filter(Boolean);
  purpose.append(...["", ...purposes].map((each) =>
    h("option", { value: each }, each.replaceAll("_", " ") || "No purpose")));
  client = createVerifyClient({
    token: tokens.publishable,
    fetch: (url, asked) => {
      if (url.endsWith("verify_send")) state.since = new Date().toISOString();
      return recorded(url, asked, requests);
    },
  });
  draw();
  replace(place, card("Put it on a page of yours",
    h("p", "This form is the element verify-code. Any page on this machine may use it."),
    code(snippet(tokens), "HTML")));
}

function options(state, purpose, draw) {
  const set = (name) => (value) => {
    state[name] = value;
    draw();
  };
  purpose.onchange = () => set("purpose")(purpose.value);
  return h(".row", choice("Channel", CHANNELS, state.channel, set("channel")), h("div", purpose));
}

async function showMessage(signal, place, { since }) {
  const [found] = await poll(`inbox?brief=true&wait=20&since=${encodeURIComponent(since)}`, signal);
  if (found) replace(place, messageView(found));
}

async function recorded(url, { headers, body, signal }, list) {
  const { pathname } = new URL(url, location.origin);
  const got = await api("POST", pathname, { headers, body: JSON.parse(body), signal, token: null });
  if (!list.querySelector("details")) replace(list);
  list.prepend(h("details",
    h("summary", h("span.row", h("b", pathname.split("/").at(-1)), pill(got.status),
      time(new Date().toISOString()))),
    h(".split.inside", requestCode(got.request), answer(got))));
  return Response.json(got.body, got);
}

const snippet = (tokens) => `<script type="module" src="${location.origin}/verify.js"></script>
<verify-code channel="email" token="${tokens.publishable}"></verify-code>
<script>
  document.addEventListener("verify-valid", (event) => console.log(event.detail));
</script>`;
