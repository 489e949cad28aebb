// A customer's rules as they are in force, the switch, and what is proposed.

import { DocumentError } from "./documents.js";
import { el, fill } from "./dom.js";
import { action, card, chip, code, facts, field, fromLocalInput, heading, moment,
  notice, now, onChange, relative, saveButton, toLocalInput, waiting } from "./parts.js";
import { keyCode, keyOfFile } from "./sshsig.js";
import { isApprover, isOwner, putProposal, tenantPath, tenantTabs }
  from "./tenant_part.js";
import { off, offUntil, on, pageWords, successor } from "./trust.js";
import * as words from "./words.js";

const SPANS = [[4 * 3600, "4 hours"], [8 * 3600, "8 hours"], [24 * 3600, "1 day"],
  [7 * 86400, "7 days"]];

function inForce(trust) {
  const d = trust.document;
  const [require, requireMore] = words.require(d.require);
  return facts([
    ["Approvals needed", `${d.threshold}, of different people with different keys`],
    ["Keys that approve", el("div", {}, el("p", {}, require),
      el("p", { class: "small muted" }, requireMore))],
    ["Longest access", words.span(d.longest)],
    ["Lease", `A session lives ${words.span(d.lease)} without contact to the broker`],
    ["Broker away", d.offline === "allow"
      ? "Hosts take a signed grant from their own administrator"
      : "Nobody enters until it is back"],
    ["Pages", trust.pages.length === 0 ? "none: passkeys do not count"
      : el("ul", {}, trust.pages.map((page) => el("li", {}, pageWords(page))))],
    ["Good until", moment(d.good_until)],
    ["Serial", `${d.serial}`],
    ["Id", el("span", { class: "mono small" }, trust.id)],
  ]);
}

async function lineItem(line) {
  const dates = [line.after && ["from ", moment(line.after)],
    line.before && [" until ", moment(line.before)]].filter(Boolean);
  return el("li", {}, el("div", {}, el("strong", {}, line.principal),
    el("p", { class: "small" }, `may ${words.powers(line.namespaces)} with ` +
      (line.key.passkey ? `a passkey of ${line.key.application}`
        : line.key.sk ? "a security key" : "an SSH key")),
    el("p", { class: "small muted mono" }, line.fingerprint),
    dates.length > 0 && el("p", { class: "small muted" }, dates)),
  el("div", {}, code(await keyCode(line.key))));
}

const LISTS = [["approver", "People who decide"], ["hook", "Systems that decide"],
  ["engineer", "Engineers whose requests count"],
  ["delegate", "Delegates of the provider"], ["broker", "Brokers"]];

async function listCards(trust) {
  return Promise.all(LISTS.filter(([kind]) => trust[kind].length > 0)
    .map(async ([kind, title]) => card(title, el("ul", { class: "lines" },
      await Promise.all(trust[kind].map(lineItem))))));
}

// Delegates of earlier rules, each once: they are offered again.
function formerDelegates(chain) {
  const found = new Map();
  for (const trust of chain.list)
    for (const line of trust.delegate)
      found.set(`${line.principal} ${line.key.line}`,
        { principal: line.principal, key: line.key.line, fingerprint: line.fingerprint });
  return [...found.values()];
}

function offForm(ctx, chain, propose) {
  const former = formerDelegates(chain);
  const known = former.map((one, i) => el("label", { class: "choice" },
    el("input", { type: "checkbox", value: i, checked: i === 0 }),
    el("span", {}, one.principal, el("small", { class: "mono" }, one.fingerprint))));
  const principal = field("Who at the provider may approve alone", { id: "off-principal",
    placeholder: "max@provider.example", spellcheck: "false", autocapitalize: "none" });
  const key = field("Their public key", { id: "off-key", name: "textarea", class: "mono",
    spellcheck: "false", placeholder: "ssh-ed25519 AAAA…",
    hint: "Ask them for it, and compare its fingerprint by telephone." });
  const until = field("Until", { id: "off-until", type: "datetime-local",
    value: toLocalInput(now() + 8 * 3600),
    hint: "Your own time. Then lockbox is on again by itself." });
  const quick = el("div", { class: "row" }, SPANS.map(([seconds, word]) =>
    el("button", { type: "button", class: "quiet", on: { click: () => {
      until.input.value = toLocalInput(now() + seconds);
    } } }, word)));
  function delegates() {
    const chosen = known.flatMap((label, i) => label.querySelector("input").checked
      ? [former[i]] : []);
    if (principal.input.value.trim() !== "")
      chosen.push({ principal: principal.input.value.trim(),
        key: keyOfFile(key.input.value).line });
    if (chosen.length === 0) throw new DocumentError("Name somebody who may approve.");
    return chosen;
  }
  return el("details", { "data-key": "off", id: "switch-off" },
    el("summary", {}, "Switch lockbox off for a time …"),
    el("p", {}, "Off means: until an hour that you name, one person at the provider " +
      "may approve alone, without you. Everything is still recorded, you may still " +
      "deny and revoke, and what rests on it ends at that hour."),
    known.length > 0 && el("fieldset", {}, el("legend", {}, "Delegates of before"), known),
    principal, key, until, quick,
    el("div", { class: "actions" }, action("Show what changes", async () => {
      const end = fromLocalInput(until.input.value);
      if (until.wrong(end === null || end <= now() ? "A time that is still to come." : null))
        return;
      const lines = off(delegates(), end);
      await propose({ ...lines, delegate: [...new Set(lines.delegate)] });
    }, { id: "off-show", tone: "primary" })));
}

function switchCard(ctx, chain, owner, propose) {
  const until = offUntil(chain.current, now());
  return card("The switch", until === null
    ? [el("p", { class: "row" }, el("span", { class: "chip good", id: "switch-state",
      "data-state": "on" }, "Lockbox is on"), "Only your approvers let anybody in."),
    owner && offForm(ctx, chain, propose)]
    : [el("p", { class: "row" }, el("span", { class: "chip wait", id: "switch-state",
      "data-state": "off" }, "Lockbox is off"), "until ", moment(until)),
    el("p", {}, `${words.all(new Set(chain.current.delegate.map((line) =>
      line.principal)))} may approve alone until then.`),
    owner && action("Switch lockbox on …", () => propose(on()),
      { id: "on-show", tone: "primary" })]);
}

function hostsCard(hosts) {
  return card("Hosts", hosts.length === 0 ? el("p", { class: "muted" }, "None yet.")
    : el("ul", { class: "lines" }, hosts.map((host) => el("li", {},
      el("div", {}, el("strong", {}, host.name), el("p", { class: "small muted" },
        host.last_seen_at ? ["seen ", relative(words.at(host.last_seen_at))]
          : "not seen yet")), chip(host.state)))));
}

export function tenantView(ctx, name) {
  const path = tenantPath(name);
  const state = el("div", {}, waiting());
  const proposal = el("div", { id: "proposal" });
  const draft = el("div", { id: "trust-draft" });
  const lists = el("div", {});
  const hosts = el("div", {});
  const done = async (became) => {
    fill(draft);
    if (became === "in force") fill(proposal);
    await view.refresh();
  };

  const showRules = onChange(async (id) => {
    const chain = await ctx.trustOf(name);
    const owner = isOwner(ctx.me, chain.current, now()) && isApprover(ctx.me, name);
    const propose = async (change) => {
      const text = await successor(chain.current, change);
      await putProposal(draft, ctx, { name, trust: chain.current, text, done });
      draft.scrollIntoView({ block: "start" });
    };
    fill(state, chain.broken && notice("bad", el("h2", {}, "These rules do not hold together"),
      el("p", {}, chain.broken)),
    chain.unsure && notice("wait", el("p", {}, chain.unsure)),
    switchCard(ctx, chain, owner, propose), card("In force", inForce(chain.current),
      el("div", { class: "actions" }, saveButton(`trust-${name}.bundle`,
        await ctx.api.get(`${path}/trust`), "Save all rules so far, with signatures"))));
    fill(lists, await listCards(chain.current));
    return id;
  });

  const showProposal = onChange(async (given) => {
    if (given === null) {
      fill(proposal);
      return;
    }
    const chain = await ctx.trustOf(name);
    const panel = el("div", {});
    const signed = given.signatures.map(({ principal }) => principal);
    fill(proposal, notice("wait", el("h2", {}, "New rules are proposed"),
      el("p", {}, `By ${given.by}, `, moment(words.at(given.at)), ". ",
        `Signed by ${words.all(signed) || "nobody"}: ${signed.length} of ` +
        `${given.needed}.`),
      signed.includes(ctx.me.principal) && el("p", {}, "You have signed them."),
      isApprover(ctx.me, name) && action("Withdraw the proposal", async () => {
        await ctx.api.post(`${path}/proposal/withdraw`);
        ctx.announce("The proposal was withdrawn.");
        await view.refresh();
      }, { id: "proposal-withdraw", tone: "quiet" })), panel);
    await putProposal(panel, ctx, { name, trust: chain.current, text: given.text, done });
    if (signed.includes(ctx.me.principal)) document.getElementById("trust-panel")?.remove();
  });

  const showHosts = onChange((list) => fill(hosts, hostsCard(list)));

  const view = {
    title: name,
    element: el("div", {}, heading(name), tenantTabs(ctx, name, "Rules"), proposal,
      draft, state, lists, hosts),
    async refresh() {
      const tenant = await ctx.api.get(path);
      if (!tenant.trust) {
        fill(state, notice("wait", el("p", {}, "This customer has no rules yet.")));
        return;
      }
      await showRules([tenant.trust.sha256, tenant.off_until]);
      await showProposal(await ctx.api.get(`${path}/proposal`).catch((error) => {
        if (error.status === 404) return null;
        throw error;
      }));
      if (ctx.own) return; // a customer's own page may not ask for hosts
      showHosts((await ctx.api.list(`/v1/hosts?tenant=${encodeURIComponent(name)}`)).items);
    },
  };
  return view;
}
