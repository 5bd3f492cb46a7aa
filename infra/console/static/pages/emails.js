/** Emails: every template in every language, and one of them in all its looks. */

import { live, local } from "../api.js";
import { go } from "../app.js";
import { h, keep, replace } from "../dom.js";
import { bubble, sandboxed } from "../message.js";
import { code, empty, pageHead } from "../parts.js";

const LOOKS = [["phone", "light"], ["desktop", "light"], ["phone", "dark"], ["desktop", "dark"]];
const names = new Intl.DisplayNames(["en"], { type: "language", languageDisplay: "standard" });
const KEYS = { ArrowLeft: -1, ArrowRight: 1 };

const addressOf = (template, locale) => `/console/emails/${template}/${locale}`;
const readOf = (template, locale) => `emails/${template}/${locale}`;
const htmlOf = (template, locale, scheme, stamp) =>
  `/_local/${readOf(template, locale)}/html?scheme=${scheme}&stamp=${stamp}`;

/** Direction of a language; "auto" where the browser does not know. */
const directionOf = (tag) => {
  const locale = new Intl.Locale(tag);
  return (locale.getTextInfo?.() ?? locale.textInfo)?.direction ?? "auto";
};

export function show(main, { rest, signal }) {
  let known;
  let [template, locale] = rest;
  const place = h("div", { class: "stack emails-body" });
  main.append(place);
  const draw = async () => {
    if (!known) return;
    if (!template) return drawAll(place, known, signal);
    await drawOne(place, known, template, locale ?? known.locales[0], signal);
  };
  addEventListener("keydown", (event) => known && template && step(event, known, template, locale), { signal });
  live(signal, 700, async () => {
    const found = await local("emails", { poll: true, signal });
    if (found === known) return;
    known = found;
    await draw();
  });
  return ({ rest: next }) => {
    const before = template;
    [template, locale] = next;
    if (Boolean(before) !== Boolean(template)) replace(place);
    return draw();
  };
}

/** Left and right go to the previous and the next language. */
function step(event, { locales }, template, locale) {
  const by = KEYS[event.key];
  const used = event.target.closest?.("input, textarea, select, pre, [role=tab], [tabindex='0']");
  if (!by || used || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const at = (locales.indexOf(locale) + by + locales.length) % locales.length;
  go(addressOf(template, locales[at]));
}

/* All emails */

function drawAll(place, { templates, locales, stamp }, signal) {
  if (!place.querySelector(".gallery")) {
    replace(place, pageHead("Emails", "Every template in every language, made with its sample.json. "
      + "A change of a file in functions/core/messages shows here at once."), h("div", { class: "gallery stack" }));
  }
  const gallery = place.querySelector(".gallery");
  if (!templates.length) return replace(gallery, noTemplates());
  keep(gallery, templates.map((name) => ({ name, locales })), ({ name }) => name, section);
  const seen = new IntersectionObserver((entries) => entries.filter((each) => each.isIntersecting)
    .forEach(({ target }) => {
      seen.unobserve(target);
      drawThumb(target, stamp, signal);
    }), { rootMargin: "200px" });
  gallery.querySelectorAll(".thumb").forEach((thumb) => seen.observe(thumb));
  signal.addEventListener("abort", () => seen.disconnect(), { once: true });
}

const noTemplates = () => empty("No templates", "A template is a folder in functions/core/messages/templates.");

const section = ({ name, locales }) => h("section", { class: "card", "aria-labelledby": `of-${name}` },
  h("h2", { id: `of-${name}` }, name), h("ul", { class: "thumbs" }, locales.map((locale) =>
    h("li", {}, h("a", { href: addressOf(name, locale) },
      h("span", { class: "thumb", "data-name": name, "data-locale": locale }),
      h("b", {}, names.of(locale)), h("span", { class: "subject", lang: locale, dir: "auto" }))))));

/** Fills a thumbnail; one that has not changed keeps its frame. */
async function drawThumb(thumb, stamp, signal) {
  const { name, locale } = thumb.dataset;
  const email = await local(readOf(name, locale), { signal }).catch(() => undefined);
  if (!email || thumb.digest === (email.digest ?? stamp)) return;
  thumb.digest = email.digest ?? stamp;
  const { mistake } = email;
  thumb.parentElement.querySelector(".subject").textContent = mistake ? "Mistake" : email.subject;
  thumb.classList.toggle("mistake", Boolean(mistake));
  replace(thumb, mistake ? [h("b", {}, placeOf(mistake)), h("span", {}, mistake.message)]
    : sandboxed(htmlOf(name, locale, "light", thumb.digest), `${name} in ${names.of(locale)}`,
      { tabindex: -1, class: "light", "aria-hidden": "true" }));
}

/* One email */

async function drawOne(place, { templates, locales, stamp }, template, locale, signal) {
  if (!templates.includes(template) || !locales.includes(locale)) {
    return replace(place, empty("There is no such email", `No template ${template} in ${locale}.`,
      h("a", { class: "button", href: "/console/emails" }, "All emails")));
  }
  const email = await local(readOf(template, locale), { signal });
  const key = `${template} ${locale} ${email.digest ?? stamp} ${JSON.stringify(email)}`;
  if (signal.aborted || place.shown === key && place.querySelector(".email")) return;
  place.shown = key;
  const focused = document.activeElement?.getAttribute("href");
  const links = (label, values, address, name = (value) => value) => h("nav", { class: "choice", "aria-label": label },
    values.map((value) => h("a", { href: address(value),
      "aria-current": (value === template || value === locale) && "true" }, name(value))));
  replace(place,
    h("div", {}, h("p", {}, h("a", { href: "/console/emails" }, "← All emails")),
      pageHead(template, undefined, sendLink(template))),
    h("div", { class: "row" }, links("Templates", templates, (each) => addressOf(each, locale)),
      links("Languages", locales, (each) => addressOf(template, each), (each) => names.of(each)),
      h("small", {}, "← and → change the language")),
    email.mistake ? mistakeOf(email.mistake) : looks(template, locale, email, stamp));
  if (focused) place.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

const sendLink = (template) => h("a", { class: "button send",
  href: template === "verification" ? "/" : "/console/workflows/send_email_template" }, "Send it");

const placeOf = ({ file, line }) => `${file || "Rendering"}${line ? `, line ${line}` : ""}`;

const mistakeOf = (mistake) => h("div", { class: "problem email", role: "alert" },
  h("p", {}, h("b", {}, placeOf(mistake)), mistake.called_from && `, used in ${mistake.called_from}`),
  code(mistake.message, "Mistake"));

function looks(template, locale, email, stamp) {
  const dir = directionOf(locale);
  const frame = ([width, scheme]) => h("figure", { class: `look ${width}` },
    h("figcaption", {}, `${width === "phone" ? "Phone" : "Desktop"}, ${scheme}`),
    h("div", { class: "frame", ...(width === "desktop" && { tabindex: 0, role: "region",
      "aria-label": `Desktop, ${scheme}` }) },
    sandboxed(htmlOf(template, locale, scheme, email.digest ?? stamp),
      `${template} in ${names.of(locale)}, ${width}, ${scheme}`, { class: scheme })));
  return h("div", { class: "stack email" },
    h("section", { class: "card" }, h("h2", {}, "In a list of emails"), h("p", { class: "inbox-line", dir, lang: locale },
      h("bdi", { class: "from" }, senderOf(email.from)), h("span", {}, h("b", {}, h("bdi", {}, email.subject)),
        email.preheader && h("span", { class: "none" }, " – ", h("bdi", {}, email.preheader)))),
    h("p", { class: "none" }, "From ", h("bdi", {}, email.from))),
    h("div", { class: "looks" }, LOOKS.map(frame)),
    h("div", { class: "split" },
      h("section", { class: "card" }, h("h2", {}, "Text"), h("div", { class: "as-written", lang: locale }, code(email.text, "Text of the email"))),
      email.sms && h("section", { class: "card" }, h("h2", {}, "SMS"), h("div", { lang: locale }, bubble(email.sms)))));
}

/** "Our app" of "Our app <no-reply@example.com>". */
const senderOf = (from = "") => from.replace(/\s*<[^>]*>$/, "").replace(/^"(.*)"$/, "$1") || from;
