/** Types of verify.js: sends and checks codes with a client, or with the form `<verify-code>`. */

export type Channel = "email" | "sms" | "whatsapp" | "voice";
/** The purposes that every deployment has; yours may have further ones. */
export type Purpose =
  | "sign_up"
  | "sign_in"
  | "two_factor"
  | "change_destination"
  | "reset_password"
  | "delete_account"
  | (string & {});

/** Client of one deployment. */
export interface VerifyClient {
  /** Creates a verification and sends its code. Each call is one try: nothing is sent twice. */
  send(parameters: SendParameters, options?: SubmitOptions): Promise<VerificationSent>;
  /** Checks a code as it was typed or pasted. A wrong code is no error: `valid` is false. */
  check(parameters: CheckParameters, options?: SubmitOptions): Promise<VerificationChecked>;
  /** Says where a verification stands, and whether its message arrived. Charges nothing. */
  status(parameters: StatusParameters, options?: CallOptions): Promise<VerificationStatus>;
}

export interface VerifyClientOptions {
  /** A publishable token. */
  token: string;
  /** The API's URL. By default the one that this module was loaded from. */
  url?: string;
  /** Milliseconds after which a call fails with `Timeout`; 30 seconds by default. */
  timeout?: number;
  /** Function in place of the global `fetch`. */
  fetch?: typeof fetch;
}

export function createVerifyClient(options: VerifyClientOptions): VerifyClient;

export interface SendParameters {
  /** Email address or phone number, as it was typed. */
  to: string;
  /** By default `email` if there is an `@` in `to`, else `sms`. */
  channel?: Channel;
  /** Country of a phone number without its country code, such as `DE`. */
  country?: string;
  /** Purpose for which the message is worded. */
  purpose?: Purpose;
  /** Languages of the reader; by default the browser's. */
  locale?: string | string[];
  /** `verificationId` whose code is sent again, or replaced where little time is left. */
  resendOf?: string;
  /** Text that the proof has to contain. */
  nonce?: string;
  /** Page that the email links to. A publishable token may say so only by a setting. */
  link?: string;
  /** Token of the deployment's CAPTCHA. Each send needs a new one. */
  captchaToken?: string;
}

export interface CheckParameters {
  verificationId: string;
  code: string;
}

export interface StatusParameters {
  verificationId: string;
}

export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface SubmitOptions extends CallOptions {
  /** Key of one submit; a repetition after a `NetworkError` has the same. By default a new one. */
  idempotencyKey?: string;
}

export interface VerificationSent {
  verificationId: string;
  channel: Channel;
  /** Masked. */
  to: string;
  codeLength: number;
  expiresInSeconds: number;
  resendInSeconds: number;
  /** Time at which the code expires, by this device's clock. */
  expiresAt: Date;
  /** Time from which the next send is accepted, by this device's clock. */
  resendAt: Date;
}

export interface VerificationChecked {
  valid: boolean;
  /** 0 also if the verification is unknown, expired or spent. */
  attemptsLeft: number;
  channel: Channel | null;
  /** Verified destination; null unless valid. */
  to: string | null;
  purpose: Purpose | null;
  /** Signed proof for your own backend; null unless valid, and sent and checked for an audience. */
  proof: string | null;
  /** Whether it is a test destination, whose code is no secret; null unless valid. */
  test: boolean | null;
}

export interface VerificationStatus {
  /** `expired` also if the verification is unknown or deleted. */
  status: "pending" | "approved" | "expired" | "exhausted";
  /** Null if nothing is known of the message. */
  delivery: "sent" | "delivered" | "failed" | null;
  /** Why delivery failed; null unless it did. Take a value that you do not know for `other`. */
  reason:
    | "opted_out"
    | "unreachable"
    | "mailbox_full"
    | "rejected"
    | "suppressed"
    | "busy"
    | "no_answer"
    | "other"
    | null;
}

/** A call that failed. Its class goes by `code`; an unknown code has this one. */
export class VerifyError extends Error {
  /** Code of the problem; never renamed. */
  readonly code: string;
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** Sentence for developers, in English. */
  readonly detail: string;
  /** Wrong parameters, each by its JSON pointer. */
  readonly errors: readonly { pointer: string; detail: string }[];
  /** Seconds to wait; null if the problem names no time. */
  readonly retryAfter: number | null;
  /** Id of the request in the API's log; null if there was no answer. */
  readonly requestId: string | null;
}

/** `invalid_parameters`: `errors` names each one. */
export class InvalidParameters extends VerifyError {}
/** `limit_exceeded`: try again after `retryAfter` seconds. */
export class LimitExceeded extends VerifyError {}
/** `attempts_exhausted`: send again without `resendOf`. */
export class AttemptsExhausted extends VerifyError {}
/** `provider_refused`: use another destination. */
export class ProviderRefused extends VerifyError {}
/** `country_not_allowed`: no SMS goes to that country. */
export class CountryNotAllowed extends VerifyError {}
/** `line_type_not_supported`: a landline, premium or shared-cost number. */
export class LineTypeNotSupported extends VerifyError {}
/** `captcha_failed`: show the CAPTCHA again, and send with its new token. */
export class CaptchaFailed extends VerifyError {}
/** `unavailable`, `provider_unavailable`, `too_slow`, `internal_error`: try again. */
export class Unavailable extends VerifyError {}
/** `network_error`: there was no answer. The call may have been carried out. */
export class NetworkError extends VerifyError {}
/** `timeout`: there was no answer in time. The call may have been carried out. */
export class Timeout extends NetworkError {}

/**
 * Id and code of the link that opened this page; null without. It takes them out of the address bar
 * and the history. Check them when somebody clicks: programs open links, too.
 */
export function readLink(): CheckParameters | null;

/** The address with its domain corrected if it looks mistyped (`gmial.com`); otherwise null. */
export function suggestEmail(address: string): string | null;

/** Texts of `<verify-code>`. `{to}`, `{length}`, `{attempts}` and `{time}` are filled in. */
export interface Messages {
  email: string;
  phone: string;
  emailHint: string;
  phoneHint: string;
  send: string;
  suggestion: string;
  sent: string;
  change: string;
  code: string;
  length: string;
  check: string;
  wrong: string;
  spent: string;
  resend: string;
  wait: string;
  limit: string;
  refused: string;
  failed: string;
  verified: string;
}

/** Texts by language: a BCP 47 tag or its first part. Add languages, or change texts. */
export const messages: { en: Messages } & Record<string, Partial<Messages>>;

/** Form `<verify-code>`: one field for the destination, then one for the code. */
export interface VerifyCodeElement extends HTMLElement {
  /** Shows the CAPTCHA and returns its token, for each send anew. */
  captcha?: () => Promise<string>;
  /** Client in place of the one that the attributes `url` and `token` make. */
  client?: VerifyClient;
  /** Texts of this element, in place of those of its language. */
  messages?: Partial<Messages>;
  /** Form value: the proof, or without an audience the verification id; null until verified. */
  readonly value: string | null;
  /** Starts anew. */
  reset(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "verify-code": VerifyCodeElement;
  }
  interface HTMLElementEventMap {
    /** A code was sent. */
    "verify-sent": CustomEvent<VerificationSent>;
    /** The code was right. */
    "verify-valid": CustomEvent<VerificationChecked & { verificationId: string }>;
    /** A call failed, or the function `captcha`, with its own error. */
    "verify-error": CustomEvent<VerifyError | Error>;
  }
}
