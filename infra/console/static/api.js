/** Calls: the public API with a development token, and the reads below /_local/. */

let watch;
let connected = true;

export const atConnection = (told) => (watch = told);

function connection(up) {
  if (up !== connected) watch(up);
  connected = up;
}

async function send(path, options) {
  try {
    const response = await fetch(path, options);
    connection(true);
    return response;
  } catch (error) {
    if (error.name !== "AbortError") connection(false);
    throw error;
  }
}

async function read(response, as) {
  if (response.ok) return response[as]();
  throw new Error((await response.json()).message ?? response.statusText);
}

const polled = new Map();
const POLLED_MOST = 20;

/**
 * Reads JSON, or text, below /_local/. A poll answers the same object as before while nothing has changed.
 * @param {string} path such as "inbox?to=ana@example.com"
 */
export async function local(path, { poll = false, signal, method = "GET", body, as = "json" } = {}) {
  const before = poll && polled.get(path);
  const headers = { "x-console": poll ? "poll" : "page",
    ...(before && { "if-none-match": before.etag }),
    ...(body && { "content-type": "application/json" }) };
  const response = await send(`/_local/${path}`,
    { method, headers, signal, cache: "no-store", body: body && JSON.stringify(body) });
  if (before && response.status === 304) return before.answer;
  const answer = await read(response, as);
  if (polled.size > POLLED_MOST) polled.clear();
  if (poll && response.ok) polled.set(path, { etag: response.headers.get("etag"), answer });
  return answer;
}

/** Reads JSON below /_local/ as a page does again and again. */
export const poll = (path, signal) => local(path, { poll: true, signal });

export const pollApi = (path, signal) => api("GET", path, { poll: true, signal });

let known;

/** What is told about this stack: url, app_name, stage, tokens, … */
export const about = () => (known ??= local("about"));

export async function prepared(method, path, { body, token = "secret", headers = {} } = {}) {
  const { tokens } = await about();
  const all = {
    ...(token && { authorization: `Bearer ${tokens[token]}` }),
    ...(body !== undefined && { "content-type": "application/json" }),
    ...headers,
  };
  return { method, path, headers: all, body };
}

/**
 * Calls the public API. A problem is an answer, not an error. `token` is "secret", "publishable" or
 * null. The answer has its body as JSON or text, and the request as it was sent.
 */
export async function api(method, path, options = {}) {
  const { poll, signal } = options;
  const request = await prepared(method, path, options);
  const headers = { ...request.headers, "x-console": poll ? "poll" : "page" };
  const body = request.body === undefined ? undefined : asText(request.body);
  const started = performance.now();
  const response = await send(path, { method, headers, body, signal });
  const content = await response.text();
  const { status, ok } = response;
  const ms = Math.round(performance.now() - started);
  return { status, ok, body: parsed(content), headers: response.headers, ms, request };
}

/** A call of the public API whose problem is an Error, as `working` tells it. */
export async function accepted(method, path, options) {
  const got = await api(method, path, options);
  if (!got.ok) throw new Error(got.body.detail ?? got.body);
  return got;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Does `work` now and again after each pause, of a second, while the page is open and visible.
 * `work` may return false to end it.
 */
export async function live(signal, work, milliseconds = 1000) {
  while (!signal.aborted) {
    let pause = milliseconds;
    try {
      if (!document.hidden && (await work()) === false) return;
    } catch (error) {
      if (connected && error.name !== "AbortError") console.warn(error);
      pause = Math.max(pause, 2000);
    }
    await new Promise((done) => {
      setTimeout(done, pause);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

export function asCurl({ method, path, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = [`curl -s${method === "GET" || (method === "POST" && body !== undefined)
    ? "" : ` -X ${method}`} ${quoted(location.origin + path)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (body !== undefined) lines.push(`-d ${quoted(asText(body))}`);
  return lines.join(" \\\n  ");
}

export function asFetch({ method, path, headers, body }) {
  const isJson = body !== undefined && typeof body !== "string";
  const json = () => `JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")})`;
  const options = JSON.stringify({ method, headers, body: isJson ? "<json>" : body }, null, 2)
    .replace('"<json>"', json);
  return `const response = await fetch("${location.origin}${path}", ${options});\n` +
    "const answer = await response.json();";
}

/** A text as it is, and another value as JSON. */
export const asText = (value, indent) =>
  (typeof value === "string" ? value : JSON.stringify(value, null, indent));
