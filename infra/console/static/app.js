/** The shell: navigation, and the page of the current URL. */

import { about, atConnection } from "./api.js";
import { h, replace } from "./dom.js";
import { ago, left } from "./format.js";

const GROUPS = {
  Try: ["verify", "workflows", "emails"],
  Watch: ["inbox", "runs", "schedules", "webhooks", "requests"],
  Build: ["api"],
};
const main = document.getElementById("page");
let leave = new AbortController();
let shown = {};

const nameOf = (page) => (page === "api" ? "API" : page[0].toUpperCase() + page.slice(1));
const addressOf = (page) => (page === "verify" ? "/" : `/console/${page}`);

function place() {
  const [, console, page, ...rest] = location.pathname.split("/").map(decodeURIComponent);
  return { page: console === "console" && page ? page : "verify", rest: rest.filter(Boolean) };
}

function drawNav(current) {
  const link = (page) =>
    h("a", { href: addressOf(page), "aria-current": page === current && "page" }, nameOf(page));
  replace(document.getElementById("nav"), Object.entries(GROUPS).map(([name, pages]) =>
    h("div", h("p", name), pages.map(link))));
  document.querySelector("#nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

/**
 * Shows the page of the current URL. `moved`: by a click, so that focus follows.
 * The function that a page may return shows another of its own URLs, and so keeps its list and data.
 */
async function show(moved) {
  const { page, rest } = place();
  const query = new URLSearchParams(location.search);
  if (page === shown.page && shown.move) return shown.move({ rest, query });
  shown = {};
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  drawNav(page);
  document.title = `${nameOf(page)} · backend workflows`;
  if (!Object.values(GROUPS).flat().includes(page)) {
    replace(main, h("h1", "Not found"), h("p", "This page does not exist."));
    return;
  }
  const module = await import(`./pages/${page}.js`);
  if (signal.aborted) return;
  replace(main);
  main.className = page;
  const showing = module.show(main, { rest, query, signal });
  if (moved) main.focus({ preventScroll: true });
  const move = await showing;
  if (!signal.aborted) shown = { page, move };
}

export function go(path) {
  history.pushState(null, "", path);
  scrollTo(0, 0);
  show(true);
}

addEventListener("popstate", () => show(false));
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const plain = !event.defaultPrevented && event.button === 0 &&
    !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || link.target || link.origin !== location.origin || link.download) return;
  if (link.hash || (link.pathname !== "/" && !link.pathname.startsWith("/console"))) return;
  event.preventDefault();
  go(link.pathname + link.search);
});

atConnection((up) => {
  const banner = document.getElementById("connection");
  banner.hidden = up;
  banner.textContent = up ? "" : "make run has stopped. Start it again; this page goes on by itself.";
});

about().then(({ url, stage, app_name }) => {
  if (!url) showEmailsOnly();
  replace(document.getElementById("where"), h("b", app_name), ` · ${stage}`, h("br"), url);
});

function showEmailsOnly() {
  document.body.classList.add("emails-only");
  document.querySelector(".brand").href = "/console/emails";
  if (place().page !== "emails") go("/console/emails");
}

const keepCurrent = (name, words, milliseconds) => setInterval(() => {
  for (const each of document.querySelectorAll(`[data-${name}]`)) each.textContent = words(each.dateTime);
}, milliseconds);
keepCurrent("ago", ago, 10_000);
keepCurrent("left", left, 1000);
show(false);
