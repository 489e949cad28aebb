// What was: every request and what became of it, and the record of events.

import { csv } from "./csv.js";
import { el, fill } from "./dom.js";
import { card, chip, field, heading, moment, onChange, saveButton, select, waiting }
  from "./parts.js";
import * as words from "./words.js";

const MOST = 1000;
const STATES = ["", "pending_endorsement", "pending_approval", "scheduled", "active",
  "expired", "revoked", "returned", "denied", "cancelled", "lapsed"];

function requestRow(one) {
  return el("tr", { "data-request": one.id },
    el("td", { "data-label": "Asked" }, moment(words.at(one.requested_at))),
    el("td", { "data-label": "Who and why" },
      el("a", { href: `#/requests/${one.id}`, "data-key": one.id }, one.engineer),
      el("div", { class: "wrap" }, one.reason),
      one.ticket && el("div", { class: "small muted" }, one.ticket)),
    el("td", { "data-label": "Where" }, words.all(one.hosts),
      el("div", { class: "small muted" }, `as ${words.all(one.logins)}: ` +
        `${words.all(one.services)}`)),
    el("td", {}, chip(one.state), el("div", { class: "small muted wrap" }, decider(one))));
}

function decider(one) {
  if (one.denial) return `by ${one.denial.principal}`;
  return one.approvals.length > 0
    ? `approved by ${words.all(one.approvals.map(({ principal }) => principal))}` : "";
}

const HEAD = ["request", "code", "state", "tenant", "engineer", "hosts", "logins",
  "services", "seconds", "ticket", "reason_type", "reason", "requested_at",
  "endorsed_by", "approved_by", "denied_by", "denial_reason", "grant"];

function requestsCsv(requests) {
  return csv([HEAD, ...requests.map((one) => [one.id, one.code, one.state, one.tenant,
    one.engineer, one.hosts.join(" "), one.logins.join(" "), one.services.join(" "),
    one.duration, one.ticket, one.reason_type, one.reason, one.requested_at,
    one.endorsement?.principal, one.approvals.map((a) => a.principal).join(" "),
    one.denial?.principal, one.denial?.reason, one.grant])]);
}

const EVENT_HEAD = ["tenant", "sequence", "at", "event", "actor", "host", "request",
  "grant", "detail"];

const eventsCsv = (events) => csv([EVENT_HEAD, ...events.map((one) =>
  EVENT_HEAD.map((name) => one[name]))]);

function eventRow(one) {
  return el("tr", {},
    el("td", { "data-label": "When" }, moment(words.at(one.at))),
    el("td", {}, el("strong", {}, one.actor), ` ${words.event(one.event)}`,
      el("div", { class: "small muted mono" }, one.event)),
    el("td", {}, one.host, one.detail &&
      el("div", { class: "small wrap" }, one.detail),
    one.grant && el("div", { class: "small" }, el("a", { href: `#/grants/${one.grant}` },
      "the grant"))));
}

function table(caption, head, rows) {
  return el("div", { class: "scroll" }, el("table", { class: "stack" },
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows)));
}

const matches = (one, needle) => needle === "" ||
  JSON.stringify(one).toLowerCase().includes(needle);

const mayReadEvents = (me) => ["auditor", "operator", "approver"]
  .some((role) => me.roles.includes(role));

// The text filter of both lists: shown at once, without asking the broker.
function filterField(id, draw) {
  const needle = field("Find", { id, type: "search", autocomplete: "off",
    placeholder: "name, host, ticket, words" });
  needle.input.addEventListener("input", draw);
  return needle;
}

function tabs(current, me) {
  return mayReadEvents(me) && el("nav", { "aria-label": "History" },
    el("ul", { class: "tabs" }, [["#/history", "Requests"], ["#/history/events",
      "Record"]].map(([href, word]) => el("li", {}, el("a", { href,
      "aria-current": word === current ? "page" : null }, word)))));
}

// One list with a filter and a download. path: () => what to ask for.
function listView(ctx, { title, current, lead, filters, path, row, head, file, write }) {
  const list = el("div", {}, waiting());
  let loaded = { items: [], more: false };
  const needle = filterField("history-find", () => draw());
  function draw() {
    const items = loaded.items.filter((one) =>
      matches(one, needle.input.value.trim().toLowerCase()));
    fill(list, table(`${words.count(items.length, "entry", "entries")}` +
      `${loaded.more ? `, of the newest ${loaded.items.length}` : ""}.`, head,
    items.map(row)), el("div", { class: "actions" },
      saveButton(file, write(items), "Download as CSV", "text/csv")));
  }
  // The whole list is fetched again only when its newest page is another one.
  const show = onChange(async () => {
    loaded = await ctx.api.list(path(), MOST);
    draw();
  });
  return {
    title,
    element: el("div", {}, heading(title, { lead }), tabs(current, ctx.me),
      card(null, el("div", { class: "grid2" }, needle, filters), list)),
    async refresh() { await show([path(), await ctx.api.get(path())]); },
  };
}

export function historyView(ctx) {
  const state = field("What became of it", { id: "history-state", input: select(
    STATES.map((name) => [name, name === "" ? "everything" : words.state(name)[0]]), "") });
  const view = listView(ctx, {
    title: "History", current: "Requests", file: "lockbox-requests.csv",
    lead: "Every request, and what became of it.",
    filters: state, row: requestRow, write: requestsCsv,
    head: ["Asked", "Who and why", "Where", "What became of it"],
    path: () => `/v1/requests?limit=200${state.input.value &&
      `&state=${state.input.value}`}`,
  });
  state.input.addEventListener("change", () => view.refresh());
  return view;
}

export function eventsView(ctx) {
  return listView(ctx, {
    title: "History", current: "Record", file: "lockbox-record.csv",
    lead: "The broker's own record: every decision, and what hosts report.",
    filters: null, row: eventRow, write: eventsCsv, head: ["When", "Who did what", "About"],
    path: () => "/v1/events?limit=200",
  });
}
