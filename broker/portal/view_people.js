// A customer's people: who hears of requests, who is invited, whose new key
// waits to be compared.

import { valid } from "./documents.js";
import { el, fill, refill } from "./dom.js";
import { action, card, code, facts, field, heading, moment, notice, onChange, waiting }
  from "./parts.js";
import { fingerprint, keyCode, parseKey } from "./sshsig.js";
import { isApprover, tenantPath, tenantTabs } from "./tenant_part.js";
import * as words from "./words.js";

const KIND_WORDS = { approver: "approver", owner: "owner", hook: "system",
  delegate: "delegate of the provider" };

function contactItem(ctx, path, contact, refresh) {
  const mail = field("Mail address", { type: "email", value: contact.mail ?? "",
    id: `mail-${contact.principal}`, autocomplete: "off" });
  const links = el("input", { type: "checkbox", checked: contact.links });
  return el("li", { "data-contact": contact.principal }, el("div", {},
    el("strong", {}, contact.principal), el("p", { class: "small muted" },
      words.all((contact.kinds ?? []).map((kind) => KIND_WORDS[kind] ?? kind)) ||
      "not in the rules"),
    contact.mail ? el("p", { class: "small" }, contact.mail,
      !contact.links && ", without links")
      : el("p", { class: "small" }, el("strong", {}, "No address: "),
        "hears of nothing by mail.")),
  el("details", { "data-key": `contact-${contact.principal}` },
    el("summary", {}, "Change", el("span", { class: "unseen" },
      ` the address of ${contact.principal}`)),
    mail, el("label", { class: "choice" }, links, el("span", {}, "Mails carry a link",
      el("small", {}, "Off: only the code, against forged mails."))),
    action("Save", async () => {
      const address = mail.input.value.trim();
      await ctx.api.post(`${path}/contacts`, { principal: contact.principal,
        mail: address === "" ? null : address, links: links.checked, language: "en" });
      ctx.announce("The address was saved.");
      await refresh();
    }, { tone: "quiet" })));
}

function invitePart(ctx, path, refresh) {
  const principal = field("Who", { id: "invite-principal", spellcheck: "false",
    autocapitalize: "none", placeholder: "anna@acme.example" });
  const mail = field("Mail address", { id: "invite-mail", type: "email",
    hint: "Told that they are invited, never the code." });
  const owner = el("input", { type: "checkbox", id: "invite-owner" });
  const made = el("div", {});
  return card("Invite somebody", el("p", {}, "You get a code to hand over yourself, by " +
    "telephone or face to face. With it they make their own keys. An invitation " +
    "gives no power: that comes only with the rules."),
  principal, mail, el("label", { class: "choice" }, owner,
    el("span", {}, "Shall become an owner too")),
  action("Invite", async () => {
    const name = principal.input.value.trim();
    if (principal.wrong(valid("principal", name) ? null : "A name such as anna@acme.example."))
      return;
    const address = mail.input.value.trim();
    const got = await ctx.api.post(`${path}/invitations`, { principal: name,
      owner: owner.checked, ...(address ? { mail: address } : {}) });
    principal.input.value = mail.input.value = "";
    fill(made, notice("good", el("h3", {}, `The code for ${got.principal}`),
      el("p", {}, code(got.code, { large: true, id: "invite-code" })),
      el("p", {}, "It is shown only now. They open ", el("code", {},
        `${ctx.base}/#/accept`), ". Good until ", moment(words.at(got.expires_at)), ".")));
    await refresh();
  }, { id: "invite", tone: "primary" }), made);
}

function invitationItem(ctx, one, refresh) {
  return el("li", { "data-invitation": one.id }, el("div", {}, el("strong", {}, one.principal),
    el("p", { class: "small muted" }, one.state === "burnt" && el("strong", {},
      "Burnt by wrong codes, invite them again. "), `Invited by ${one.invited_by}, good until `,
      moment(words.at(one.expires_at)))),
  action("Withdraw", async () => {
    await ctx.api.post(`/v1/invitations/${encodeURIComponent(one.id)}/withdraw`);
    ctx.announce("The invitation was withdrawn.");
    await refresh();
  }, { tone: "quiet", describe: `Withdraw the invitation of ${one.principal}`,
    key: `withdraw-${one.id}` }));
}

async function candidateItem(ctx, one, refresh) {
  const key = parseKey(one.key);
  return el("li", { "data-candidate": one.fingerprint }, el("div", {},
    el("strong", {}, one.principal), facts([
      ["Key", `${one.label ?? "key"}${one.origin ? `, made on ${one.origin}` : ""}`],
      ["Code to compare", code(await keyCode(key))],
      ["Fingerprint", el("span", { class: "mono small" }, await fingerprint(key))],
      ["Made", moment(words.at(one.at))], ["Invited by", one.invited_by]])),
  action("Remove", async () => {
    await ctx.api.post(`/v1/candidates/${encodeURIComponent(one.id)}/remove`);
    ctx.announce("The key was removed.");
    await refresh();
  }, { tone: "quiet", describe: `Remove the key of ${one.principal}`,
    key: `candidate-${one.id}` }));
}

// A list, or empty where the broker has none such or the reader may not see it.
export async function listOr404(api, path) {
  try {
    return (await api.list(path)).items;
  } catch (error) {
    if (error.status === 404 || error.status === 403) return [];
    throw error;
  }
}

export function peopleView(ctx, name) {
  const path = tenantPath(name);
  const [contacts, invitations, candidates] = [el("div", {}, waiting()), el("div", {}),
    el("div", {})];
  const refresh = () => view.refresh();

  const showContacts = onChange((items) => refill(contacts, card("Who is told by mail",
    el("p", { class: "muted" }, "Mail carries what is asked and a code. It carries no power."),
    el("ul", { class: "lines" }, items.map((one) => contactItem(ctx, path, one, refresh))))));
  const showInvitations = onChange((items) => fill(invitations, items.length > 0 &&
    card("Invitations that are open", el("ul", { class: "lines" },
      items.map((one) => invitationItem(ctx, one, refresh))))));
  const showCandidates = onChange(async (items) => fill(candidates, items.length > 0 &&
    card("New keys that wait", el("p", {}, "No power yet. An owner compares the code with " +
      "the holder's screen, then adds the key to the rules."),
    el("ul", { class: "lines" }, await Promise.all(items.map((one) =>
      candidateItem(ctx, one, refresh)))),
    isApprover(ctx.me, name) && el("p", {}, el("a", { class: "button",
      href: `#/tenants/${name}/rules` }, "Add to the rules")))));

  const view = {
    title: `People of ${name}`,
    element: el("div", {},
      heading("People", { lead: `Who is told, and who is invited to ${name}.` }),
      tenantTabs(ctx, name, "People"), candidates, contacts, invitations,
      invitePart(ctx, path, refresh)),
    async refresh() {
      const [people, open, keys] = await Promise.all([
        listOr404(ctx.api, `${path}/contacts`), listOr404(ctx.api, `${path}/invitations`),
        listOr404(ctx.api, `${path}/candidates`)]);
      showContacts(people);
      showInvitations(open);
      await showCandidates(keys);
    },
  };
  return view;
}
