// The person who is signed in: session, sign-in passkeys, signing out.

import { el, fill } from "./dom.js";
import { action, card, empty, facts, field, heading, moment, notice, now, onChange,
  select, waiting } from "./parts.js";
import { supported } from "./passkey.js";
import { makePasskey } from "./signing_in.js";
import { fingerprint, parseKey } from "./sshsig.js";
import * as words from "./words.js";

const WAYS = {
  ssh: "an SSH key", signin_passkey: "a sign-in passkey",
  pinned_passkey: "the passkey that approves",
};

// Whom a new passkey speaks for, where that is not plain: [value, word].
function realms(me) {
  const provider = me.roles.some((role) => role !== "approver");
  return [...(provider ? [["", "The provider"]] : []),
    ...Object.keys(me.tenant_roles ?? {}).map((name) => [name, name])];
}

const ROLES = {
  engineer: "asks for access and uses it",
  manager: "endorses requests for the provider, and stops access",
  operator: "runs the broker: people, customers, hosts",
  auditor: "reads everything",
  approver: "decides for the customer",
  owner: "signs the customer's rules",
};

function roleList(me) {
  const tenants = Object.entries(me.tenant_roles ?? {});
  return el("ul", {},
    me.roles.filter((role) => tenants.length === 0 || role !== "approver")
      .map((role) => el("li", {}, el("strong", {}, role), ` – ${ROLES[role] ?? ""}`)),
    tenants.flatMap(([tenant, roles]) => roles.map((role) => el("li", {},
      el("strong", {}, `${role} of ${tenant}`), ` – ${ROLES[role] ?? ""}`))));
}

export function meView(ctx) {
  const { me } = ctx;
  const list = el("div", {}, waiting());
  const label = field("A name for it", { id: "signin-key-label", maxlength: 64,
    placeholder: "my phone" });

  const realm = field("For your work at", { id: "signin-key-realm",
    input: select(realms(me), realms(me)[0]?.[0]) });
  const several = realms(me).length > 1;

  const keyLine = (key, print) => el("li", { "data-key-id": key.id },
    el("div", {}, el("strong", {}, key.label || "passkey"),
      el("p", { class: "small muted" }, "Made ", moment(words.at(key.created_at)),
        key.used_at && [". Used ", moment(words.at(key.used_at))]),
      el("p", { class: "small muted mono" }, print)),
    action("Remove", async () => {
      await ctx.api.post(`/v1/me/signin-keys/${encodeURIComponent(key.id)}/remove`);
      ctx.announce("The passkey was removed.");
      await view.refresh();
    }, { tone: "quiet", describe: `Remove the passkey ${key.label}`,
      key: `remove-${key.id}` }));

  const show = onChange(async (items) => {
    const prints = await Promise.all(items.map(({ key }) =>
      fingerprint(parseKey(key))));
    fill(list, items.length === 0 ? el("p", { class: "muted" }, "You have none yet.")
      : el("ul", { class: "lines" }, items.map((key, i) => keyLine(key, prints[i]))));
  });

  const add = me.sign_in === "pinned_passkey"
    ? notice("open", el("p", {}, "To add one, sign in with an SSH key or a sign-in passkey."))
    : !supported() ? el("p", {}, "This browser knows no passkeys.")
      : el("div", {}, label, several && realm, action("Make a passkey on this device",
        async () => {
        const made = await makePasskey(ctx.api, { principal: me.principal,
          rpId: ctx.rpId, purpose: "sign in", now: now() });
        await ctx.api.post("/v1/me/signin-keys", { key: made.key, text: made.text,
          label: label.input.value.trim() || "passkey", signature: made.signature,
          ...(several ? { tenant: realm.input.value } : {}) });
        made.keep();
        label.input.value = "";
        ctx.announce("The passkey was added.");
        await view.refresh();
      }, { id: "signin-key-add", name: "passkey" }));

  const view = {
    title: "You",
    element: el("div", {}, heading(me.principal),
      card("This session", facts([
        ["Signed in with", WAYS[me.sign_in] ?? "a key"],
        ["Key", el("span", { class: "mono" }, me.key)],
        ["Ends", moment(words.at(me.expires_at))],
        ["Your part", roleList(me)],
      ]), el("p", { class: "small muted" }, "A session can look, ask and withdraw. " +
        "Whatever opens a door carries a signature of its own."),
      action("Sign out", ctx.signOut, { id: "sign-out" })),
      card("Passkeys to sign in with", el("p", { class: "muted" }, "They open these " +
        "pages and nothing else. The key that approves is another one, and stands " +
        "in your company's rules."), list, add)),
    async refresh() {
      try {
        show((await ctx.api.list("/v1/me/signin-keys")).items);
      } catch (error) {
        if (error.status !== 404) throw error;
        fill(list, empty("passkey", "Not on this broker", "It offers no passkeys."));
      }
    },
  };
  return view;
}
