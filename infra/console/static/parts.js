/** Parts that pages are made of. */

import { asCurl, asFetch, asText } from "./api.js";
import { h, keep, replace } from "./dom.js";
import { ago, duration, left, moment } from "./format.js";

export const pageHead = (title, lead, ...actions) =>
  h(".head", h("div", h("h1", title), lead && h("p.lead", lead)), h(".actions", actions));

export const pathOf = (page, id) => `/console/${page}/${encodeURIComponent(id)}`;

export const linkTo = (page, id, label = id) => h("a", { href: pathOf(page, id) }, label);

export const buttonTo = (href, label, kind = "") => h("a", { class: `button ${kind}`, href }, label);

export const backTo = (page) => h("p", h("a", { href: `/console/${page}` }, `All ${page}`));

/** "?" and the values that are not empty, as a query; "" without one. */
export function queryOf(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return query.size ? `?${query}` : "";
}

export const card = (title, ...children) => h("section.card", h("h2", title), children);

export const section = (title, ...children) => h("section.stack", h("h2", title), children);

const TONES = { running: "info", succeeded: "good", started: "good", delivered: "good", verified: "good",
  partly_failed: "warn", waiting: "warn", failed: "bad", refused: "bad", paused: "warn" };

/** A status as a word in its colour; for a number, that of an HTTP status. */
export function pill(status, tone = TONES[status]) {
  const http = typeof status === "number" && (status < 400 ? "good" : status < 500 ? "warn" : "bad");
  return h("span", { class: `pill ${http || tone || "quiet"}` },
    `${status}`.replace("_", " "));
}

export const empty = (title, hint, ...actions) =>
  h(".empty", h("h2", title), h("p", hint), actions);

/** Shows a problem, and again only when it is another one: it is read aloud. */
export const refused = (place, body) =>
  keep(place, [{ ...body, request_id: "" }], () => "problem", () => problem(body));

/** A problem in a line. */
export const wrongOf = ({ code: name, detail }) => [h("code", name), ` ${detail ?? ""}`];

export const failure = ({ message }) => h("p.error", { role: "alert" }, message);

/** What a promise becomes, once it is there; or why not. */
export function later(reading, made) {
  const place = h(".stack.later");
  reading.then((got) => replace(place, made(got)), (error) => replace(place, failure(error)));
  return place;
}

/** Something that unfolds. Its content is made when it is first opened. */
export function fold(summary, content) {
  const inside = h(".inside.stack");
  const toggle = () => inside.childElementCount || replace(inside, content());
  return h("details", { on: { toggle } }, h("summary", summary), inside);
}

export const button = (label, click, kind = "", props = {}) =>
  h("button", { type: "button", class: kind, on: { click }, ...props }, label);

/** A button that waits for its work: it cannot be pressed twice, and tells a failure. */
export function working(label, work, kind = "", props = {}) {
  const made = button(label, async () => {
    made.disabled = true;
    try {
      await work();
    } catch (error) {
      say(error.message);
    } finally {
      made.disabled = false;
      // A button that cannot be pressed loses its focus.
      if (document.activeElement === document.body) made.focus();
    }
  }, kind, props);
  return made;
}

/** A primary button, and below it what its work gives, or its failure. */
export function submit(label, work) {
  const out = h(".stack", { "aria-live": "polite" });
  return [h(".actions", working(label, () => {
    replace(out);
    return work().then((made) => replace(out, made), (error) => replace(out, failure(error)));
  }, "primary")), out];
}

export function say(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  clearTimeout(said.timer);
  said.timer = setTimeout(() => (said.textContent = ""), 4000);
}

export const copyButton = (text, label = "Copy", props = {}) => button(label, async () => {
  await navigator.clipboard.writeText(text);
  say("Copied");
}, "quiet copy", props);

/** Attributes of something that scrolls: keys reach it, and it has a name. */
export const region = (label) => ({ tabindex: 0, role: "region", label });

export const code = (text, label = "Code") =>
  h(".code", h("pre", region(label), text), copyButton(text));

export const headerLines = (headers, label) => code(headers.map((each) => each.join(": ")).join("\n"), label);

export const json = (value, label) => code(asText(value, 2), label);

const clock = (name, words) => (iso) => (iso
  ? h("time", { datetime: iso, title: moment(iso), [`data-${name}`]: true }, words(iso)) : h("span.none", "–"));

/** A time, relative, and the time that is left; the whole time on hover. The shell keeps both current. */
export const time = clock("ago", ago);
export const until = clock("left", left);

let ids = 0;
export const newId = (prefix = "id") => `${prefix}-${++ids}`;

/** Tabs (WAI-ARIA): arrow keys change the tab. `panels` makes the content, by name. */
export function tabs(label, panels, first) {
  const panel = h("div", { role: "tabpanel", id: newId("panel"), tabindex: 0 });
  const made = Object.keys(panels).map((name) => h("button", {
    type: "button", role: "tab", id: newId("tab"), "aria-controls": panel.id,
    on: { click: () => choose(name), keydown: move },
  }, name));
  const choose = (name) => {
    for (const tab of made) {
      const chosen = tab.textContent === name;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) panel.setAttribute("aria-labelledby", tab.id);
    }
    replace(panel, panels[name]());
  };
  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = made[(made.indexOf(event.target) + step + made.length) % made.length];
    next.focus();
    next.click();
  }
  choose(first in panels ? first : Object.keys(panels)[0]);
  return h(".tabs", h("div", { role: "tablist", label }, made), panel);
}

const logOf = (requestId) => requestId && linkTo("requests", requestId, "Log of this request");

export function problem(body) {
  return h(".problem", { role: "alert" },
    h("p", h("b", body.title ?? "The call failed"), " ", body.code && h("code", body.code)),
    body.errors?.length > 1
      ? h("ul", body.errors.map((each) => h("li", h("code", each.pointer), " ", each.detail)))
      : h("p", body.detail ?? body.message ?? String(body)),
    body.retry_after_seconds > 0 &&
      h("p", `It can pass again in ${duration(body.retry_after_seconds * 1000)}.`),
    h("p", logOf(body.request_id)));
}

export const answer = (got) => h("section.stack", { label: "Answer" },
  h("p.row", pill(got.status), h("span.none", `${got.ms} ms`),
    got.ok && logOf(got.headers.get("x-request-id"))),
  !got.ok && typeof got.body === "object" && problem(got.body), json(got.body, "Body of the answer"));

let language = "curl";

/** A request as curl and as JavaScript, to copy; in the language that was chosen last. */
export function requestCode(request) {
  const shown = (name, text, label) => {
    language = name;
    return code(text, label);
  };
  return tabs("This request as", {
    curl: () => shown("curl", asCurl(request), "curl command"),
    fetch: () => shown("fetch", asFetch(request), "JavaScript"),
  }, language);
}

/** A table, and its body to fill with rows. A column without a heading has "". */
export function table(label, columns) {
  const body = h("tbody");
  const head = columns.map((name) => (name ? h("th", { scope: "col" }, name) : h("td")));
  const element = h(".scroll", region(label), h("table", h("thead", h("tr", head)), body));
  return { element, body };
}

export const row = (...cells) => h("tr", cells.map((cell) => h("td", cell)));

/** A labelled control with a hint below it, and a place for its error, which `mark` fills. */
export function field(label, control, hint) {
  const id = (control.id ||= newId("field"));
  control.error = h("p.error", { id: `${id}-error` });
  control.setAttribute("aria-describedby", `${hint ? `${id}-hint ` : ""}${id}-error`);
  return h(".field", h("label", { for: id }, label), control,
    hint && h("small", { id: `${id}-hint` }, hint), control.error);
}

export function mark(control, detail) {
  control.error.textContent = detail;
  if (detail) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

export function choice(label, values, chosen, choose) {
  const buttons = Object.entries(values).map(([value, name]) => button(name, () => {
    press(value);
    choose(value);
  }, "", { "data-value": value }));
  const press = (value) =>
    buttons.forEach((each) => each.setAttribute("aria-pressed", each.dataset.value === value));
  press(chosen);
  return h(".choice", { role: "group", label }, buttons);
}

export const facts = (pairs) => h("dl.facts",
  Object.entries(pairs).filter(([, value]) => value).map(([name, value]) =>
    h("div", h("dt", name), h("dd", value))));

export const logLines = (lines) => h("ol.log", lines.map((line) =>
  h("li", { class: line.level.toLowerCase() },
    h("p", h("time", { datetime: line.at }, line.at.slice(11, 23)), " ",
      h("b", line.level), " ", h("span", `${line.about}: ${line.message}`)),
    Object.keys(line.keys).length > 0 && h("small", Object.entries(line.keys)
      .map(([name, value]) => `${name}=${asText(value)}`).join("  ")),
    line.traceback && h("pre", region(`Traceback of ${line.at}`), line.traceback))));

/** Asks before something that cannot be undone; resolves to whether to do it. */
export function confirmed(question, yes, more) {
  return new Promise((done) => {
    const dialog = h("dialog", { label: question, on: { close: () => {
      dialog.remove();
      done(dialog.returnValue === "yes");
    } } }, h("form.stack", { method: "dialog" }, h("p", question), more, h(".actions",
      h("button", { value: "no" }, "Keep it"), h("button", { value: "yes", class: "danger" }, yes))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
