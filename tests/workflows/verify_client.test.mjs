// The client of verify.js, against a server of its own. tests/workflows/test_verify_js.py runs it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import * as module from "../../functions/api/documents/verify.js";

const { createVerifyClient, readLink, suggestEmail } = module;
const SENT = {
  verification_id: "k1.d6one",
  channel: "email",
  to: "a**@example.com",
  code_length: 6,
  expires_at: "2026-11-27T12:10:00Z",
  expires_in_seconds: 600,
  resend_at: "2026-11-27T12:01:00Z",
  resend_in_seconds: 60,
};
const CHECKED = { valid: false, attempts_left: 4, channel: null, to: null, purpose: null, proof: null, test: null };

let server, url, received, answer;

before(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    received.push({ path: request.url, headers: request.headers, body: JSON.parse(body) });
    answer(response, received.length);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}`;
});
beforeEach(() => {
  received = [];
  replies(200, SENT);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

function replies(status, body, headers = {}) {
  answer = (response) =>
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
}

const client = (options) => createVerifyClient({ url, token: "wf_token", ...options });
const failure = (promise) => promise.then(() => assert.fail("no error"), (error) => error);

test("a send names the workflow, the token and the parameters of the wire", async () => {
  await client().send({ to: "ana@example.com", resendOf: "k1.d6old", locale: "de", country: undefined });
  const [{ path, headers, body }] = received;
  assert.equal(path, "/workflows/verify_send");
  assert.equal(headers.authorization, "Bearer wf_token");
  assert.equal(headers["content-type"], "application/json");
  assert.deepEqual(body, {
    channel: "email",
    to: "ana@example.com",
    resend_of: "k1.d6old",
    locale: "de",
  });
});

test("a send takes the token of a CAPTCHA along", async () => {
  await client().send({ to: "ana@example.com", captchaToken: "solved" });
  assert.equal(received[0].body.captcha_token, "solved");
});

test("without a channel, what has no @ is a phone number", async () => {
  await client().send({ to: "+14155550123" });
  await client().send({ to: "+14155550123", channel: "voice" });
  assert.deepEqual(received.map(({ body }) => body.channel), ["sms", "voice"]);
});

test("the languages of the browser are those of the message", async () => {
  await client().send({ to: "ana@example.com" });
  assert.equal(received[0].body.locale, navigator.languages.join());
});

test("an answer has the names of JavaScript and times as dates", async () => {
  assert.deepEqual(await client().send({ to: "ana@example.com" }).then(({ expiresAt, resendAt, ...rest }) => {
    assert.equal(expiresAt - resendAt, 540_000);
    return rest;
  }), { verificationId: "k1.d6one", channel: "email", to: "a**@example.com", codeLength: 6,
    expiresInSeconds: 600, resendInSeconds: 60 });
});

test("times are those of this device's clock, however wrong it is", async ({ mock }) => {
  const here = Date.parse("2026-11-27T12:00:00Z");
  mock.timers.enable({ apis: ["Date"], now: here });
  const times = { expires_at: "2026-11-28T18:10:00Z", resend_at: "2026-11-28T18:01:00Z" };
  replies(200, { ...SENT, ...times });
  const { resendAt, expiresAt } = await client().send({ to: "ana@example.com" });
  assert.equal(resendAt - here, 60_000);
  assert.equal(expiresAt - here, 600_000);
});

test("each submit has a key, and a repetition may have the same", async () => {
  await client().send({ to: "ana@example.com" });
  await client().send({ to: "ana@example.com" });
  await client().send({ to: "ana@example.com" }, { idempotencyKey: "mine" });
  const keys = received.map(({ headers }) => headers["idempotency-key"]);
  assert.match(keys[0], /^[\d-]{20,}$/);
  assert.notEqual(keys[0], keys[1]);
  assert.equal(keys[2], "mine");
});

test("a check has no key, because a spent code stays spent", async () => {
  replies(200, CHECKED);
  const checked = await client().check({ verificationId: "k1.d6one", code: " 123-456 " });
  assert.deepEqual(checked, {
    valid: false,
    attemptsLeft: 4,
    channel: null,
    to: null,
    purpose: null,
    proof: null,
    test: null,
  });
  assert.equal(received[0].path, "/workflows/verify_check");
  assert.deepEqual(received[0].body, { verification_id: "k1.d6one", code: " 123-456 " });
  assert.match(received[0].headers["idempotency-key"], /^[\d-]{20,}$/);
});

test("a status is asked for by the id alone", async () => {
  replies(200, { status: "pending", delivery: "failed", reason: "mailbox_full" });
  const status = await client().status({ verificationId: "k1.d6one", codeLength: 6 });
  assert.deepEqual(status, { status: "pending", delivery: "failed", reason: "mailbox_full" });
  assert.equal(received[0].path, "/workflows/verify_status");
  assert.deepEqual(received[0].body, { verification_id: "k1.d6one" });
});

const CLASSES = {
  invalid_parameters: [422, "InvalidParameters"],
  limit_exceeded: [429, "LimitExceeded"],
  attempts_exhausted: [409, "AttemptsExhausted"],
  provider_refused: [502, "ProviderRefused"],
  country_not_allowed: [422, "CountryNotAllowed"],
  line_type_not_supported: [422, "LineTypeNotSupported"],
  captcha_failed: [422, "CaptchaFailed"],
  unavailable: [503, "Unavailable"],
  provider_unavailable: [503, "Unavailable"],
  too_slow: [504, "Unavailable"],
  internal_error: [500, "Unavailable"],
  not_permitted: [403, "VerifyError"],
  of_the_future: [418, "VerifyError"],
};
for (const [code, [status, name]] of Object.entries(CLASSES))
  test(`${code} is ${name}`, async () => {
    const errors = [{ pointer: "/to", detail: "is not a valid email address" }];
    const problem = { status, code, detail: "So it is.", request_id: "r-1", errors };
    replies(status, { ...problem, retry_after_seconds: 42 }, { "retry-after": "43" });
    const error = await failure(client().send({ to: "ana@example.com" }));
    assert.equal(error.constructor, module[name]);
    assert.ok(error instanceof module.VerifyError && error instanceof Error);
    assert.equal(String(error), `${name}: So it is.`);
    const { requestId, retryAfter, detail } = error;
    assert.deepEqual(
      { status: error.status, code: error.code, detail, errors: error.errors, requestId, retryAfter },
      { status, code, detail: "So it is.", errors, requestId: "r-1", retryAfter: 42 },
    );
  });

const OF_GATEWAY = [
  [401, '{"message":"Unauthorized"}', "not_authenticated", "VerifyError"],
  [403, '{"message":"Forbidden"}', "not_permitted", "VerifyError"],
  [404, '{"message":"Not Found"}', "not_found", "VerifyError"],
  [429, '{"message":"Too Many Requests"}', "limit_exceeded", "LimitExceeded"],
  [503, '{"message":"Service Unavailable"}', "unavailable", "Unavailable"],
  [502, "<h1>Bad gateway</h1>", "unavailable", "Unavailable"],
  [400, "", "unknown", "VerifyError"],
];
for (const [status, body, code, name] of OF_GATEWAY)
  test(`a refusal of API Gateway itself goes by its status: ${status}`, async () => {
    replies(status, body, { "retry-after": "7", "x-request-id": "r-2" });
    const error = await failure(client().check({ verificationId: "k1.d6one", code: "123456" }));
    assert.deepEqual(
      [error.constructor, error.code, error.status, error.retryAfter, error.requestId],
      [module[name], code, status, 7, "r-2"],
    );
  });

test("a login page of a network is no answer", async () => {
  replies(200, "<h1>Welcome to the hotel</h1>");
  const error = await failure(client().send({ to: "ana@example.com" }));
  assert.deepEqual([error.constructor, error.code, error.status], [module.NetworkError, "network_error", 0]);
});

test("a connection that breaks is a NetworkError, and nothing is sent again", async () => {
  answer = (response) => response.destroy();
  const error = await failure(client().send({ to: "ana@example.com" }));
  assert.equal(error.constructor, module.NetworkError);
  assert.ok(error.cause);
  assert.equal(received.length, 1);
});

test("no answer in time is a Timeout, which is a NetworkError", async () => {
  answer = () => {};
  const error = await failure(client({ timeout: 50 }).send({ to: "ana@example.com" }));
  assert.deepEqual([error.constructor, error.code], [module.Timeout, "timeout"]);
  assert.ok(error instanceof module.NetworkError);
});

test("a caller's own signal aborts with its own reason", async () => {
  answer = () => controller.abort(new Error("left the page"));
  const controller = new AbortController();
  const sending = client().send({ to: "ana@example.com" }, { signal: controller.signal });
  assert.equal((await failure(sending)).message, "left the page");
});

test("by default it calls the API that it was loaded from", async () => {
  const called = [];
  const fetch = (to) => called.push(to) && Promise.resolve(Response.json(SENT));
  await createVerifyClient({ token: "wf_token", fetch }).send({ to: "ana@example.com" });
  await createVerifyClient({ token: "wf_token", fetch, url: "https://api.example.com/v1/" }).send({ to: "a@b.de" });
  const folder = new URL("../../functions/api/documents", import.meta.url);
  assert.deepEqual(called, [
    `${folder}/workflows/verify_send`,
    "https://api.example.com/v1/workflows/verify_send",
  ]);
});

const MEANT = {
  "ana@gmial.com": "ana@gmail.com",
  "ana@gamil.com": "ana@gmail.com",
  "ana@gmail.co": "ana@gmail.com",
  "ana@gmal.cm": "ana@gmail.com",
  "Ana.B@Hotmial.COM": "Ana.B@hotmail.com",
  " ana@yaho.com ": "ana@yahoo.com",
  "ana@gmx.ed": "ana@gmx.de",
  "ana@example.con": "ana@example.com",
};
for (const [typed, meant] of Object.entries(MEANT))
  test(`${typed} is meant to be ${meant}`, () => assert.equal(suggestEmail(typed), meant));

for (const typed of ["ana@gmail.com", "ana@ymail.com", "ana@mail.com", "ana@example.com", "ana@me.com",
  "ana@web.fr", "ana@gm", "ana", "", "@gmial.com"])
  test(`${typed || "nothing"} is left alone`, () => assert.equal(suggestEmail(typed), null));

test("a long address is compared, too", () => {
  assert.equal(suggestEmail(`ana@${"gmail.com.".repeat(500)}com`), null);
});

test("every language has every text, with the same values to fill in", async () => {
  const { messages } = await import("../../functions/api/documents/verify-messages.js");
  assert.ok("en" in messages && "ar" in messages);
  const shape = (texts) =>
    Object.entries(texts).map(([key, text]) => [key, [...text.matchAll(/\{\w+\}/g)].join()]);
  for (const [language, texts] of Object.entries(messages))
    assert.deepEqual(shape(texts), shape(messages.en), language);
});

test("the link's id and code are read once and leave the address bar and the history", () => {
  const went = [];
  globalThis.history = { state: { page: 1 }, replaceState: (...all) => went.push(all) };
  const open = (hash) => {
    globalThis.location = { hash, pathname: "/verify", search: "?next=a" };
    return readLink();
  };
  const link = { verificationId: "k1.d6a-_b", code: "012345" };
  assert.deepEqual(open("#verification_id=k1.d6a-_b&code=012345"), link);
  assert.deepEqual(went, [[{ page: 1 }, "", "/verify?next=a"]]);
  for (const other of ["", "#", "#top", "#code=012345", "#verification_id=k1.d6a&code="])
    assert.equal(open(other), null, other);
  assert.equal(went.length, 1);
});
