/** One request: what was sent, the answer, and what the functions logged. */

import { about, asCurl, live, local } from "../api.js";
import { h, replace } from "../dom.js";
import { duration, moment } from "../format.js";
import { code, empty, facts, json, logLines, pageHead, pill, problem } from "../parts.js";

const PATIENCE_MS = 20_000;
const PATIENCE_FORGOTTEN_MS = 3_000;
const LAST_LINES = new Set(["answered", "problem"]);

export async function showRequest(main, id, signal) {
  const page = h("div", { class: "stack" });
  main.append(h("p", {}, h("a", { href: "/console/requests" }, "All requests")), page);
  const { tokens } = await about();
  const since = Date.now();
  let before;
  live(signal, 700, async () => {
    const got = await local(`requests/${encodeURIComponent(id)}`, { poll: true, signal })
      .catch((error) => ({ lines: [], missing: error.message }));
    const done = got.lines.some((line) => LAST_LINES.has(line.message));
    const waiting = !done && Date.now() - since < (got.request ? PATIENCE_MS : PATIENCE_FORGOTTEN_MS);
    const text = JSON.stringify([got, waiting]);
    if (text !== before) draw(page, id, got, waiting, tokens);
    before = text;
    return waiting;
  });
}

function draw(page, id, { request, query, headers, body, answer, lines, missing }, waiting, tokens) {
  const trace = lines.find((line) => line.traceback);
  const log = h("section", { class: "card" }, h("h2", {}, "Log"),
    lines.length > 0 && logLines(lines.map((line) => (line === trace ? { ...line, traceback: "" } : line))),
    waiting && h("p", { class: "none" }, "Waiting for the lines of the functions…"),
    !waiting && !lines.length && h("p", { class: "none" }, "No function logged a line of it. API Gateway itself answered."));
  if (!request) return replace(page, forgotten(id, lines, log, waiting, missing, trace));
  const { method, path, status, code: refusal, caller, from, at, duration_ms, run_id } = request;
  const target = path + (query ? `?${query}` : "");
  return replace(page,
    pageHead([method, " ", path].join(""), [pill(status), ` in ${duration(duration_ms)}`, refusal && ` · ${refusal}`]),
    status >= 500 && trace && traceback(trace),
    status >= 400 && typeof answer === "object" && answer && problem({ ...answer, request_id: undefined }),
    h("div", { class: "split" },
      h("div", { class: "stack" },
        h("section", { class: "card" }, h("h2", {}, "Request"),
          facts({
            Caller: caller ?? "no token", From: from, Time: moment(at), "Request id": h("code", {}, id),
            Run: run_id && h("a", { href: `/console/runs/${run_id}` }, "Open the run"),
          }),
          body !== null && [h("h3", {}, "Body"), json(body, "Body of the request")],
          h("details", {}, h("summary", {}, "Headers"),
            code(Object.entries(headers ?? {}).map((each) => each.join(": ")).join("\n"), "Headers of the request")),
          h("details", {}, h("summary", {}, "As curl"), code(curlOf(method, target, headers, body, caller, tokens), "curl command"))),
        h("section", { class: "card" }, h("h2", {}, "Answer"),
          answer === null ? h("p", { class: "none" }, "It has no body.") : json(answer, "Answer"))),
      h("div", { class: "stack" }, status < 500 && trace && traceback(trace), log)));
}

/** The same call with a development token, as the real one is not kept. */
function curlOf(method, path, headers, body, caller, tokens) {
  const kept = Object.fromEntries(Object.entries(headers ?? {})
    .filter(([name]) => /^(content-type|prefer|idempotency-key|x-(?!forwarded).*|webhook-.*|stripe-.*)$/.test(name)));
  const token = /publishable/.test(caller) ? tokens.publishable : tokens.secret;
  return asCurl({ method, path, body: body ?? undefined,
    headers: { ...(caller && { authorization: `Bearer ${token}` }), ...kept } });
}

/** A traceback, scrolled to its end, which says most. */
function traceback(line) {
  const shown = code(line.traceback, "Traceback");
  requestAnimationFrame(() => (shown.firstChild.scrollTop = shown.firstChild.scrollHeight));
  return h("section", { class: "card" }, h("h2", {}, "Traceback"),
    h("p", {}, h("b", {}, line.traceback.split("\n").at(-1).replace(/^[\w.]+\.(?=\w+:)/, ""))), shown);
}

function forgotten(id, lines, log, waiting, missing, trace) {
  if (waiting) return [pageHead("A request", id), log];
  const command = code(`make logs REQUEST=${id}`, "Command");
  if (!lines.length) {
    return [pageHead("No such request", id), h("div", { class: "empty" }, h("p", {}, missing),
      h("p", {}, "make run keeps the last 500 calls since it started. The logs go back for longer:"), command)];
  }
  return [pageHead("Log of a request", "make run has only its log lines: it is older than the last 500 calls, or part of a run."),
    trace && traceback(trace), log, command];
}
