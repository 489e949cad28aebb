// What a customer's pages share: where one is among them, what a person may
// do there, and how new rules are proposed.

import { el, fill } from "./dom.js";
import { action, card, changes, checks, notice } from "./parts.js";
import { putPanel } from "./sign_panel.js";
import { diff, linesOf, readTrust } from "./trust.js";

const TRUST = "lockbox-trust-v1";

export const tenantPath = (name) => `/v1/tenants/${encodeURIComponent(name)}`;

export function tenantTabs(ctx, name, current) {
  const base = `#/tenants/${encodeURIComponent(name)}`;
  // A customer's own page has what needs the customer's passkeys, not the rest.
  const staff = !ctx.own &&
    (isApprover(ctx.me, name) || ctx.me.roles.includes("operator"));
  return el("nav", { "aria-label": `Settings of ${name}` }, el("ul", { class: "tabs" },
    [[base, "Rules"], [`${base}/rules`, "Change", isApprover(ctx.me, name)],
      [`${base}/people`, "People", staff], [`${base}/webhooks`, "Webhooks", staff]]
      .filter(([, , may = true]) => may)
      .map(([href, word]) => el("li", {}, el("a", { href,
        "aria-current": word === current ? "page" : null }, word)))));
}

export function isApprover(me, tenant) {
  return me.roles.includes("approver") && me.tenants.includes(tenant);
}

export function isOwner(me, trust, now) {
  return linesOf(trust, me.principal, TRUST, now).length > 0;
}

// Post a proposal or a signature to it. done gets "open" or "in force".
async function post(ctx, name, body, done) {
  const got = await ctx.api.post(`${tenantPath(name)}/proposal`, body);
  ctx.announce(got.proposal === null ? "The new rules are in force."
    : "Your signature was added.");
  await done(got.proposal === null ? "in force" : "open");
}

// New rules against those in force: what changes in words, then the text to
// sign. given: {name, trust, text, done}.
export async function putProposal(container, ctx, given) {
  const next = await readTrust(given.text);
  const sign = el("div", {});
  const other = el("div", {});
  const send = (body) => post(ctx, given.name, { text: given.text, ...body }, given.done);

  async function propose(signature) {
    try {
      await send({ signature });
    } catch (error) {
      if (error.code !== "proposal_open") throw error;
      fill(other, notice("wait", el("p", {}, "Other rules are proposed already. Only " +
        "one proposal can be open; replacing it drops its signatures."),
      action("Replace that proposal", () => send({ signature, replace: true }),
        { id: "trust-replace" })));
      document.getElementById("trust-replace").focus();
    }
  }
  const follows = next.document.previous === given.trust.id &&
    next.document.serial === given.trust.document.serial + 1;
  const owner = isOwner(ctx.me, given.trust, ctx.now());
  fill(container, card("What changes", changes(diff(given.trust, next)),
    el("p", { class: "small muted" }, `Serial ${given.trust.document.serial} becomes ` +
      `${next.document.serial}. Hosts take it up with their next answer.`),
    !follows && checks([{ result: "bad",
      text: "This text does not follow the rules in force. Do not sign it." }]),
    follows && (owner ? [sign, other] : notice("open", el("p", {},
      "Only owners sign rules. You may look.")))));
  if (follows && owner) putPanel(sign, ctx, {
    id: "trust", label: "Sign the new rules", namespace: TRUST, text: given.text,
    file: "trust.txt", trust: given.trust, kinds: ["approver"], withText: true,
    path: `${tenantPath(given.name)}/proposal`,
    hash: `#/tenants/${given.name}`, saved: true,
    command: "lockbox trust propose trust.txt",
    send: (signature) => propose(signature),
  });
}
