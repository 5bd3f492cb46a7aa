/** A captured message as its reader sees it: an email, a text on a phone, or a call. */

import { local } from "./api.js";
import { h, replace } from "./dom.js";
import { count, counted } from "./format.js";
import { choice, code, copyButton, later, region, row, table, tabs, time } from "./parts.js";

export const CHANNELS = { email: "Email", sms: "SMS", whatsapp: "WhatsApp", voice: "Call" };

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  email: "M3.5 5.5h17v13h-17zM4 6.5l8 6.5 8-6.5",
  sms: "M4 5h16v11h-9l-4.5 3.5V16H4zM8 9h8M8 12h5",
  whatsapp: "M4 20l1.3-4A8 8 0 1 1 8.2 19zM9 9c0 4 2.5 6 6 6l.5-1.8-2-.9-1 .9c-1-.4-1.6-1.1-2-2l.9-1-.9-1.9z",
  voice: "M6 4h3.5l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5V18a2 2 0 0 1-2 2A14 14 0 0 1 4 6a2 2 0 0 1 2-2z",
};

export const titleOf = ({ subject, text }) => subject || (text ?? "").trim().split("\n")[0] || "No text";

const view = {
  width: matchMedia("(max-width: 820px)").matches ? "phone" : "desktop",
  scheme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
};

export const messageView = (message) => [
  h("header.message-head",
    h("h2", { dir: "auto", id: "message" }, message.channel === "email" ? titleOf(message)
      : `${CHANNELS[message.channel] ?? message.channel} to ${message.to}`),
    h("p.none", message.from && [h("bdi", message.from), " → "], h("bdi", message.to), " · ",
      time(message.sent_at))),
  bigCode(message.code),
  message.channel === "email" ? emailView(message) : message.channel === "voice" ? callView(message)
    : phoneView(message),
];

const bigCode = (found) => found && h(".row.big-code",
  h("p", h("span.hidden", "Code: "), found), copyButton(found, "Copy the code"));

function emailView(message) {
  const read = `inbox/${encodeURIComponent(message.id)}`;
  const source = () => local(`${read}/source`, { as: "text" });
  return tabs("Parts of the email", {
    HTML: () => htmlPart(read),
    Text: () => h(".as-written", code(message.text ?? "", "Text of the email")),
    Headers: () => later(source(), headers),
    Source: () => later(source(), (text) => [code(text, "Source of the email"), kept()]),
  });
}

function htmlPart(read) {
  const frame = h(".mail-frame", region("Email as its reader sees it"));
  const draw = () => {
    frame.dataset.width = view.width;
    replace(frame, sandboxed(`/_local/${read}/html?scheme=${view.scheme}`, "HTML of the email",
      { class: view.scheme }));
  };
  const chosen = (name) => (value) => {
    view[name] = value;
    draw();
  };
  draw();
  return h(".stack.html-part",
    h(".row",
      choice("Width", { desktop: "Desktop", phone: "Phone" }, view.width, chosen("width")),
      choice("Colours", { light: "Light", dark: "Dark" }, view.scheme, chosen("scheme"))),
    frame, later(local(`${read}/links`), links));
}

/** A document that strangers wrote: nothing in it runs, loads or leads away. */
export const sandboxed = (src, title, props = {}) =>
  h("iframe", { sandbox: "", referrerpolicy: "no-referrer", title, ...props, src });

const links = (found) => found.length > 0 && h("section", { label: "Links" },
  h("h3", counted(found.length, "link")),
  h("ul", found.map(({ text, url }) => h("li", text && h("span", { dir: "auto" }, text), " ",
    h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, url)))));

const kept = () => h("small", "Made of what the emulator keeps. SES adds headers of its own.");

function headers(source) {
  const { element, body } = table("Headers of the email", ["Name", "Value"]);
  const lines = source.split(/\r?\n\r?\n/, 1)[0].replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  replace(body, lines.map((line) => {
    const at = line.indexOf(":");
    return row(h("b", line.slice(0, at)), h("span.mono", line.slice(at + 1).trim()));
  }));
  return [element, kept()];
}

export const bubble = (text, from = "") => h("figure.handset",
  h("figcaption", from || "Text message"), h("p", { dir: "auto" }, text));

const phoneView = ({ text, from, segments }) =>
  h(".stack", bubble(text, from), segments && h("p.none", length(segments)));

/** "1 segment · GSM-7 · 92 characters": what the SMS costs. */
const length = ({ alphabet, units, count: many }) =>
  `${counted(many, "segment")} · ${alphabet} · ${count(units)} ${alphabet === "GSM-7" ? "septets" : "units"}`;

const callView = ({ text }) => h("figure", h("figcaption", "The call says"),
  (text ?? "").split("\n").map((said) => h("blockquote", { dir: "auto" }, said)));

/** The icon of a channel. It is decoration: a text beside it says the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name] ?? PATHS.sms);
  svg.append(path);
  return svg;
}
