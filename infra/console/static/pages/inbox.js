/** Inbox: every captured message, newest first. */

import { live, local } from "../api.js";
import { codeIn } from "../code.js";
import { h, keep, replace } from "../dom.js";
import { counted } from "../format.js";
import { icon } from "../icons.js";
import { CHANNELS, messageView, titleOf } from "../message.js";
import { button, choice, copyButton, empty, pageHead, problem, time } from "../parts.js";
import { ReadMarks } from "../read_marks.js";

const FILTERS = { "": "All", ...CHANNELS, voice: "Calls" };
const wide = matchMedia("(min-width: 821px)");

export function show(main, { rest, query, signal }) {
  const marks = new ReadMarks("inbox.read");
  const state = { messages: undefined, chosen: rest[0], q: "", channel: "" };
  const parts = layout(state, { search, filter, readAll });
  main.append(parts.head, parts.body);

  function search(text) {
    state.q = text;
    filtered();
  }
  function filter(channel) {
    state.channel = channel;
    filtered();
  }
  function filtered() {
    history.replaceState(null, "", address(state));
    drawList();
  }
  function readAll() {
    marks.add(state.messages.map(({ id }) => id));
    drawList();
  }

  function move({ rest: [id], query: asked }) {
    const changed = id !== state.chosen;
    Object.assign(state, { chosen: id, q: asked.get("q") ?? "", channel: asked.get("channel") ?? "" });
    parts.show(state);
    draw(changed);
    if (changed && !wide.matches) (id ? parts.detail : parts.list).focus();
  }

  function draw(anew) {
    const { messages } = state;
    if (!messages) return;
    parts.fill(messages.length > 0);
    if (!state.chosen && wide.matches && messages.length) chooseNewest();
    const opened = anew || parts.shown !== state.chosen;
    if (opened) drawDetail();
    drawList();
    if (opened && wide.matches) {
      parts.list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    }
  }
  function chooseNewest() {
    state.chosen = fitting(state)[0]?.id;
    if (state.chosen) history.replaceState(null, "", address(state));
  }
  function drawList() {
    const found = fitting(state);
    const unread = state.messages.filter(({ id }) => !marks.has(id)).length;
    parts.readAll.disabled = unread === 0;
    document.title = `${unread ? `(${unread}) ` : ""}Inbox · backend workflows`;
    parts.count.textContent = found.length === state.messages.length ? counted(found.length, "message")
      : `${found.length} of ${counted(state.messages.length, "message")}`;
    parts.none.hidden = found.length > 0;
    parts.list.hidden = found.length === 0;
    keep(parts.list, found.map((message) => ({ ...message, unread: !marks.has(message.id),
      current: message.id === state.chosen })), ({ id }) => id, listed);
  }
  function drawDetail() {
    const message = state.messages.find(({ id }) => id === state.chosen);
    parts.shown = message?.id;
    parts.body.toggleAttribute("data-open", Boolean(state.chosen));
    replace(parts.detail, h("a", { class: "back", href: `/console/inbox${location.search}` }, "← All messages"),
      message ? messageView(message) : nothing(state.chosen));
    parts.detail.scrollTop = 0;
    if (message) marks.add([message.id]);
  }

  async function refresh() {
    let messages;
    try {
      messages = await local("inbox?brief=true", { poll: true, signal });
    } catch (error) {
      if (!state.messages && !signal.aborted) parts.fail(error);
      throw error;
    }
    if (messages === state.messages || signal.aborted) return;
    announce(parts.news, state.messages, messages);
    state.messages = messages;
    marks.forgetOthers(messages.map(({ id }) => id));
    draw(false);
  }

  move({ rest, query });
  live(signal, 1000, refresh);
  return move;
}

const nothing = (chosen) => empty(...(chosen
  ? ["This message is gone", "The inbox was emptied, or it is of another stack."]
  : ["No message is open", "Choose one on the left."]));

function address({ chosen, q, channel }) {
  const query = new URLSearchParams({ ...(q && { q }), ...(channel && { channel }) }).toString();
  return `/console/inbox${chosen ? `/${encodeURIComponent(chosen)}` : ""}${query && `?${query}`}`;
}

function fitting({ messages, q, channel }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return messages.filter((message) => {
    const text = `${message.to} ${message.subject ?? ""} ${message.text ?? ""}`.toLowerCase();
    return (!channel || message.channel === channel) && words.every((word) => text.includes(word));
  });
}

/** Tells screen readers what arrived; the list shows it to everybody else. */
function announce(place, before, now) {
  if (!before) return;
  const known = new Set(before.map(({ id }) => id));
  const arrived = now.filter(({ id }) => !known.has(id));
  if (arrived.length === 0) return;
  place.textContent = arrived.length > 1 ? `${arrived.length} new messages`
    : `New: ${CHANNELS[arrived[0].channel]} to ${arrived[0].to}`;
}

/** A row of the list. */
function listed(message) {
  const { id, channel, to, sent_at, unread, current } = message;
  const found = codeIn(message);
  return h("li", { class: unread && "unread" },
    h("a", { href: `/console/inbox/${encodeURIComponent(id)}`, "aria-current": current && "true" },
      icon(channel), h("span", { class: "hidden" }, `${unread ? "Unread " : ""}${CHANNELS[channel] ?? channel} to `),
      h("bdi", { class: "to" }, to), time(sent_at), h("span", { class: "title", dir: "auto" }, titleOf(message))),
    found && copyButton(found, found, { "aria-label": `Copy the code ${found}`, title: "Copy the code" }));
}

/** Arrow keys go from row to row. */
function step(event) {
  const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const next = by && event.target.closest("li")?.[by]?.querySelector("a");
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function layout(state, { search, filter, readAll }) {
  const input = h("input", { type: "search", "aria-label": "Search by recipient, subject or text",
    placeholder: "Search", autocomplete: "off", on: { input: () => search(input.value.trim()) } });
  const channels = h("div");
  const clear = () => {
    Object.assign(state, { q: "", channel: "" });
    parts.show(state);
    search("");
  };
  const list = h("ol", { class: "items", tabindex: -1, "aria-label": "Messages", on: { keydown: step,
    click: ({ target }) => target.closest("a") && (target.closest("a").search = location.search) } });
  const count = h("p", { class: "none count" });
  const news = h("p", { class: "hidden", role: "status" });
  const none = empty("Nothing fits", "No message has these words and this channel.", button("Show all", clear));
  const detail = h("section", { class: "card detail", tabindex: -1, "aria-label": "Message" });
  const marked = button("Mark all as read", readAll);
  const body = h("div", { class: "inbox-body" });
  const bar = h("div", { class: "row inbox-bar" }, input, channels, count);
  const split = h("div", { class: "split list" }, h("div", { class: "stack" }, list, none), detail);
  const parts = { body, list, count, news, none, detail, readAll: marked,
    head: pageHead("Inbox", "Every email, text and call that was sent. They stay on this machine.", marked),
    show: ({ q, channel }) => {
      input.value = q;
      replace(channels, choice("Channel", FILTERS, channel, filter));
    },
    fill: (some) => some ? split.isConnected || replace(body, bar, split, news) : replace(body, noMessages(), news),
    fail: (error) => replace(body, problem({ title: "The inbox cannot be read.", detail: error.message })) };
  marked.disabled = true;
  return parts;
}

const noMessages = () => empty("No messages yet",
  "What your calls send arrives here instead of in a mailbox or on a phone.",
  h("div", { class: "actions" }, h("a", { class: "button", href: "/" }, "Send a code"),
    h("a", { class: "button", href: "/console/workflows/send_email_template" }, "Send an email")));
