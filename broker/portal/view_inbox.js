// What waits: for the reader first, then for others.

import { el, fill } from "./dom.js";
import { card, chip, empty, heading, onChange, relative, tags, waiting }
  from "./parts.js";
import * as words from "./words.js";

const PENDING = ["pending_approval", "pending_endorsement"];

// Who is asked to act on it: does it wait for this person?
export function waitsFor(request, me) {
  if (request.engineer === me.principal) return false;
  if (request.state === "pending_endorsement") return me.roles.includes("manager");
  return request.state === "pending_approval" &&
    request.waiting_for.includes(me.principal) &&
    !request.approvals.some(({ principal }) => principal === me.principal);
}

// "ada wants sshd and sudo on 2 hosts".
export function headline(request) {
  const hosts = request.hosts.length <= 2 ? words.all(request.hosts)
    : words.count(request.hosts.length, "host");
  return `${request.engineer} asks for ${hosts}`;
}

function requestCard(request) {
  const lapses = words.at(request.lapses_at);
  return el("li", { class: "card link", "data-request": request.id },
    el("h2", {}, el("a", { href: `#/requests/${request.id}`,
      "data-key": request.id }, headline(request))),
    el("p", { class: "wrap" }, request.reason),
    el("div", { class: "row" }, chip(request.state),
      lapses !== null && el("span", { class: "small muted" }, "lapses ",
        relative(lapses)),
      request.needed > 1 && el("span", { class: "small muted" },
        `${request.approvals.length} of ${request.needed} approvals`)),
    el("div", { class: "row small" }, tags([...request.logins, ...request.services]),
      el("span", { class: "muted" }, `for ${words.span(request.duration)}`),
      request.ticket && el("span", { class: "muted" }, request.ticket),
      el("span", { class: "muted mono" }, request.code)));
}

function group(title, requests, none) {
  if (requests.length === 0) return none;
  return el("section", {}, el("h2", {}, `${title} (${requests.length})`),
    el("ul", { class: "cards" }, requests.map(requestCard)));
}

export async function pendingRequests(api) {
  const lists = await Promise.all(PENDING.map((state) =>
    api.list(`/v1/requests?state=${state}`)));
  return lists.flatMap(({ items }) => items);
}

export function inboxView(ctx) {
  const list = el("div", {}, waiting());
  const engineer = ctx.me.roles.includes("engineer");
  const show = onChange((requests) => {
    const mine = requests.filter((request) => waitsFor(request, ctx.me));
    const others = requests.filter((request) => !mine.includes(request));
    fill(list,
      group("Waiting for you", mine, empty("good", "Nothing waits for you",
        "New requests appear here by themselves, and by mail where an address is known.")),
      group(engineer ? "Your requests and others" : "Waiting for others", others,
        null),
      ctx.me.roles.includes("approver") && mine.length > 0 &&
        card("If you do nothing", el("p", {}, "A request that nobody answers " +
          "lapses. The engineer stays outside, and the work that they asked " +
          "for is not done until they ask again.")));
    ctx.waits?.(mine.length);
  });
  return {
    title: "Requests",
    element: el("div", {}, heading("Requests", { lead: engineer
      ? "Your open requests, and how far they are."
      : "Who asks to be let in, and why." }),
    engineer && el("p", {}, el("a", { class: "button primary", href: "#/ask",
      id: "ask" }, "Ask for access")), list),
    async refresh() {
      show(await pendingRequests(ctx.api));
    },
  };
}
