// The customer's own page: its frame, its routes, and what is read again every
// few seconds. The views are the portal's.

import { Api } from "../portal/api.js";
import { el, fill } from "../portal/dom.js";
import { icon } from "../portal/icons.js";
import { heading, now, problem, tick, waiting } from "../portal/parts.js";
import { signWithPasskey } from "../portal/signing_in.js";
import { accessView } from "../portal/view_access.js";
import { grantView } from "../portal/view_grant.js";
import { inboxView } from "../portal/view_inbox.js";
import { requestView } from "../portal/view_request.js";
import { rulesView } from "../portal/view_rules.js";
import { tenantView } from "../portal/view_tenant.js";
import { count } from "../portal/words.js";
import { rulesOf } from "./chain.js";
import { readConfig } from "./config.js";
import { invitationView, signInView } from "./entering.js";

const EVERY_MS = 5000;
const VIEWS = [
  [/^$/, inboxView],
  [/^requests\/([^/]+)$/, requestView],
  [/^access$/, accessView],
  [/^grants\/([^/]+)$/, grantView],
  [/^tenants\/([^/]+)$/, tenantView],
  [/^tenants\/([^/]+)\/rules$/, rulesView],
];

// [where, icon, word, pattern of the routes below it]
const places = (tenant) => [
  ["", "inbox", "Requests", /^$|^requests/],
  ["access", "open", "Access", /^access|^grants/],
  [`tenants/${tenant}`, "rules", "Rules", /^tenants/],
];

const part = (id) => document.getElementById(id);
const here = () => location.hash.replace(/^#\/?/, "");

// What the portal's views are given. own: this page may not ask for all that
// the portal may.
function context(page, me) {
  const { api, config } = page;
  return {
    api, me, now, own: true, base: config.broker, origin: location.origin,
    rpId: config.rpId,
    trustOf: rulesOf(api, config, now),
    sign: (namespace, text, lines) => signWithPasskey({
      principal: me.principal, rpId: config.rpId, namespace, text, lines }),
    announce: (text) => { part("live").textContent = text; },
    go: (hash) => { location.hash = hash; },
    waits: (number) => page.tellWaiting(number),
  };
}

class Page {
  constructor(config) {
    this.config = config;
    this.now = now;
    this.api = new Api(config.broker);
    this.ctx = null;
    this.view = null;
    this.busy = false;
    this.waiting = 0;
  }

  entered(me) {
    this.ctx = context(this, me);
    this.route();
  }

  leave(note) {
    this.api = new Api(this.config.broker);
    this.ctx = null;
    this.waiting = 0;
    this.note = note;
    this.route();
  }

  frame() {
    const { ctx, config } = this;
    fill(part("top"), el("a", { class: "brand", href: "#/" }, icon("rules"),
      el("span", {}, "Lockbox ", el("small", {}, config.tenant))),
    ctx && el("div", { class: "who" }, el("span", {}, ctx.me.principal),
      el("button", { type: "button", class: "quiet", on: { click: async () => {
        await this.api.post("/v1/signout").catch(() => {});
        this.leave(null);
      } } }, "Sign out")));
    part("nav").hidden = ctx === null;
    fill(part("nav"), ctx && el("ul", {}, places(config.tenant)
      .map(([where, picture, title, below]) =>
        el("li", {}, el("a", { href: `#/${where}`,
          "aria-current": below.test(here()) ? "page" : null },
        icon(picture), title)))));
  }

  // What stands in the tab: also that somebody waits.
  name() {
    document.title = `${this.waiting > 0 ? `(${this.waiting}) ` : ""}` +
      `${this.view.title} – Lockbox`;
  }

  tellWaiting(number) {
    if (number > this.waiting)
      this.ctx.announce(`${count(number, "request")} waiting for you.`);
    this.waiting = number;
    this.name();
  }

  pick() {
    if (this.ctx === null)
      return here() === "invitation" ? invitationView(this)
        : signInView(this, this.note);
    for (const [pattern, view] of VIEWS) {
      const found = pattern.exec(here());
      if (found) return view(this.ctx, ...found.slice(1).map(decodeURIComponent));
    }
    return { title: "Nothing here", element: heading("There is no such page",
      { back: { href: "#/", text: "Requests" } }) };
  }

  route() {
    this.view?.stop?.();
    this.view = this.pick();
    this.frame();
    this.name();
    fill(part("main"), el("div", { id: "trouble" }), this.view.element);
    part("main").querySelector("h1")?.focus();
    return this.refresh();
  }

  // The view may be another one by the time its answer comes.
  async refresh() {
    const { view } = this;
    this.busy = true;
    try {
      await view.refresh?.();
      if (view === this.view) this.complain(null);
    } catch (error) {
      if (view !== this.view) return;
      if (error.status === 401)
        this.leave("Your session is over. Sign in again to go on.");
      else this.complain(error);
    } finally {
      this.busy = false;
    }
  }

  complain(error) {
    fill(part("trouble"), error && problem(error));
  }
}

async function start() {
  if (window.top !== window.self) {
    fill(part("main"), heading("This page does not run inside another one"));
    return;
  }
  fill(part("main"), waiting());
  let page;
  try {
    page = new Page(await readConfig());
  } catch (error) {
    fill(part("main"), heading("This page is not set up", { lead: "Whoever " +
      "serves it must mend what stands beside it. Nothing can be approved here " +
      "until then." }), problem(error));
    return;
  }
  addEventListener("hashchange", () => page.route());
  const again = () => {
    tick();
    if (page.ctx !== null && !page.busy && !document.hidden) page.refresh();
  };
  document.addEventListener("visibilitychange", again);
  setInterval(again, EVERY_MS);
  page.route();
}

start();
