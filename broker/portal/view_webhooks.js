// Webhooks: where the broker tells a customer's systems what happened, and
// whether they heard it.

import { deliveriesPart } from "./deliveries_part.js";
import { el, fill } from "./dom.js";
import { action, card, choices, copyButton, empty, field, heading, moment, notice,
  onChange, select, waiting } from "./parts.js";
import { tenantPath, tenantTabs } from "./tenant_part.js";
import { listOr404 } from "./view_people.js";
import * as words from "./words.js";

const TYPES = ["request.created", "request.pending_endorsement",
  "request.pending_approval", "request.reminder", "request.approved", "request.denied",
  "request.cancelled", "request.lapsed", "grant.activated", "grant.revoked",
  "grant.returned", "grant.expired",
  "session.opened", "session.ended", "trust.changed", "trust.proposed",
  "invitation.created"];

const SCHEMES = [["v1", "A shared secret (HMAC-SHA256)"],
  ["v1a", "The broker's key for you (Ed25519)"]];

const hookPath = (id) => `/v1/webhooks/${encodeURIComponent(id)}`;

function secretNotice(got) {
  const secret = got.secret ?? got.public_key;
  if (!secret) return null;
  return notice("good", el("h3", {}, got.secret ? "The secret" : "The public key"),
    el("p", {}, el("code", { id: "webhook-secret" }, secret)), copyButton(secret, "the secret"),
    got.secret && el("p", {}, "It is shown only now. Your receiver checks signatures with it."));
}

function addPart(ctx, path, refresh) {
  const url = field("Address", { id: "webhook-url", type: "url",
    placeholder: "https://hooks.acme.example/lockbox" });
  const scheme = field("Signed with", { id: "webhook-scheme", input: select(SCHEMES, "v1") });
  const types = choices("Tell it of", TYPES.map((type) => [type, type,
    words.notice(type)]), { name: "webhook-type", hint: "None chosen: of everything, " +
    "also of what comes with later versions." });
  const made = el("div", {});
  return card("Add a webhook", url, scheme, el("details", { "data-key": "webhook-types" },
    el("summary", {}, "Which events"), types),
  action("Add", async () => {
    if (url.wrong(/^https?:\/\/\S+$/.test(url.input.value.trim()) ? null
      : "An address that begins with https://.")) return;
    const got = await ctx.api.post(`${path}/webhooks`, { url: url.input.value.trim(),
      ...(types.values().length > 0 ? { types: types.values() } : {}),
      scheme: scheme.input.value });
    url.input.value = "";
    fill(made, secretNotice(got));
    await refresh();
  }, { id: "webhook-add", tone: "primary" }), made);
}

const CODES = {
  switched_off: "somebody switched it off",
  gone: "the receiver said that it is gone (410)",
};

function hookCard(ctx, hook, refresh) {
  const said = el("div", {});
  const deed = (label, path, text, show = () => null, tone = "quiet") => action(label,
    async () => {
      fill(said, show(await ctx.api.post(`${hookPath(hook.id)}/${path}`)));
      ctx.announce(text);
      await refresh();
    }, { tone, describe: `${label}: ${hook.url}`, key: `${path}-${hook.id}` });
  return el("section", { class: "card", "data-webhook": hook.id },
    el("h2", { class: "wrap" }, hook.url),
    el("p", { class: "row" }, hook.active
      ? el("span", { class: "chip good" }, "Active")
      : el("span", { class: "chip bad" }, "Off"),
    !hook.active && hook.why && el("span", { class: "small" }, CODES[hook.why] ?? hook.why),
    hook.old_key_until && el("span", { class: "small muted" }, "the old key also signs until ",
      moment(words.at(hook.old_key_until))),
    el("span", { class: "small muted" }, `${hook.scheme}, `,
      hook.types.length === 0 ? "every kind of event"
        : words.count(hook.types.length, "kind of event", "kinds of events"))),
    el("div", { class: "actions" },
      deed("Send a test", "test", "A test is on its way.", () =>
        el("p", { class: "small" }, "A test is on its way; it appears in the list below.")),
      deed("Change the key", "rotate", "The key was changed. The old one also signs for 24 hours.",
        secretNotice),
      action(hook.active ? "Switch off" : "Switch on", async () => {
        await ctx.api.post(hookPath(hook.id), { active: !hook.active });
        await refresh();
      }, { tone: "quiet", describe: `${hook.active ? "Switch off" : "Switch on"}: ${hook.url}`,
        key: `active-${hook.id}` }),
      deed("Remove", "remove", "The webhook was removed.")), said,
    deliveriesPart(ctx, `${hookPath(hook.id)}/deliveries`, {
    title: "What was sent, and whether it arrived", key: `log-${hook.id}`,
    mayRetry: true }));
}

export function webhooksView(ctx, name) {
  const path = tenantPath(name);
  const list = el("div", {}, waiting());
  const refresh = () => view.refresh();
  const cards = new Map(); // id -> [what it was drawn from, card]
  const show = onChange((hooks) => {
    // Cards that did not change stay: a secret shown there stays to be read.
    fill(list, hooks.length === 0
      ? empty("rules", "No webhooks", "Your systems hear of nothing yet.")
      : hooks.map((hook) => {
        const text = JSON.stringify(hook);
        if (cards.get(hook.id)?.[0] !== text)
          cards.set(hook.id, [text, hookCard(ctx, hook, refresh)]);
        return cards.get(hook.id)[1];
      }));
  });
  const view = {
    title: `Webhooks of ${name}`,
    element: el("div", {}, heading("Webhooks", { lead: "What the broker tells your systems, " +
      "signed (Standard Webhooks), and whether it arrived." }),
    tenantTabs(ctx, name, "Webhooks"), list, addPart(ctx, path, refresh)),
    async refresh() { show(await listOr404(ctx.api, `${path}/webhooks`)); },
  };
  return view;
}
