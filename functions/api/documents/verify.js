// @ts-self-types="./verify.d.ts"
// Sends and checks codes: a client, and the form <verify-code>. No dependency, no build step.
// verify.d.ts describes what is exported.

export class VerifyError extends Error {
  constructor(problem, options) {
    super(problem.detail, options);
    this.name = new.target.name;
    this.code = problem.code;
    this.status = problem.status ?? 0;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.retryAfter = problem.retry_after_seconds ?? null;
    this.requestId = problem.request_id ?? null;
  }
}
export class InvalidParameters extends VerifyError {}
export class LimitExceeded extends VerifyError {}
export class AttemptsExhausted extends VerifyError {}
export class ProviderRefused extends VerifyError {}
export class CountryNotAllowed extends VerifyError {}
export class LineTypeNotSupported extends VerifyError {}
export class Unavailable extends VerifyError {}
export class NetworkError extends VerifyError {}
export class Timeout extends NetworkError {}

const CLASSES = {
  invalid_parameters: InvalidParameters,
  limit_exceeded: LimitExceeded,
  attempts_exhausted: AttemptsExhausted,
  provider_refused: ProviderRefused,
  country_not_allowed: CountryNotAllowed,
  line_type_not_supported: LineTypeNotSupported,
  unavailable: Unavailable,
  provider_unavailable: Unavailable,
  too_slow: Unavailable,
  internal_error: Unavailable,
};

// API Gateway's own refusals have a status and no code.
const CODES = { 401: "not_authenticated", 403: "not_permitted", 404: "not_found", 429: "limit_exceeded" };

/** @type {typeof import("./verify.d.ts").createVerifyClient} */
export function createVerifyClient({
  token,
  url = import.meta.url.replace(/[^/]*([?#].*)?$/, ""),
  timeout = 30_000,
  fetch = (...request) => globalThis.fetch(...request),
}) {
  async function call(workflow, parameters, { signal, headers }) {
    const limit = AbortSignal.timeout(timeout);
    let response, body;
    try {
      response = await fetch(`${url.replace(/\/+$/, "")}/workflows/${workflow}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
        body: JSON.stringify(renamed(parameters, snakeCase)),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      body = await response.text();
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw notAnswered(cause, limit.aborted);
    }
    const result = parsed(body);
    if (!response.ok) throw problemOf(response, result);
    if (!result) throw notAnswered(body);
    // Positive when this device's clock is fast.
    const skew = Date.now() - Date.parse(response.headers.get("date")) || 0;
    return { ...renamed(result, camelCase), skew };
  }

  return {
    async send({ channel, to, ...rest }, { signal, idempotencyKey = newKey() } = {}) {
      const parameters = {
        channel: channel ?? (to.includes("@") ? "email" : "sms"),
        to,
        locale: globalThis.navigator?.languages?.join(),
        ...rest,
      };
      const headers = { "idempotency-key": idempotencyKey };
      const { skew, ...sent } = await call("verify_send", parameters, { signal, headers });
      const local = (time) => new Date(Date.parse(time) + skew);
      return { ...sent, expiresAt: local(sent.expiresAt), resendAt: local(sent.resendAt) };
    },

    async check({ verificationId, code }, { signal } = {}) {
      const parameters = { verificationId, code };
      const { skew, ...checked } = await call("verify_check", parameters, { signal });
      return checked;
    },
  };
}

function notAnswered(cause, late) {
  const detail = late ? "The API did not answer in time." : "The API could not be reached.";
  return late
    ? new Timeout({ code: "timeout", detail }, { cause })
    : new NetworkError({ code: "network_error", detail }, { cause });
}

function problemOf({ status, headers }, body) {
  const problem = {
    code: CODES[status] ?? (status < 500 ? "unknown" : "unavailable"),
    detail: body?.message ?? `The API answered ${status}.`,
    retry_after_seconds: Number(headers.get("retry-after")) || null,
    request_id: headers.get("x-request-id"),
    ...body,
    status,
  };
  return new (CLASSES[problem.code] ?? VerifyError)(problem);
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

// crypto.randomUUID exists only in secure contexts.
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const renamed = (object, as) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [as(name), value]));

// Domains that people mistype, and real ones that would be taken for a mistyped one.
const DOMAINS = `gmail.com googlemail.com yahoo.com ymail.com hotmail.com outlook.com live.com msn.com
icloud.com aol.com mail.com email.com proton.me protonmail.com gmx.de gmx.net gmx.com gmx.at gmx.ch web.de
t-online.de yahoo.fr hotmail.fr orange.fr wanadoo.fr laposte.net yahoo.es hotmail.es libero.it
yahoo.it hotmail.it yahoo.co.uk hotmail.co.uk outlook.de outlook.fr outlook.es yahoo.de hotmail.de
yahoo.co.jp docomo.ne.jp ezweb.ne.jp uol.com.br bol.com.br yahoo.com.br hotmail.com.br`.split(/\s+/);

/** @type {typeof import("./verify.d.ts").suggestEmail} */
export function suggestEmail(address) {
  const [, local, domain] = /^\s*(\S+)@(\S+\.\w\S*?)\s*$/.exec(address.toLowerCase()) ?? [];
  if (!domain || DOMAINS.includes(domain)) return null;
  const most = domain.length < 8 ? 1 : 2;
  const [near] = DOMAINS.map((each) => [distance(domain, each), each])
    .filter(([far]) => far <= most)
    .sort(([a], [b]) => a - b);
  const meant = near?.[1] ?? domain.replace(/\.(con|cmo|ocm|vom|xom|cim|comm|coom)$/, ".com");
  return meant === domain ? null : `${address.trim().slice(0, local.length)}@${meant}`;
}

// Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours.
function distance(a, b) {
  const rows = [[...b, 0].map((_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + differs);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** @type {typeof import("./verify.d.ts").messages} */
export const messages = {
  en: {
    email: "Email address",
    phone: "Phone number",
    emailHint: "Enter an email address, such as name@example.com.",
    phoneHint: "Enter a phone number with its country code, such as +44 20 7946 0958.",
    send: "Send code",
    suggestion: "Did you mean {to}?",
    sent: "Enter the code that we sent to {to}.",
    change: "Change",
    code: "Code",
    length: "The code has {length} characters.",
    check: "Verify",
    wrong: "This code is wrong. Attempts left: {attempts}",
    spent: "This code is no longer valid. Get a new one.",
    resend: "Send a new code",
    wait: "New code in {time}",
    limit: "Too many requests. Try again in {time}.",
    refused: "No code can be sent there. Use another one.",
    failed: "That did not work. Try again.",
    verified: "{to} is verified.",
  },
};

const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];

const STYLE = `
:host { display: block; max-width: 24rem; --_accent: var(--verify-accent, #2563eb);
  --_line: var(--verify-line, color-mix(in srgb, currentColor 50%, transparent));
  --_error: var(--verify-error, color-mix(in srgb, #dc2626 65%, currentColor));
  --_success: var(--verify-success, color-mix(in srgb, #16a34a 60%, currentColor)) }
:host([hidden]), [hidden] { display: none !important }
form, .step { display: grid; gap: .5rem }
p { margin: 0; text-wrap: pretty; overflow-wrap: anywhere }
label { font-weight: 600 }
input, button { box-sizing: border-box; font: inherit; color: inherit; min-height: 2.75rem;
  border-radius: var(--verify-radius, .5rem) }
input { width: 100%; padding: .5rem .75rem; background: transparent; border: 1px solid var(--_line);
  text-align: match-parent }
input[aria-invalid=true] { border-color: var(--_error) }
[part=code] { font-size: 1.375em; letter-spacing: .25em; font-variant-numeric: tabular-nums }
button { cursor: pointer; padding: .5rem .75rem; border: 0; background: none }
[part=button] { background: var(--_accent); color: var(--verify-on-accent, #fff); font-weight: 600 }
[part=link] { min-height: 1.5rem; padding: 0; text-align: start; justify-self: start;
  text-decoration: underline; text-underline-offset: .2em; font-variant-numeric: tabular-nums }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px }
:disabled, [aria-disabled=true] { cursor: default; opacity: .6; text-decoration: none }
[part=error] { color: var(--_error) }
[part=success] { color: var(--_success); font-weight: 600; outline: none }`;

class VerifyCode extends (globalThis.HTMLElement ?? class {}) {
  static formAssociated = true;
  static observedAttributes = ["channel", "disabled", "lang", "required", "to"];

  #internals = this.attachInternals();
  #sent = null;
  #checked = null;
  #problem = "";
  #busy = false;
  #turn = 0;
  #key = null;
  #exhausted = false;
  #tried = "";
  #ticking;
  #$ = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const $ = this.#$;
    const make = (tag, id, attributes = {}, ...children) => {
      const node = document.createElement(tag);
      for (const [name, value] of Object.entries({ id, ...attributes })) node.setAttribute(name, value);
      node.append(...children);
      return ($[id] = node);
    };
    const field = { dir: "ltr", "aria-describedby": "problem", "aria-required": "true" };
    const link = { type: "button", part: "link" };
    const typed = { ...field, part: "input", spellcheck: "false", autocapitalize: "none" };
    const code = { inputmode: "numeric", autocomplete: "one-time-code", autocapitalize: "characters" };
    make("form", "form", { novalidate: "", part: "form" },
      make("div", "address", { class: "step" },
        make("label", "toLabel", { for: "to", part: "label" }),
        make("input", "to", typed)),
      make("div", "entry", { class: "step" },
        make("p", "about", { part: "hint" }),
        make("button", "change", link),
        make("label", "codeLabel", { for: "code", part: "label" }),
        make("input", "code", { ...field, ...code, part: "code", spellcheck: "false" })),
      make("p", "problem", { role: "alert", part: "error" }),
      make("button", "submit", { part: "button" }),
      make("button", "suggestion", link),
      make("button", "resend", link));
    root.append($.form, make("p", "result", { role: "status", part: "success", tabindex: "-1" }));
    $.form.onsubmit = (event) => {
      event.preventDefault();
      this.#sent ? this.#check() : this.#send();
    };
    $.to.oninput = () => {
      this.#key = null;
      this.#render();
    };
    $.code.oninput = () => this.#isComplete() && $.code.value !== this.#tried && this.#check();
    $.resend.onclick = () => this.#send();
    $.change.onclick = () => this.#edit($.to.value);
    $.suggestion.onclick = () => this.#edit(suggestEmail($.to.value));
  }

  connectedCallback() {
    this.#$.to.value ||= this.getAttribute("to") ?? "";
    this.#render();
  }

  disconnectedCallback() {
    clearInterval(this.#ticking);
  }

  attributeChangedCallback(name, _, value) {
    if (name === "to" && !this.#sent) this.#$.to.value = value ?? "";
    if (this.isConnected) this.#render();
  }

  formDisabledCallback() {
    this.#render();
  }

  formResetCallback() {
    this.reset();
  }

  reset() {
    this.#start(this.getAttribute("to") ?? "");
  }

  get form() {
    return this.#internals.form;
  }

  get value() {
    return this.#checked && (this.#checked.proof ?? this.#checked.verificationId);
  }

  checkValidity() {
    return this.#internals.checkValidity();
  }

  reportValidity() {
    return this.#internals.reportValidity();
  }

  get #channel() {
    return this.getAttribute("channel") ?? "email";
  }

  get #lang() {
    return this.closest("[lang]")?.lang || globalThis.navigator.language;
  }

  get #client() {
    const url = this.getAttribute("url") ?? undefined;
    return this.client ?? createVerifyClient({ url, token: this.getAttribute("token") });
  }

  #start(to) {
    this.#turn++;
    this.#busy = false;
    this.#sent = this.#checked = this.#key = null;
    this.#problem = this.#$.code.value = "";
    this.#$.to.value = to;
    this.#render();
  }

  #edit(to) {
    this.#start(to);
    this.#$.to.focus();
  }

  #send() {
    const $ = this.#$;
    if (!$.to.value.trim()) return this.#refuse(`${this.#kind}Hint`);
    const replaced = this.#exhausted ? undefined : this.#sent?.verificationId;
    const attribute = (name) => this.getAttribute(name) ?? undefined;
    const parameters = {
      channel: this.#channel,
      to: $.to.value.trim(),
      country: attribute("country"),
      purpose: attribute("purpose"),
      nonce: attribute("proof-nonce"),
      locale: [this.#lang, ...navigator.languages].join(),
      resendOf: replaced,
    };
    // A repeated submit that no answer came to has the same key: it is the same one.
    this.#key ??= newKey();
    return this.#run(() => this.#client.send(parameters, { idempotencyKey: this.#key }), (sent) => {
      this.#sent = sent;
      this.#exhausted = false;
      $.code.value = this.#tried = "";
      this.#emit("verify-sent", sent);
    });
  }

  #check() {
    const $ = this.#$;
    const { verificationId } = this.#sent;
    if (!$.code.value.trim()) return this.#refuse("length");
    this.#tried = $.code.value;
    return this.#run(() => this.#client.check({ verificationId, code: $.code.value }), (checked) => {
      if (checked.valid) {
        this.#checked = { verificationId, ...checked };
        this.#emit("verify-valid", this.#checked);
      } else {
        this.#exhausted = !checked.attemptsLeft;
        this.#problem = this.#exhausted
          ? this.#say("spent")
          : this.#say("wrong", { attempts: checked.attemptsLeft });
      }
    });
  }

  // One request at a time. An answer that comes after a reset is dropped.
  async #run(request, use) {
    if (this.#busy) return;
    const turn = this.#turn;
    this.#busy = true;
    this.#problem = "";
    this.#render();
    try {
      const answer = await request();
      if (turn !== this.#turn) return;
      this.#key = null;
      use(answer);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#fail(error);
    }
    this.#busy = false;
    this.#render();
    this.#focus();
  }

  #fail(error) {
    if (!(error instanceof NetworkError)) this.#key = null;
    if (error instanceof AttemptsExhausted) this.#exhausted = true;
    if (error instanceof LimitExceeded && this.#sent)
      this.#sent.resendAt = new Date(Date.now() + error.retryAfter * 1000);
    this.#problem = this.#explain(error);
    this.#emit("verify-error", error);
  }

  #explain(error) {
    if (error instanceof LimitExceeded) return this.#say("limit", { time: this.#time(error.retryAfter) });
    if (error instanceof InvalidParameters) {
      const [{ pointer, detail }] = error.errors;
      if (pointer === "/code") return this.#say("length");
      return pointer === "/to" ? this.#say(`${this.#kind}Hint`) : detail;
    }
    const refused = [ProviderRefused, CountryNotAllowed, LineTypeNotSupported];
    if (refused.some((each) => error instanceof each)) return this.#say("refused");
    return this.#say("failed");
  }

  #refuse(key) {
    this.#problem = this.#say(key);
    this.#render();
    this.#focus();
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  get #kind() {
    return this.#channel === "email" ? "email" : "phone";
  }

  // Codes are digits; those of test destinations may have letters.
  #isComplete() {
    const typed = this.#$.code.value.normalize("NFKC");
    const length = this.#sent.codeLength;
    return [/\p{Nd}/gu, /[\p{Nd}a-z]/giu].some((each) => typed.match(each)?.length === length);
  }

  #focus() {
    const active = this.getRootNode().activeElement;
    if (active && active !== this && active !== document.body) return;
    const $ = this.#$;
    (this.#checked ? $.result : this.#sent ? $.code : $.to).focus();
    if (this.#problem && this.#sent) $.code.select();
  }

  #say(key, values) {
    const language = this.#lang.split("-")[0];
    const texts = { ...messages.en, ...messages[language], ...messages[this.#lang], ...this.messages };
    const given = { to: this.#$.to.value.trim(), length: this.#sent?.codeLength, ...values };
    // Isolated, since an address in a sentence from right to left keeps its own direction.
    return texts[key].replace(/\{(\w+)\}/g, (_, name) => `\u2068${given[name]}\u2069`);
  }

  #time(seconds) {
    const [unit, size] = seconds > 5400 ? ["hour", 3600] : seconds > 90 ? ["minute", 60] : ["second", 1];
    const style = { style: "unit", unit, unitDisplay: "long" };
    return new Intl.NumberFormat(this.#lang, style).format(Math.ceil(seconds / size));
  }

  #render() {
    const $ = this.#$;
    const [sent, checked, email] = [this.#sent, this.#checked, this.#kind === "email"];
    const disabled = this.matches(":disabled");
    const show = (id, shown, key) => {
      $[id].hidden = !shown;
      if (key) $[id].textContent = shown ? this.#say(key) : "";
    };
    $.form.dir = $.result.dir = RIGHT_TO_LEFT.includes(this.#lang.split("-")[0]) ? "rtl" : "ltr";
    $.to.type = $.to.inputMode = email ? "email" : "tel";
    $.to.autocomplete = email ? "email" : "tel";
    show("form", !checked);
    show("address", !sent);
    show("toLabel", true, this.#kind);
    show("entry", sent);
    show("about", sent, "sent");
    show("change", sent, "change");
    show("codeLabel", sent, "code");
    show("submit", true, sent ? "check" : "send");
    show("result", checked, "verified");
    this.#renderSuggestion();
    $.problem.textContent = this.#problem;
    $.problem.hidden = !this.#problem;
    for (const input of [$.to, $.code]) input.setAttribute("aria-invalid", Boolean(this.#problem));
    for (const each of $.form.elements) each.disabled = disabled;
    $.submit.setAttribute("aria-disabled", this.#busy);
    $.form.setAttribute("aria-busy", this.#busy);
    this.#renderResend();
    this.#report();
    clearInterval(this.#ticking);
    if (sent && !checked) this.#ticking = setInterval(() => this.#renderResend(), 1000);
  }

  #renderSuggestion() {
    const { to, suggestion } = this.#$;
    const meant = this.#kind === "email" ? suggestEmail(to.value) : null;
    // While it is being typed, "gmail.co" is on its way to "gmail.com".
    suggestion.hidden = !meant || (!this.#sent && meant.startsWith(to.value.trim()));
    suggestion.textContent = meant ? this.#say("suggestion", { to: meant }) : "";
  }

  #renderResend() {
    const { resend } = this.#$;
    const seconds = Math.ceil((this.#sent?.resendAt - Date.now()) / 1000);
    const waiting = seconds > 0;
    resend.hidden = !this.#sent;
    resend.disabled = waiting || this.matches(":disabled");
    resend.textContent = waiting ? this.#say("wait", { time: this.#time(seconds) }) : this.#say("resend");
  }

  // Form value and validity.
  #report() {
    this.#internals.setFormValue(this.value);
    const missing = this.hasAttribute("required") && !this.#checked;
    const [flags, text] = missing
      ? [{ valueMissing: true }, this.#say(this.#sent ? "sent" : `${this.#kind}Hint`)]
      : [{}, ""];
    this.#internals.setValidity(flags, text, this.#sent ? this.#$.code : this.#$.to);
  }
}

if (globalThis.customElements && !customElements.get("verify-code"))
  customElements.define("verify-code", VerifyCode);
