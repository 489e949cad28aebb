// How people come in: with the pinned passkey, or with an invitation for one.

import { valid } from "../portal/documents.js";
import { el, fill } from "../portal/dom.js";
import { rememberedName } from "../portal/memory.js";
import { action, card, code, facts, field, heading, notice, textBox }
  from "../portal/parts.js";
import { fingerprint, keyCode, parseKey } from "../portal/sshsig.js";
import { enrolment, signIn } from "./enter.js";

const INVITATION = /^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3}$/;
const NAME_HINT = "As it stands in your organisation's rules, such as " +
  "mia@acme.example.";

function nameField(value) {
  return field("Your name at the broker", { hint: NAME_HINT, value,
    autocomplete: "username", spellcheck: "false", autocapitalize: "none" });
}

function unnamed(name) {
  return name.wrong(valid("principal", name.input.value.trim()) ? null
    : "That is no name: letters, digits and . _ @ + - only.");
}

// page: {api, config, now(), entered(me)}
export function signInView(page, note = null) {
  const name = nameField(rememberedName());
  return { title: "Sign in", element: el("div", { class: "enter" },
    heading("Approve access", { lead: "Who may enter your hosts is up to you. " +
      `This is ${page.config.tenant}'s own page; its signatures count.` }),
    note && notice("wait", el("p", {}, note)),
    card(null, name,
      action("Sign in with your passkey", async () => {
        if (unnamed(name)) return;
        page.entered(await signIn(page.api, page.config.rpId,
          name.input.value.trim(), page.now()));
      }, { id: "signin", tone: "primary", name: "passkey" })),
    el("p", {}, "New here? ", el("a", { href: "#/invitation" },
      "I have an invitation"))) };
}

// What the owner and the person compare, by voice or side by side.
async function madeView(page, key) {
  const parsed = parseKey(key);
  return [
    heading("Your passkey is made", { lead: "It has no power yet. One of your " +
      "organisation's owners must put it into your rules." }),
    card("Compare this with an owner",
      el("p", {}, "Call them, or sit beside them. The owner sees the same code " +
        "beside your name; if it differs, they must not sign."),
      el("p", {}, code(await keyCode(parsed), { large: true, id: "key-code" })),
      facts([["Fingerprint", el("code", {}, await fingerprint(parsed))],
        ["Counts on", location.origin]])),
    el("details", {}, el("summary", {}, "The key itself"),
      textBox(key, "your passkey's public half", { id: "key-line" })),
    el("p", {}, el("a", { href: "#/" }, "To sign in, once it is in the rules")),
  ];
}

export function invitationView(page) {
  const name = nameField(rememberedName());
  const invitation = field("Invitation code", { hint: "Sixteen characters, " +
    "from the person who invited you. It works once.", autocomplete: "off",
  spellcheck: "false", autocapitalize: "characters" });
  const enrol = enrolment(page.api, page.config);
  const box = el("div", { class: "enter" },
    heading("You are invited", { back: { href: "#/", text: "Sign in" },
      lead: "This makes a passkey for this page on your device: your " +
        "fingerprint, face or PIN then signs what you approve." }),
    card(null, name, invitation,
      action("Make my passkey", async () => {
        const given = invitation.input.value.trim().toUpperCase();
        const wrong = invitation.wrong(INVITATION.test(given) ? null
          : "The code has the form XXXX-XXXX-XXXX-XXXX.");
        if (unnamed(name) || wrong) return;
        fill(box, ...await madeView(page,
          await enrol(name.input.value.trim(), given, page.now())));
        box.querySelector("h1").focus();
      }, { id: "enrol", tone: "primary", name: "passkey" })));
  return { title: "Invitation", element: box };
}
