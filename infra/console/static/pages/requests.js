/** Requests: the last calls, and one of them with its log lines. */

import { live, poll } from "../api.js";
import { h, keep, put } from "../dom.js";
import { textInput } from "../form.js";
import { counted, duration } from "../format.js";
import { buttonTo, empty, pageHead, pathOf, pill, queryOf, table, time, wrongOf } from "../parts.js";
import { showRequest } from "./request_one.js";

const STATUSES = { "": "All", 2: "2xx", 4: "4xx", 5: "5xx", problem: "Only problems" };
const FROM = { console: "the console", program: "a program" };

export function show(main, { rest, query, signal }) {
  return rest[0] ? showRequest(main, rest[0], signal) : showAll(main, query, signal);
}

function showAll(main, query, signal) {
  const path = textInput({ type: "search", value: query.get("path") ?? "", placeholder: "Filter by path",
    label: "Path contains" });
  const status = h("select", { label: "Status" },
    Object.entries(STATUSES).map(([value, name]) => h("option", { value }, name)));
  status.value = query.get("status") ?? "";
  const number = h("span.none");
  const { element, body } = table("Requests", ["Status", "Request", "Took", "Caller", "When"]);
  element.classList.add("calls");
  const came = h("div");
  const none = empty("No call yet", "Every call of the API shows up here, with its answer and its log.",
    buttonTo("/", "Send a code", "primary"));
  const noMatch = empty("No call fits", "Change the filter, or clear it.");
  let calls;
  const draw = () => {
    const chosen = queryOf({ path: path.value.trim(), status: status.value });
    history.replaceState(null, "", `/console/requests${chosen}`);
    if (!calls) return;
    const fitting = calls.filter((call) => call.path.includes(path.value.trim()) && fits(call, status.value));
    number.textContent = (chosen && `${fitting.length} of `) + counted(calls.length, "call");
    keep(body, fitting, (call) => call.request_id, rowOf);
    put(came, fitting.length ? element : chosen ? noMatch : none);
  };
  main.append(pageHead("Requests", "The last 500 calls of the API since make run started."),
    h(".row.filters", { role: "search", on: { input: draw } }, path, status, number), came);
  live(signal, async () => {
    calls = await poll("requests", signal);
    draw();
  });
}

const fits = (call, status) => (status === "problem" ? call.status >= 400
  : !status || String(call.status).startsWith(status));

const rowOf = ({ request_id, method, path, status, code, detail, duration_ms, caller, from, at }) => h("tr",
  h("td", pill(status)),
  h("td", h("a.mono", { href: pathOf("requests", request_id) }, h("b", method), " ", path),
    status >= 400 && h("small", code && wrongOf({ code, detail }))),
  h("td", duration(duration_ms)),
  h("td", caller ?? h("span.none", "no token"), h("small", `from ${FROM[from] ?? from}`)),
  h("td", time(at)));
