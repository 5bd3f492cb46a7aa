/** One request: what was sent, the answer, and what the functions logged. */

import { asCurl, live, poll } from "../api.js";
import { h, keep } from "../dom.js";
import { duration, moment } from "../format.js";
import { backTo, card, code, empty, facts, fold, headerLines, json, linkTo, logLines, pageHead, pill,
  problem } from "../parts.js";

const PATIENCE_MS = 20_000;
const PATIENCE_UNKNOWN_MS = 3_000;
const LAST_LINES = new Set(["answered", "problem"]);

export function showRequest(main, id, signal) {
  const page = h(".stack", pageHead("A request", id));
  main.append(backTo("requests"), page);
  const since = Date.now();
  live(signal, async () => {
    const got = await poll(`requests/${encodeURIComponent(id)}`, signal)
      .catch((error) => ({ lines: [], missing: error.message }));
    const done = got.lines.some((line) => LAST_LINES.has(line.message));
    const waiting = !done && Date.now() - since < (got.request ? PATIENCE_MS : PATIENCE_UNKNOWN_MS);
    keep(page, [[got, waiting]], () => id, () => h(".stack",
      got.request ? whole(id, got, waiting) : logOnly(id, got, waiting)));
    return waiting;
  });
}

function whole(id, { request, again, headers, body, answer, lines }, waiting) {
  const { method, path, status, code: refusal, caller, from, at, duration_ms, run_id } = request;
  const log = logOf(lines, waiting);
  return [
    pageHead(`${method} ${path}`, [pill(status), ` in ${duration(duration_ms)}`, refusal && ` · ${refusal}`]),
    status >= 400 && answer?.detail && problem({ ...answer, request_id: undefined }),
    status >= 500 && log,
    h(".split",
      h(".stack",
        card("Request", facts({
          Caller: caller ?? "no token", From: from, Time: moment(at), "Request id": h("code", id),
          Run: run_id && linkTo("runs", run_id, "Open the run"),
        }),
        body !== null && [h("h3", "Body"), json(body, "Body of the request")],
        fold("Headers", () => headerLines(Object.entries(headers ?? {}), "Headers of the request")),
        fold("As curl", () => code(asCurl(again), "curl command"))),
        card("Answer", answer === null ? h("p.none", "It has no body.") : json(answer, "Answer"))),
      status < 500 && log)];
}

function logOnly(id, { lines, missing }, waiting) {
  if (waiting) return [pageHead("A request", id), logOf(lines, waiting)];
  const command = code(`make logs REQUEST=${id}`, "Command");
  if (!lines.length) {
    return [pageHead("No such request", id), empty(missing,
      "make run keeps the last 500 calls since it started. The logs go back for longer:", command)];
  }
  return [pageHead("Log of a request",
    "make run has only its log lines: it is older than the last 500 calls, or part of a run."),
  logOf(lines), command];
}

const logOf = (lines, waiting) => card("Log", logLines(lines),
  waiting ? h("p.none", "Waiting for the lines of the functions…")
    : !lines.length && h("p.none", "No function logged a line of it. API Gateway itself answered."));
