// @ts-self-types="./verify.d.ts"
// Sends and checks codes: a client, and the form <verify-code>. No dependency, no build step.
// verify.d.ts describes what is exported; verify-messages.js has more languages.

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
export class CaptchaFailed extends VerifyError {}
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
  captcha_failed: CaptchaFailed,
  unavailable: Unavailable,
  provider_unavailable: Unavailable,
  too_slow: Unavailable,
  internal_error: Unavailable,
};

// API Gateway's own refusals have a status and no code.
const CODES = {
  401: "not_authenticated",
  403: "not_permitted",
  404: "not_found",
  429: "limit_exceeded",
};

/** @type {typeof import("./verify.d.ts").createVerifyClient} */
export function createVerifyClient({
  token,
  url = import.meta.url.replace(/[^/]*([?#].*)?$/, ""),
  timeout = 30_000,
  fetch = (input, init) => globalThis.fetch(input, init),
}) {
  async function call(workflow, parameters, { signal, headers = {} }) {
    const limit = AbortSignal.timeout(timeout);
    let response, body;
    try {
      response = await fetch(`${url.replace(/\/+$/, "")}/workflows/${workflow}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          ...headers,
        },
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
    return renamed(result, camelCase);
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
      const sent = await call("verify_send", parameters, { signal, headers });
      // By this device's clock, which may be wrong.
      const after = (seconds) => new Date(Date.now() + seconds * 1000);
      const times = {
        expiresAt: after(sent.expiresInSeconds),
        resendAt: after(sent.resendInSeconds),
      };
      return { ...sent, ...times };
    },

    async check({ verificationId, code }, { signal, idempotencyKey = newKey() } = {}) {
      const headers = { "idempotency-key": idempotencyKey };
      return call("verify_check", { verificationId, code }, { signal, headers });
    },

    async status({ verificationId }, { signal } = {}) {
      return call("verify_status", { verificationId }, { signal });
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

/** @type {typeof import("./verify.d.ts").readLink} */
export function readLink() {
  const { hash, pathname, search } = location;
  const [id, code] = ["verification_id", "code"].map((name) =>
    new URLSearchParams(hash.slice(1)).get(name),
  );
  if (!id || !code) return null;
  history.replaceState(history.state, "", pathname + search);
  return { verificationId: id, code };
}

// Domains that people mistype, and real ones that look like one of them.
const DOMAINS = `gmail.com googlemail.com yahoo.com ymail.com hotmail.com outlook.com live.com
msn.com icloud.com aol.com mail.com email.com proton.me protonmail.com gmx.de gmx.net gmx.com
gmx.at gmx.ch web.de t-online.de outlook.de hotmail.de yahoo.de orange.fr free.fr wanadoo.fr
laposte.net outlook.fr hotmail.fr yahoo.fr outlook.es hotmail.es yahoo.es libero.it hotmail.it
yahoo.it hotmail.co.uk yahoo.co.uk uol.com.br bol.com.br yahoo.com.br yahoo.co.jp docomo.ne.jp
ezweb.ne.jp`.split(/\s+/);

/** @type {typeof import("./verify.d.ts").suggestEmail} */
export function suggestEmail(address) {
  const [, local, typed] = /^\s*(\S+@)(\S+\.\w+)\s*$/.exec(address) ?? [];
  const domain = typed?.toLowerCase();
  if (!domain || DOMAINS.includes(domain)) return null;
  const meant =
    DOMAINS.find((each) => isNear(domain, each, 1)) ??
    DOMAINS.find((each) => each.length > 8 && isNear(domain, each, 2)) ??
    domain.replace(/\.(con|cmo|ocm|vom|xom|cim|comm|coom)$/, ".com");
  return meant === domain ? null : local + meant;
}

// Whether so many edits turn a into b: a letter more, less or other, or two neighbours swapped.
function isNear(a, b, edits) {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  if (!edits || !restA || !restB) return Math.max(restA.length, restB.length) <= edits;
  const swapped = restA[0] === restB[1] && restA[1] === restB[0];
  return (
    isNear(restA.slice(1), restB, edits - 1) ||
    isNear(restA, restB.slice(1), edits - 1) ||
    isNear(restA.slice(1), restB.slice(1), edits - 1) ||
    (swapped && isNear(restA.slice(2), restB.slice(2), edits - 1))
  );
}

const STYLE = `
:host { display: block; max-width: 24rem; line-height: 1.5; --_accent: var(--verify-accent, #2563eb);
  --_line: var(--verify-line, color-mix(in srgb, currentColor 45%, transparent));
  --_error: var(--verify-error, color-mix(in srgb, #dc2626 65%, currentColor));
  --_success: var(--verify-success, color-mix(in srgb, #16a34a 60%, currentColor)) }
:host([hidden]), [hidden], p:empty { display: none !important }
form { display: grid; gap: .75rem }
p { margin: 0; text-wrap: pretty; overflow-wrap: anywhere }
label { display: block; margin-bottom: .375rem; font-weight: 600 }
input, button { box-sizing: border-box; font: inherit; color: inherit; background: none }
input, [part=button] { width: 100%; min-height: 2.75rem; padding: .5rem .75rem;
  border: 1px solid var(--_line); border-radius: var(--verify-radius, .5rem) }
[dir=rtl] input { text-align: right }
input[aria-invalid=true] { border-color: var(--_error) }
[part=code] { font-size: 1.375em; letter-spacing: .25em; font-variant-numeric: tabular-nums }
button { cursor: pointer }
[part=button] { border-color: #0000; background: var(--_accent); font-weight: 600;
  color: var(--verify-on-accent, #fff) }
[part=link] { justify-self: start; min-height: 1.5rem; padding: 0; border: 0; text-align: start;
  text-decoration: underline; text-underline-offset: .2em; font-variant-numeric: tabular-nums }
.row { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; justify-content: space-between }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px }
input:focus-visible { outline-offset: -1px }
:disabled, [aria-disabled=true] { cursor: default; opacity: .65; text-decoration: none }
[part=error] { color: var(--_error) }
[part=success] { color: var(--_success); font-weight: 600; outline: none }
[part=success]::before { content: "\\2713\\a0" / "" }`;

// No problem. A problem is the key of a text and the values in it.
const NONE = [];

// Where pages are rendered on a server, there are no elements.
const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {});

class VerifyCode extends Base {
  static formAssociated = true;
  static observedAttributes = ["channel", "lang", "required", "to"];

  #internals = this.attachInternals();
  #$ = elements();
  #sent = null;
  #left = null;
  #checked = null;
  #problem = NONE;
  #busy = false;
  #turn = 0;
  #key;
  #tried;
  #ticking;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    const [$, sheet] = [this.#$, new CSSStyleSheet()];
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append($.form, $.result);
    $.form.onsubmit = (event) => {
      event.preventDefault();
      this.#sent ? this.#check() : this.#send();
    };
    $.to.oninput = () => {
      this.#key = null;
      this.#render();
    };
    $.code.oninput = () => {
      this.#key = null;
      if (this.#isComplete()) this.#check();
    };
    $.resend.onclick = () => this.#send();
    $.change.onclick = () => this.#edit($.to.value);
    $.suggestion.onclick = () => this.#edit(suggestEmail($.to.value));
  }

  connectedCallback() {
    this.#$.to.value ||= this.getAttribute("to");
    this.#render();
    // Once more with the texts of verify-messages.js, which runs after this module.
    queueMicrotask(() => this.isConnected && this.#render());
  }

  disconnectedCallback() {
    clearInterval(this.#ticking);
  }

  attributeChangedCallback(name, _, value) {
    if (name === "to" && !this.#sent) this.#$.to.value = value;
    if (this.isConnected) this.#render();
  }

  formDisabledCallback() {
    this.#render();
  }

  formResetCallback() {
    this.reset();
  }

  get value() {
    return this.#checked && (this.#checked.proof ?? this.#checked.verificationId);
  }

  reset() {
    this.#start(this.getAttribute("to"));
  }

  #start(to) {
    this.#turn++;
    this.#sent = this.#left = this.#checked = this.#key = this.#tried = null;
    this.#problem = NONE;
    this.#busy = false;
    this.#$.code.value = "";
    this.#$.to.value = to;
    this.#render();
  }

  #edit(to) {
    const left = this.#sent;
    this.#start(to);
    this.#left = left;
    this.#$.to.focus();
  }

  get #channel() {
    return this.getAttribute("channel") ?? "email";
  }

  get #hint() {
    return this.#channel === "email" ? "emailHint" : "phoneHint";
  }

  get #lang() {
    const given = this.closest("[lang]")?.getAttribute("lang") || navigator.language;
    return /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i.test(given) ? given : "en";
  }

  // Properties that a page may set, also before this class is there.
  get #own() {
    return /** @type {import("./verify.d.ts").VerifyCodeElement} */ (/** @type {any} */ (this));
  }

  get #client() {
    const [token, url] = [this.getAttribute("token"), this.getAttribute("url") ?? undefined];
    return this.#own.client ?? createVerifyClient({ token, url });
  }

  #send() {
    const to = this.#$.to.value.trim();
    if (!to) return this.#show([this.#hint]);
    // Back at the same address, the code that is on its way there still counts.
    if (this.#left?.typed === to && this.#left.resendAt > Date.now()) return this.#return();
    const parameters = /** @type {import("./verify.d.ts").SendParameters} */ ({
      channel: this.#channel,
      to,
      country: this.getAttribute("country"),
      purpose: this.getAttribute("purpose"),
      nonce: this.getAttribute("proof-nonce"),
      locale: [this.#lang, ...navigator.languages].join(),
      resendOf: this.#sent?.attemptsLeft === 0 ? null : this.#sent?.verificationId,
    });
    // A submit that is repeated because no answer came is the same one: it has the same key.
    const idempotencyKey = (this.#key ??= newKey());
    const send = async () => {
      const captchaToken = await this.#own.captcha?.();
      return this.#client.send({ ...parameters, captchaToken }, { idempotencyKey });
    };
    this.#run(send, (sent) => {
      this.#sent = { ...sent, typed: to };
      this.#$.code.value = "";
      this.#emit("verify-sent", sent);
    });
  }

  #return() {
    this.#sent = this.#left;
    this.#left = null;
    this.#show(NONE);
  }

  #check() {
    const { verificationId } = this.#sent;
    const code = (this.#tried = this.#$.code.value);
    if (!code.trim()) return this.#show(["length"]);
    // The key signs the check: a right code whose answer was lost is valid again.
    const idempotencyKey = (this.#key ??= newKey());
    this.#run(() => this.#client.check({ verificationId, code }, { idempotencyKey }), (checked) => {
      const attempts = (this.#sent.attemptsLeft = checked.attemptsLeft);
      if (!checked.valid) this.#problem = [attempts ? "wrong" : "spent", { attempts }];
      else this.#emit("verify-valid", (this.#checked = { verificationId, ...checked }));
    });
  }

  // Makes one request at a time. An answer that comes after a reset is dropped.
  async #run(request, use) {
    if (this.#busy) return;
    const turn = this.#turn;
    this.#busy = true;
    this.#problem = NONE;
    this.#render();
    const [answer, error] = await request().then(
      (got) => [got],
      (failed) => [null, failed],
    );
    if (turn !== this.#turn) return;
    this.#busy = false;
    if (!(error instanceof NetworkError)) this.#key = null;
    error ? this.#fail(error) : use(answer);
    this.#show(this.#problem);
  }

  #fail(error) {
    if (this.#sent && error instanceof AttemptsExhausted) this.#sent.attemptsLeft = 0;
    if (this.#sent && error instanceof LimitExceeded)
      this.#sent.resendAt = new Date(Date.now() + error.retryAfter * 1000);
    this.#problem = this.#explain(error);
    this.#emit("verify-error", error);
  }

  #explain(error) {
    const is = (...classes) => classes.some((each) => error instanceof each);
    const wrong = is(InvalidParameters) ? error.errors[0] : null;
    if (wrong?.pointer === "/to") return [this.#hint];
    if (wrong?.pointer === "/code") return ["length"];
    if (is(LimitExceeded)) return ["limit", { time: this.#time(error.retryAfter) }];
    if (is(ProviderRefused, CountryNotAllowed, LineTypeNotSupported)) return ["refused"];
    return ["failed"];
  }

  // A listener finds the form as it is by now: it may submit the form around it.
  #emit(type, detail) {
    this.#render();
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  // Codes are digits. Those of test destinations may have letters.
  #isComplete() {
    const code = this.#$.code.value;
    return code !== this.#tried && [/[^\p{Nd}]/gu, /[^\p{Nd}a-z]/giu].some(
      (other) => code.replace(other, "").length === this.#sent.codeLength,
    );
  }

  // Shows a problem, or how it goes on, and moves the focus there unless it is elsewhere by now.
  #show(problem) {
    this.#problem = problem;
    this.#render();
    const active = /** @type {Document} */ (this.getRootNode()).activeElement;
    if (active && active !== this && active !== document.body) return;
    const target = this.#checked ? "result" : this.#sent ? "code" : "to";
    this.#$[target].focus();
    if (problem[0]) this.#$[target].select();
  }

  #say(key, values) {
    const [lang, table] = [this.#lang, { ...messages.en }];
    Object.assign(table, messages[lang.split("-")[0]], messages[lang], this.#own.messages);
    const given = { to: this.#$.to.value.trim(), length: this.#sent?.codeLength, ...values };
    // Isolated (FSI, PDI): an address in a sentence from right to left keeps its own direction.
    return (table[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => `\u2068${given[name]}\u2069`);
  }

  #time(seconds) {
    const unit = seconds > 90 ? "minute" : "second";
    const size = seconds > 90 ? 60 : 1;
    return new Intl.NumberFormat(this.#lang, { style: "unit", unit, unitDisplay: "long" }).format(
      Math.ceil(seconds / size),
    );
  }

  #render() {
    const [$, sent, checked] = [this.#$, this.#sent, this.#checked];
    const email = this.#channel === "email";
    const rightToLeft = /^(ar|fa|he|ur)\b/.test(this.#lang);
    $.form.dir = $.result.dir = rightToLeft ? "rtl" : "ltr";
    $.to.type = $.to.inputMode = email ? "email" : "tel";
    $.to.autocomplete = email ? "email" : "tel";
    $.form.hidden = Boolean(checked);
    $.address.hidden = Boolean(sent);
    $.entry.hidden = $.row.hidden = !sent;
    $.toLabel.textContent = this.#say(email ? "email" : "phone");
    $.codeLabel.textContent = this.#say("code");
    $.change.textContent = this.#say("change");
    $.submit.textContent = this.#say(sent ? "check" : "send");
    $.about.textContent = sent ? this.#say("sent") : "";
    $.result.textContent = checked ? this.#say("verified") : "";
    $.problem.textContent = this.#say(...this.#problem);
    const invalid = ![undefined, "limit", "failed"].includes(this.#problem[0]);
    for (const each of [$.to, $.code]) each.ariaInvalid = invalid;
    for (const each of $.form.elements) each.disabled = this.matches(":disabled");
    $.submit.ariaDisabled = $.form.ariaBusy = this.#busy;
    this.#renderSuggestion();
    this.#renderResend();
    this.#renderValidity();
    clearInterval(this.#ticking);
    if (sent && !checked) this.#ticking = setInterval(() => this.#renderResend(), 1000);
  }

  #renderSuggestion() {
    const { to, suggestion } = this.#$;
    const meant = this.#channel === "email" ? suggestEmail(to.value) : null;
    // While it is typed, "gmail.co" is on its way to "gmail.com".
    suggestion.hidden = !meant || (!this.#sent && meant.startsWith(to.value.trim()));
    suggestion.textContent = this.#say("suggestion", { to: meant });
  }

  #renderResend() {
    const seconds = Math.ceil((this.#sent?.resendAt - Date.now()) / 1000);
    const [{ resend }, waiting] = [this.#$, seconds > 0];
    resend.disabled = waiting || this.matches(":disabled");
    resend.textContent = waiting
      ? this.#say("wait", { time: this.#time(seconds) })
      : this.#say("resend");
  }

  #renderValidity() {
    const [key, field] = this.#sent ? ["sent", "code"] : [this.#hint, "to"];
    const valueMissing = this.hasAttribute("required") && !this.#checked;
    this.#internals.setFormValue(this.value);
    this.#internals.setValidity({ valueMissing }, this.#say(key), this.#$[field]);
  }
}

// Frameworks set a property only where they find it.
Object.assign(VerifyCode.prototype, {
  captcha: undefined,
  client: undefined,
  messages: undefined,
});

// The elements of the form by their id.
function elements() {
  const $ = {};
  const make = (tag, id, attributes, ...children) => {
    $[id] = document.createElement(tag);
    for (const each of Object.entries({ id, ...attributes })) $[id].setAttribute(...each);
    $[id].append(...children);
    return $[id];
  };
  const link = { type: "button", part: "link" };
  const field = { dir: "ltr", spellcheck: "false", "aria-describedby": "problem", required: "" };
  const code = { ...field, part: "code", inputmode: "numeric", autocomplete: "one-time-code" };
  make("p", "result", { part: "success", role: "status", tabindex: "-1" });
  make("form", "form", { part: "form", novalidate: "" },
    make("div", "address", {},
      make("label", "toLabel", { part: "label", for: "to" }),
      make("input", "to", { ...field, part: "input", autocapitalize: "none" })),
    make("p", "about", { part: "hint" }),
    make("button", "suggestion", link),
    make("div", "entry", {},
      make("label", "codeLabel", { part: "label", for: "code" }),
      make("input", "code", code)),
    make("p", "problem", { part: "error", role: "alert" }),
    make("button", "submit", { part: "button" }),
    make("div", "row", { class: "row" },
      make("button", "change", link),
      make("button", "resend", link)));
  return $;
}

/** @type {typeof import("./verify.d.ts").messages} */
export const messages = {
  en: {
    email: "Email address",
    phone: "Phone number",
    emailHint: "Enter an email address, such as name@example.com.",
    phoneHint: "Enter a phone number with its country code, such as +1 415 555 0123.",
    send: "Send code",
    suggestion: "Did you mean {to}?",
    sent: "Enter the code that we sent to {to}.",
    code: "Code",
    length: "The code has {length} characters.",
    check: "Verify",
    wrong: "This code is wrong. Attempts left: {attempts}",
    spent: "This code is no longer valid. Get a new one.",
    change: "Change",
    resend: "Send again",
    wait: "Send again in {time}",
    limit: "Too many requests. Try again in {time}.",
    refused: "No code can be sent there. Use another address or number.",
    failed: "That did not work. Try again.",
    verified: "{to} is verified.",
  },
};

if (globalThis.customElements && !customElements.get("verify-code"))
  customElements.define("verify-code", VerifyCode);
