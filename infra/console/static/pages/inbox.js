/** Inbox: every captured message, newest first. */

import { live, poll } from "../api.js";
import { h, keep, put, replace } from "../dom.js";
import { textInput } from "../form.js";
import { counted } from "../format.js";
import { CHANNELS, icon, messageView, titleOf } from "../message.js";
import { button, buttonTo, choice, copyButton, empty, failure, pageHead, pathOf, queryOf, time } from "../parts.js";
import { store, stored } from "../stored.js";

const FILTERS = { "": "All", ...CHANNELS, voice: "Calls" };
const READ = "inbox.read";
const wide = matchMedia("(min-width: 821px)");

export function show(main, { rest, query, signal }) {
  const state = { messages: undefined, chosen: undefined, q: "", channel: "", read: new Set(stored(READ)) };
  const input = textInput({ type: "search", label: "Search by recipient, subject or text",
    placeholder: "Search", on: { input: () => filter({ q: input.value.trim() }) } });
  const channels = h("div");
  const count = h("p.none");
  const list = h("ol.items", { tabindex: -1, label: "Messages", on: { keydown: step,
    click: ({ target }) => target.closest("a") && (target.closest("a").search = location.search) } });
  const noMatch = empty("Nothing fits", "No message has these words and this channel.",
    button("Show all", () => {
      filter({ q: "", channel: "" });
      drawFilters();
    }));
  const detail = h("section.card.detail", { tabindex: -1, label: "Message" });
  const news = h("p.hidden", { role: "status" });
  const filters = h(".row.filters", input, channels, count);
  const split = h(".split.list", h(".stack", list, noMatch), detail);
  const body = h(".inbox-body");
  const allRead = button("Mark all as read", () => {
    markRead(state, state.messages);
    drawList();
  });
  main.append(
    pageHead("Inbox", "Every email, text and call that was sent. They stay on this machine.", allRead), body, news);

  function filter(change) {
    Object.assign(state, change);
    history.replaceState(null, "", addressOf(state));
    drawList();
  }
  function drawFilters() {
    input.value = state.q;
    replace(channels, choice("Channel", FILTERS, state.channel, (channel) => filter({ channel })));
  }

  function move({ rest: [id], query: asked }) {
    const changed = id !== state.chosen;
    Object.assign(state, { chosen: id, q: asked.get("q") ?? "", channel: asked.get("channel") ?? "" });
    drawFilters();
    draw(changed);
    if (changed && state.messages && !wide.matches) (id ? detail : list).focus();
  }

  function draw(anew) {
    if (!state.messages) return;
    put(body, state.messages.length ? [filters, split] : noMessages());
    if (!state.chosen && wide.matches && (state.chosen = fitting(state)[0]?.id)) {
      history.replaceState(null, "", addressOf(state));
    }
    const opened = anew || detail.shown !== state.chosen;
    if (opened) drawDetail();
    drawList();
    if (opened && wide.matches) list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }
  function drawList() {
    const { messages, chosen, read } = state;
    const found = fitting(state);
    const unread = messages.filter(({ id }) => !read.has(id)).length;
    allRead.disabled = unread === 0;
    document.title = `${unread ? `(${unread}) ` : ""}Inbox · backend workflows`;
    count.textContent = (found.length < messages.length ? `${found.length} of ` : "")
      + counted(messages.length, "message");
    noMatch.hidden = found.length > 0;
    list.hidden = found.length === 0;
    keep(list, found.map((message) => ({ ...message, unread: !read.has(message.id),
      current: message.id === chosen })), ({ id }) => id, itemOf);
  }
  function drawDetail() {
    const message = state.messages.find(({ id }) => id === state.chosen);
    detail.shown = message?.id;
    body.toggleAttribute("data-open", Boolean(state.chosen));
    replace(detail, h("a.back", { href: `/console/inbox${location.search}` }, "← All messages"),
      message ? messageView(message) : empty(...(state.chosen
        ? ["This message is gone", "The inbox was emptied, or it is of another stack."]
        : ["No message is open", "Choose one on the left."])));
    detail.scrollTop = 0;
    if (message) markRead(state, [message]);
  }

  allRead.disabled = true;
  move({ rest, query });
  live(signal, async () => {
    try {
      const messages = await poll("inbox?brief=true", signal);
      if (messages === state.messages || signal.aborted) return;
      announce(news, state.messages, messages);
      state.messages = messages;
      markRead(state, []);
      draw(false);
    } catch (error) {
      if (!state.messages && !signal.aborted) replace(body, failure(error));
      throw error;
    }
  });
  return move;
}

function markRead(state, messages) {
  messages.forEach(({ id }) => state.read.add(id));
  const known = new Set(state.messages.map(({ id }) => id));
  state.read = new Set([...state.read].filter((id) => known.has(id)));
  store(READ, [...state.read]);
}

const addressOf = ({ chosen, q, channel }) =>
  (chosen ? pathOf("inbox", chosen) : "/console/inbox") + queryOf({ q, channel });

function fitting({ messages, q, channel }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return messages.filter((message) => {
    const text = `${message.to} ${message.subject ?? ""} ${message.text ?? ""}`.toLowerCase();
    return (!channel || message.channel === channel) && words.every((word) => text.includes(word));
  });
}

/** Tells screen readers what arrived; the list shows it to everybody else. */
function announce(place, before, now) {
  const known = new Set(before?.map(({ id }) => id));
  const arrived = now.filter(({ id }) => !known.has(id));
  if (!before || !arrived.length) return;
  place.textContent = arrived.length > 1 ? `${arrived.length} new messages`
    : `New: ${CHANNELS[arrived[0].channel]} to ${arrived[0].to}`;
}

function itemOf(message) {
  const { id, channel, to, sent_at, unread, current, code } = message;
  return h("li", { class: unread && "unread" },
    h("a", { href: pathOf("inbox", id), "aria-current": current && "true" },
      icon(channel), h("span.hidden", `${unread ? "Unread " : ""}${CHANNELS[channel] ?? channel} to `),
      h("bdi.to", to), time(sent_at), h("span.title", { dir: "auto" }, titleOf(message))),
    code && copyButton(code, code, { label: `Copy the code ${code}`, title: "Copy the code" }));
}

function step(event) {
  const by = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  const next = by && event.target.closest("li")?.[by]?.querySelector("a");
  if (!next) return;
  event.preventDefault();
  next.focus();
}

const noMessages = () => empty("No messages yet",
  "What your calls send arrives here, not in a mailbox or on a phone.",
  h(".actions", buttonTo("/", "Send a code"),
    buttonTo("/console/workflows/send_email_template", "Send an email")));
