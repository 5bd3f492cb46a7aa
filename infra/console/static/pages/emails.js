/** Emails: every template in every language, and one of them in all its looks. */

import { live, local, poll } from "../api.js";
import { go } from "../app.js";
import { h, keep, replace } from "../dom.js";
import { bubble, sandboxed } from "../message.js";
import { buttonTo, card, code, empty, pageHead, queryOf, region } from "../parts.js";

const LOOKS = [["phone", "light"], ["desktop", "light"], ["phone", "dark"], ["desktop", "dark"]];
const KEYS = { ArrowLeft: -1, ArrowRight: 1 };

const names = new Intl.DisplayNames(["en"], { type: "language", languageDisplay: "standard" });
const addressOf = (template, locale) => `/console/emails/${template}/${locale}`;
const readOf = (template, locale) => `emails/${template}/${locale}`;

const frameOf = (template, locale, scheme, digest, look, props) => sandboxed(
  `/_local/${readOf(template, locale)}/html?scheme=${scheme}&digest=${digest}`,
  `${template} in ${names.of(locale)}${look}`, { class: scheme, ...props });

/** Direction of a language; "auto" where the browser does not know. */
const directionOf = (locale) => new Intl.Locale(locale).getTextInfo?.().direction ?? "auto";

export function show(main, { rest, signal }) {
  let known;
  let template;
  let locale;
  const place = h(".stack");
  main.append(place);
  const draw = async () => {
    if (!known) return;
    if (template) await drawOne(place, known, template, locale ?? known.locales[0], signal);
    else drawAll(place, known, signal);
  };
  const move = ({ rest: next }) => {
    if (!place.firstChild || Boolean(template) !== Boolean(next[0])) {
      place.shown = "";
      replace(place, next[0] ? pageHead(next[0]) : [pageHead("Emails",
        "Every template in every language, made with its sample.json. "
        + "A change of a file in functions/core/messages shows here at once."), h(".gallery.stack")]);
    }
    [template, locale] = next;
    return draw();
  };
  addEventListener("keydown", (event) => known && template && step(event, known, template, locale), { signal });
  move({ rest });
  live(signal, async () => {
    const found = await poll("emails", signal);
    if (found === known) return;
    known = found;
    await draw();
  });
  return move;
}

function step(event, { locales }, template, locale) {
  const by = KEYS[event.key];
  const used = event.target.closest?.("input, textarea, select, pre, [role=tab], [tabindex='0']");
  if (!by || used || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const at = (locales.indexOf(locale) + by + locales.length) % locales.length;
  go(addressOf(template, locales[at]));
}

function drawAll(place, { templates, locales }, signal) {
  const gallery = place.querySelector(".gallery");
  if (!templates.length) {
    replace(gallery, empty("No templates", "A template is a folder in functions/core/messages/templates."));
  }
  keep(gallery, templates.map((name) => ({ name, locales })), ({ name }) => name, section);
  const seen = new IntersectionObserver((entries) => entries.filter((each) => each.isIntersecting)
    .forEach(({ target }) => {
      seen.unobserve(target);
      drawThumb(target, signal);
    }), { rootMargin: "200px" });
  gallery.querySelectorAll(".thumb").forEach((thumb) => seen.observe(thumb));
  signal.addEventListener("abort", () => seen.disconnect(), { once: true });
}

const section = ({ name, locales }) => h("section.card", { label: name }, h("h2", name), h("ul.thumbs", locales.map((locale) =>
    h("li", h("a", { href: addressOf(name, locale) },
      h("span.thumb", { "data-name": name, "data-locale": locale }),
      h("b", names.of(locale)), h("span.subject", { lang: locale, dir: "auto" }))))));

async function drawThumb(thumb, signal) {
  const { name, locale } = thumb.dataset;
  const email = await local(readOf(name, locale), { signal }).catch(() => undefined);
  if (!email || thumb.digest === email.digest) return;
  thumb.digest = email.digest;
  const { mistake } = email;
  thumb.parentElement.querySelector(".subject").textContent = mistake ? "Mistake" : email.subject;
  thumb.classList.toggle("mistake", Boolean(mistake));
  replace(thumb, mistake ? [h("b", placeOf(mistake)), h("span", mistake.message)]
    : frameOf(name, locale, "light", thumb.digest, "", { tabindex: -1, "aria-hidden": "true" }));
}

async function drawOne(place, { templates, locales }, template, locale, signal) {
  if (!templates.includes(template) || !locales.includes(locale)) {
    return replace(place, pageHead("There is no such email", `No template ${template} in ${locale}.`,
      buttonTo("/console/emails", "All emails")));
  }
  const email = await local(readOf(template, locale), { signal });
  const text = JSON.stringify([template, locale, email]);
  if (signal.aborted || place.shown === text) return;
  place.shown = text;
  const focused = document.activeElement?.getAttribute("href");
  const links = (label, values, address, name = (value) => value) => h("nav.choice", { label: label },
    values.map((value) => h("a", { href: address(value),
      "aria-current": (value === template || value === locale) && "true" }, name(value))));
  replace(place,
    h("div", h("p", h("a", { href: "/console/emails" }, "← All emails")),
      pageHead(template, undefined, buttonTo(senderOf(template, locale), "Send it", "send"))),
    h(".row", links("Templates", templates, (each) => addressOf(each, locale)),
      links("Languages", locales, (each) => addressOf(template, each), (each) => names.of(each)),
      h("small", "← and → change the language")),
    email.mistake ? mistakeOf(email.mistake) : looks(template, locale, email));
  if (focused) place.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

const senderOf = (template, locale) => (template === "verification" ? "/"
  : `/console/workflows/send_email_template${queryOf({ template, locale })}`);

const placeOf = ({ file, line }) => `${file || "Rendering"}${line ? `, line ${line}` : ""}`;

const mistakeOf = (mistake) => h(".problem", { role: "alert" },
  h("p", h("b", placeOf(mistake)), mistake.called_from && `, used in ${mistake.called_from}`),
  code(mistake.message, "Mistake"));

function looks(template, locale, { digest, from, subject, preheader, text, sms }) {
  const frame = ([width, scheme]) => {
    const look = `${width}, ${scheme}`;
    return h("figure", { class: `look ${width}` }, h("figcaption", look),
      h("div", { class: "frame", ...(width === "desktop" && region(look)) },
        frameOf(template, locale, scheme, digest, `, ${look}`)));
  };
  return [
    card("In a list of emails", h("p.inbox-line", { dir: directionOf(locale), lang: locale },
      h("bdi.from", nameIn(from)), h("span", h("b", h("bdi", subject)),
        preheader && h("span.none", " – ", h("bdi", preheader)))),
    h("p.none", "From ", h("bdi", from))),
    h(".looks", LOOKS.map(frame)),
    h(".split",
      card("Text", h(".as-written", { lang: locale }, code(text, "Text of the email"))),
      sms && card("SMS", h("div", { lang: locale }, bubble(sms))))];
}

/** "Our app" of "Our app <no-reply@example.com>". */
const nameIn = (from = "") => from.replace(/\s*<[^>]*>$/, "").replace(/^"(.*)"$/, "$1") || from;
