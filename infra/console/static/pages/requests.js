/** Requests: the last calls, and one of them with its log lines. */

import { live, local } from "../api.js";
import { h, keep, replace } from "../dom.js";
import { counted, duration } from "../format.js";
import { empty, pageHead, pill, row, table, time } from "../parts.js";
import { showRequest } from "./request_one.js";

const STATUSES = { "": "All", 2: "2xx", 4: "4xx", 5: "5xx", problem: "Only problems" };

export function show(main, { rest, query, signal }) {
  return rest[0] ? showRequest(main, rest[0], signal) : showAll(main, query, signal);
}

function showAll(main, query, signal) {
  const path = h("input", { type: "search", value: query.get("path") ?? "", placeholder: "Filter by path",
    "aria-label": "Path contains", autocomplete: "off", spellcheck: "false" });
  const status = h("select", { "aria-label": "Status" },
    Object.entries(STATUSES).map(([value, name]) => h("option", { value }, name)));
  status.value = query.get("status") ?? "";
  const number = h("span", { class: "none" });
  const { element, body } = table("Requests",
    ["Status", "Request", "Took", "Caller", "When"]);
  element.querySelectorAll("th").forEach((each, place) => (each.className = ["", "", "number wide", "wide", ""][place]));
  element.classList.add("calls");
  const came = h("div", {});
  const none = empty("No call yet", "Every call of the API shows up here, with its answer and its log.",
    h("a", { class: "button primary", href: "/" }, "Send a code"));
  const noMatch = empty("No call fits", "Change the filter, or clear it.");
  let calls = [];
  const draw = () => {
    const fitting = calls.filter((call) => call.path.includes(path.value.trim()) && fits(call, status.value));
    const filtered = path.value.trim() || status.value;
    number.textContent = filtered ? `${fitting.length} of ${counted(calls.length, "call")}`
      : counted(calls.length, "call");
    keep(body, fitting, (call) => call.request_id, rowOf);
    const wanted = fitting.length ? element : filtered ? noMatch : none;
    if (wanted.parentNode !== came) replace(came, wanted);
  };
  const filter = () => {
    const kept = new URLSearchParams(Object.entries({ path: path.value.trim(), status: status.value })
      .filter(([, value]) => value));
    history.replaceState(null, "", `/console/requests${kept.size ? `?${kept}` : ""}`);
    draw();
  };
  main.append(pageHead("Requests", "The last 500 calls of the API since make run started, newest first."),
    h("div", { class: "filters", role: "search", on: { input: filter } }, path, status, number), came);
  live(signal, 1500, async () => {
    calls = await local("requests", { poll: true, signal });
    draw();
  });
}

const fits = (call, status) => (status === "problem" ? call.status >= 400
  : !status || String(call.status).startsWith(status));

function rowOf({ request_id, method, path, status, code, detail, duration_ms, caller, from, at }) {
  const made = row(pill(status),
    [h("a", { class: "mono", href: `/console/requests/${encodeURIComponent(request_id)}` }, h("b", {}, method), " ", path),
      status >= 400 && h("small", {}, code && h("code", {}, code), code && " ", detail)],
    duration(duration_ms),
    [caller ?? h("span", { class: "none" }, "no token"), h("small", {}, `from ${{ console: "the console", program: "a program" }[from] ?? from}`)],
    time(at));
  ["", "", "number wide", "wide brief", "brief"].forEach((name, place) => (made.children[place].className = name));
  return made;
}
