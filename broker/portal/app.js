// The portal: frame, routes, session, and the clock that keeps pages fresh.

import { Api } from "./api.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { action, heading, notice, now, problem, tick } from "./parts.js";
import { chains } from "./rules.js";
import { signWithPasskey } from "./signing_in.js";
import { parseKey } from "./sshsig.js";
import { acceptView } from "./view_accept.js";
import { accessView } from "./view_access.js";
import { askView } from "./view_ask.js";
import { grantView } from "./view_grant.js";
import { eventsView, historyView } from "./view_history.js";
import { inboxView, pendingRequests, waitsFor } from "./view_inbox.js";
import { meView } from "./view_me.js";
import { peopleView } from "./view_people.js";
import { requestView } from "./view_request.js";
import { rulesView } from "./view_rules.js";
import { signinView } from "./view_signin.js";
import { tenantView } from "./view_tenant.js";
import { tenantsView } from "./view_tenants.js";
import { webhooksView } from "./view_webhooks.js";
import * as words from "./words.js";

const FRESH_MS = 5000;

const api = new Api();
const main = document.getElementById("main");
const nav = document.getElementById("nav");
const say = document.getElementById("live");
const frame = { view: null, turn: 0, broker: "", me: null, waits: 0 };

// What every view gets. The customer's own page makes one of its own.
function context(me) {
  return {
    api, me, now,
    own: false, // true on the customer's own page
    base: location.origin,
    origin: location.origin,
    rpId: location.hostname,
    trustOf: chains(api),
    sign: (namespace, text, lines) => signWithPasskey({ principal: me.principal,
      rpId: parseKey(lines[0]).application, namespace, text, lines }),
    go: (hash) => { location.hash = hash; },
    announce,
    waits: tellWaiting,
    signOut, entered: enter,
  };
}

// --- routes --------------------------------------------------------------------

const ROUTES = [
  [/^\/?$/, inboxView],
  [/^\/requests\/([^/]+)$/, requestView],
  [/^\/access$/, accessView],
  [/^\/grants\/([^/]+)$/, grantView],
  [/^\/ask$/, askView],
  [/^\/history$/, historyView],
  [/^\/history\/events$/, eventsView],
  [/^\/tenants$/, tenantsView],
  [/^\/tenants\/([^/]+)$/, tenantView],
  [/^\/tenants\/([^/]+)\/rules$/, rulesView],
  [/^\/tenants\/([^/]+)\/people$/, peopleView],
  [/^\/tenants\/([^/]+)\/webhooks$/, webhooksView],
  [/^\/me$/, meView],
];

function notFound() {
  return { title: "Not found", element: el("div", {}, heading("There is no such page"),
    el("p", {}, el("a", { href: "#/" }, "To the requests"))), async refresh() {} };
}

// What is seen without a session.
const OPEN = [[/^\/accept$/, acceptView]];

const route = () => location.hash.replace(/^#/, "") || "/";

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no address of ours: the broker knows nothing of that name
  }
}

function find(table, path) {
  for (const [pattern, make] of table) {
    const found = pattern.exec(path);
    if (found) return (ctx) => make(ctx, ...found.slice(1).map(decoded));
  }
  return null;
}

// --- frame ---------------------------------------------------------------------

function announce(text) {
  say.textContent = "";
  setTimeout(() => { say.textContent = text; }, 50);
}

function drawTop() {
  const me = frame.me;
  fill(document.getElementById("top"),
    el("a", { class: "brand", href: "#/" },
      el("img", { src: "/portal/icon.svg", alt: "" }), el("span", {}, "lockbox ",
        el("small", {}, frame.broker))),
    me && el("div", { class: "who" }, el("span", { id: "whoami" }, me.principal)));
}

const tenantLink = (me) => me.tenants.length === 1
  ? `#/tenants/${me.tenants[0]}` : "#/tenants";

// [hash, word, icon, pattern of the routes below it]
function places(me) {
  return [
    ["#/", "Requests", "inbox", /^\/?$|^\/requests|^\/ask/],
    ["#/access", "Access", "open", /^\/access|^\/grants/],
    ["#/history", "History", "history", /^\/history/],
    [tenantLink(me), me.roles.includes("approver") ? "Rules" : "Customers", "rules",
      /^\/tenants/],
    ["#/me", "You", "me", /^\/me/],
  ];
}

function drawTitle() {
  document.title = `${frame.waits > 0 ? `(${frame.waits}) ` : ""}` +
    `${frame.view?.title ?? "Sign in"} – lockbox`;
}

function drawNav() {
  const { waits } = frame;
  nav.hidden = frame.me === null;
  if (frame.me === null) return;
  const path = route();
  fill(nav, el("ul", {}, places(frame.me).map(([href, word, name, below]) =>
    el("li", {}, el("a", { href, "data-key": href,
      "aria-current": below.test(path) ? "page" : null }, icon(name), word,
    href === "#/" && waits > 0 && el("span", { class: "badge" }, waits,
      el("span", { class: "unseen" }, " wait for you")))))));
}

function leave() {
  frame.view?.stop?.();
  frame.view = null;
}

async function show(view, { focus = true } = {}) {
  leave();
  const turn = ++frame.turn;
  frame.view = view;
  fill(main, view.element);
  drawTitle();
  window.scrollTo(0, 0);
  await freshen();
  if (turn === frame.turn && focus)
    document.getElementById("page-title")?.focus({ preventScroll: true });
}

const banner = el("div", { id: "banner", role: "status" });

// Let the view look again. One look at a time.
async function freshen() {
  const view = frame.view;
  if (view === null || view.busy) return;
  view.busy = true;
  try {
    await view.refresh();
    if (frame.view === view) fill(banner);
  } catch (error) {
    if (frame.view === view) complain(view, error);
  } finally {
    view.busy = false;
  }
}

function complain(view, error) {
  if (error.status === 401 && frame.me !== null) {
    forget();
    show(signinView(context(null), "Your session is over. Sign in again, and this page goes on."));
    return;
  }
  if (!(error.status >= 0)) console.error(error);
  if (!banner.isConnected) view.element.prepend(banner);
  for (const wait of view.element.querySelectorAll(".waiting")) wait.remove();
  fill(banner, error.status === 0
    ? notice("wait", el("p", {}, "The broker cannot be reached. What you see is " +
      "how it was; the page tries again by itself."))
    : problem(error));
}

function navigate() {
  const path = route();
  const open = find(OPEN, path);
  drawNav();
  if (open) show(open(context(frame.me)));
  else if (frame.me === null) show(signinView(context(null)));
  else show((find(ROUTES, path) ?? notFound)(context(frame.me)));
}

// Nobody is signed in any more.
function forget() {
  frame.me = null;
  frame.waits = 0;
  drawTop();
  drawNav();
}

// --- session -------------------------------------------------------------------

async function enter() {
  frame.me = await api.get("/v1/whoami");
  drawTop();
  if (/^\/accept/.test(route())) location.hash = "#/";
  else navigate();
  countWaiting();
}

async function signOut() {
  await api.post("/v1/signout").catch((error) => {
    if (error.status !== 401) throw error;
  });
  forget();
  location.hash = "#/";
  navigate();
}

function tellWaiting(number) {
  if (number === frame.waits) return;
  if (number > frame.waits) announce(`${words.count(number, "request")} waiting for you.`);
  frame.waits = number;
  drawNav();
  drawTitle();
}

// The number beside "Requests", on whatever page the person is.
async function countWaiting() {
  if (frame.me === null) return;
  try {
    const requests = await pendingRequests(api);
    tellWaiting(requests.filter((one) => waitsFor(one, frame.me)).length);
  } catch {
    // The page itself says when the broker is away.
  }
}

async function begin() {
  try {
    frame.broker = (await api.get("/v1/broker")).broker;
    frame.me = await api.get("/v1/whoami");
  } catch (error) {
    if (error.status !== 401) {
      drawTop();
      fill(main, heading("lockbox"), problem(error),
        action("Try again", begin, { tone: "primary" }));
      return;
    }
  }
  drawTop();
  navigate();
  countWaiting();
}

window.addEventListener("hashchange", navigate);
// Not by its hash: that would be a route.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") freshen();
});
setInterval(() => {
  tick();
  if (document.visibilityState === "visible") freshen();
}, FRESH_MS);
setInterval(() => {
  if (document.visibilityState === "visible" && route() !== "/") countWaiting();
}, 4 * FRESH_MS);
begin();
