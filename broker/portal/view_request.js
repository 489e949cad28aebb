// One request: what is asked, what was checked, what may be decided.

import { decisionPart, powersOver } from "./decide_part.js";
import { deliveriesPart } from "./deliveries_part.js";
import { el, fill } from "./dom.js";
import { card, checks, chip, code, facts, moment, notice, heading, onChange,
  problem, services, tags, textBox, waiting } from "./parts.js";
import { reviewRequest } from "./review.js";
import * as words from "./words.js";

const PENDING = ["pending_approval", "pending_endorsement"];

// Facts come from the text that was signed, never from what stands beside it.
function asked(request) {
  return facts([
    ["Why", el("div", {}, el("p", { class: "reason" }, request.reason),
      el("p", { class: "small muted" }, words.reasonType(request.reason_type)))],
    ["Ticket", request.ticket],
    ["Who", request.engineer],
    ["Hosts", tags(request.host)],
    ["Accounts", tags(request.login)],
    ["May", services(request.service)],
    ["How long", words.span(request.duration)],
    ["From", request.start === null ? "as soon as it is approved"
      : moment(request.start)],
    ["Prolongs", request.extends && el("a", { href: `#/grants/${request.extends}` },
      "a grant that is running")],
    ["Asked", moment(request.requested)],
    ["Engineer's keys", el("span", { class: "mono" }, words.all(request.engineer_key))],
  ]);
}

function step(tone, title, at, more = null) {
  return el("li", { class: tone }, el("strong", {}, title),
    at !== null && el("div", { class: "small" }, moment(at)),
    more && el("div", { class: "small wrap" }, more));
}

function story(given) {
  const { endorsement, approvals, denial } = given;
  const settled = words.state(given.state);
  return el("ol", { class: "timeline" },
    step("good", `${given.engineer} asked`, words.at(given.requested_at)),
    endorsement && step("good", `${endorsement.principal} endorsed`,
      words.at(endorsement.at)),
    approvals.map(({ principal, at }) => step("good", `${principal} approved`,
      words.at(at))),
    denial && step("bad", `${denial.principal} denied`, words.at(denial.at),
      denial.reason && `“${denial.reason}”`),
    PENDING.includes(given.state)
      ? step("wait", settled[0], null, given.waiting_for.length > 0 &&
          `${given.needed} of ${words.all(given.waiting_for)}`)
      : !denial && step(settled[1] === "bad" ? "bad" : "", settled[0], null));
}

function ignored(given) {
  const lapses = words.at(given.lapses_at);
  return PENDING.includes(given.state) && lapses !== null &&
    card("If nobody answers", el("p", {}, "The request lapses ", moment(lapses),
      ". The engineer stays outside, and what they were asked to do is not " +
      "done until they ask again."));
}

const READERS = ["approver", "operator", "auditor"];

// Whom mails and webhooks told. The customer's own page does not ask.
function told(ctx, given) {
  return !ctx.own &&
    READERS.some((role) => ctx.me.roles.includes(role)) &&
    deliveriesPart(ctx, `/v1/deliveries?request=${encodeURIComponent(given.id)}`, {
      title: "Who was told, and whether it arrived", key: "told",
      mayRetry: !ctx.me.roles.includes("auditor") });
}

function codePart(review) {
  return card("The code", el("p", {}, code(review.code, { large: true,
    id: "request-code" })), el("p", { class: "muted" },
    "The engineer's terminal and the mail show the same code. If somebody reads " +
    "you another one, it is another request."));
}

export function requestView(ctx, id) {
  const path = `/v1/requests/${encodeURIComponent(id)}`;
  const top = el("div", {}, waiting());
  const decision = el("div", { id: "decision" });
  const rest = el("div", {});
  let part = null;

  const show = onChange(({ given, review, chain, mayDecide }) => {
    const title = `${review.request.engineer} asks for access`;
    fill(top, heading(title, { back: { href: "#/", text: "Requests" } }),
      el("p", { class: "row" }, chip(given.state), el("span", { class: "muted" },
        `${review.request.tenant} · `, el("span", { class: "mono" }, review.code)),
      mayDecide && el("button", { type: "button", class: "quiet", id: "to-decision",
        on: { click: () => {
          part.element.scrollIntoView({ block: "start" });
          part.element.querySelector("input")?.focus({ preventScroll: true });
        } } }, "Go to the decision")),
      !review.sound && notice("bad", el("h2", {}, "Do not sign this"),
        el("p", {}, "Something about the request is wrong. Call the provider, " +
          "by a number that you know.")),
      given.grant && notice(given.state === "active" ? "good" : "open",
        el("p", {}, "It became a grant. ", el("a", { href: `#/grants/${given.grant}` },
          "See what is open, and revoke it"))),
      card("What is asked", asked(review.request)),
      codePart(review),
      card("What was checked on this page", checks(review.checks.length > 0
        ? review.checks : [{ result: "unsure",
          text: "You may not see the customer's rules, so nothing could be checked." }])),
      chain?.broken && notice("bad", el("p", {}, "The customer's rules do not " +
        `follow each other as they must. ${chain.broken}`)));
    fill(rest, ignored(given), card("So far", story(given), told(ctx, given)),
      card(null, el("details", { "data-key": "request-text" },
        el("summary", {}, "The request exactly as the engineer signed it"),
        textBox(given.text, "request", { id: "request-text", save: "request.txt" }),
        textBox(given.signature, "engineer's signature", { save: "request.txt.sig" }))));
  });

  async function load() {
    const given = await ctx.api.get(path);
    const chain = await ctx.trustOf(given.tenant).catch((error) => {
      if (error.status === 404 || error.status === 403) return null;
      throw error;
    });
    const trust = chain?.current ?? null;
    const review = await reviewRequest(given, trust, ctx.now());
    return { given, review, chain, trust, tag: ctx.api.tagOf(path) };
  }

  const view = {
    title: "Request",
    element: el("div", {}, top, decision, rest),
    async refresh() {
      let loaded;
      try {
        loaded = await load();
      } catch (error) {
        if (error.status === 0 || error.status === 401) throw error;
        fill(top, heading("Request", { back: { href: "#/", text: "Requests" } }),
          problem(error));
        return;
      }
      show({ given: loaded.given, review: loaded.review,
        chain: loaded.chain && { broken: loaded.chain.broken },
        mayDecide: powersOver(loaded, ctx.me, ctx.now()).length > 0 });
      if (part === null) {
        part = decisionPart(ctx, path, () => view.refresh());
        decision.replaceWith(part.element);
      }
      part.take(loaded);
    },
  };
  return view;
}
