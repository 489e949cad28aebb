// An invitation: the invited person makes their keys here.

import { valid } from "./documents.js";
import { el, fill } from "./dom.js";
import { rememberName } from "./memory.js";
import { action, card, choices, code, copyLines, facts, field, notice, now }
  from "./parts.js";
import { supported } from "./passkey.js";
import { quote, signLine, writeLines } from "./shell.js";
import { makePasskey, signinText } from "./signing_in.js";
import { fingerprint, keyCode, keyOfFile, parseKey, parseSignature, pastedArmor,
  sameKey, verify } from "./sshsig.js";

const SIGNIN = "lockbox-signin-v1";

function whoPart() {
  const tenant = field("Company", { id: "accept-tenant", autocapitalize: "none",
    spellcheck: "false", placeholder: "acme", hint: "As the invitation says it." });
  const principal = field("Your name here", { id: "accept-principal",
    autocomplete: "username", autocapitalize: "none", spellcheck: "false",
    placeholder: "anna@acme.example" });
  const secret = field("Code", { id: "accept-code", autocomplete: "off",
    autocapitalize: "characters", spellcheck: "false",
    placeholder: "XXXX-XXXX-XXXX-XXXX", hint: "Good once, and for seven days." });
  return {
    element: el("div", {}, tenant, principal, secret),
    read() {
      const value = { tenant: tenant.input.value.trim(),
        principal: principal.input.value.trim(),
        code: secret.input.value.toUpperCase().replace(/[^0-9A-Z]/g, "")
          .replace(/(.{4})(?=.)/g, "$1-") };
      const wrong = [
        tenant.wrong(valid("name", value.tenant) ? null : "A name such as acme."),
        principal.wrong(valid("principal", value.principal) ? null
          : "A name such as anna@acme.example."),
        secret.wrong(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/.test(value.code) ? null
          : "Four groups of four characters."),
      ].some(Boolean);
      return wrong ? null : value;
    },
  };
}

// An SSH key that shall approve, and the proof that it is the person's.
function sshPart(ctx, who) {
  const pub = field("Your public key", { name: "textarea", id: "accept-pub",
    class: "mono", spellcheck: "false", placeholder: "ssh-ed25519 AAAA…",
    hint: "The content of a .pub file, such as ~/.ssh/id_ed25519.pub." });
  const steps = el("div", {});
  const state = { key: null, text: null, armor: null };
  const prove = action("Show the lines that prove it", async () => {
    const value = who();
    if (value === null) return;
    try {
      state.key = keyOfFile(pub.input.value);
      pub.wrong(null);
    } catch (error) {
      pub.wrong(error.message);
      return;
    }
    state.text = await signinText(ctx.api, value.principal, now());
    const lines = `${writeLines("proof.txt", state.text)}\n` +
      `${signLine("proof.txt", SIGNIN)}\ncat proof.txt.sig`;
    state.armor = field("Paste the signature", { name: "textarea",
      id: "accept-signature", class: "mono", spellcheck: "false",
      placeholder: "-----BEGIN SSH SIGNATURE-----" });
    const command = `lockbox invitation accept --url ${ctx.base} --tenant ` +
      `${quote(value.tenant)} --as ${quote(value.principal)} --key ~/.ssh/id_ed25519`;
    fill(steps, el("p", {}, "Run these lines, within five minutes:"),
      copyLines(lines, "the lines"), state.armor,
      el("p", {}, "Or leave this page: with the ", el("code", {}, "lockbox"),
        " tool, this is all, and it asks for the code."),
      copyLines(command, "the command"));
  }, { id: "accept-prove" });
  return {
    element: el("div", { class: "sub" }, pub, prove, steps),
    async read() {
      if (state.text === null) throw new Error("First show the lines, and run them.");
      const armor = pastedArmor(state.armor.input.value);
      const signature = parseSignature(armor);
      if (!sameKey(signature.key, state.key) ||
          await verify(signature, SIGNIN, state.text) === "bad")
        throw new Error("The signature is not by that key over these lines.");
      return { key: state.key.line, text: state.text, signature: armor };
    },
  };
}

function outcome(ctx, got, print, short) {
  return el("div", {},
    el("h1", { tabindex: "-1", id: "page-title" }, "Welcome"),
    card(null, notice("good", el("p", {}, "The invitation is used. ", got.signin_key
      ? "You can sign in on this page with your passkey." : "")),
    got.candidate && [
      el("h2", {}, "Now let an owner compare your new key"),
      el("p", {}, "It has no power yet. An owner of your company's rules sees the " +
        "same code, and signs the key in only when you have read it to them, by " +
        "telephone or face to face."),
      el("p", {}, code(short, { large: true, id: "candidate-code" })),
      facts([["Fingerprint", el("span", { class: "mono" }, print)]])],
    /^https:/.test(got.page ?? "") && got.page !== ctx.origin &&
      el("p", {}, "Your company's own page is ", el("a", { href: got.page,
        rel: "noreferrer" }, got.page), "."),
    got.signin_key && el("p", {}, el("a", { class: "button primary", href: "#/",
      id: "accept-done" }, "Sign in"))));
}

export function acceptView(ctx) {
  const who = whoPart();
  const ssh = sshPart(ctx, who.read);
  ssh.element.hidden = true;
  const signin = choices("To look and to be told", [["passkey",
    "Make a sign-in passkey on this device", "Opens these pages. It cannot approve."]],
  { chosen: supported() ? ["passkey"] : [], name: "accept-signin" });
  const approve = choices("To approve", [
    ["none", "Not now", "Or on your company's own page, where its passkey is made."],
    ["ssh", "With an SSH key that I have", "Also one in a security key."],
    ["passkey", "With a second passkey, on this page",
      "Counts only where your company's rules allow the page that the provider serves."],
  ], { type: "radio", chosen: ["none"], name: "accept-candidate", boxed: true,
    on: { change: () => { ssh.element.hidden = approve.values()[0] !== "ssh"; } } });
  const element = el("div", { class: "enter" },
    el("h1", { tabindex: "-1", id: "page-title" }, "You were invited"),
    el("p", { class: "lead" }, "Somebody gave you a code. With it you make your own " +
      "keys; nobody else ever has them."),
    card(null, who.element), card("Your keys", signin, approve, ssh.element),
    action("Accept the invitation", async () => {
      const value = who.read();
      if (value === null) {
        element.querySelector("[aria-invalid=true]")?.focus();
        return;
      }
      await accept(value);
    }, { id: "accept", tone: "primary" }),
    el("p", { class: "small" }, el("a", { href: "#/" }, "Back to signing in")));

  const make = (value, purpose) => makePasskey(ctx.api, { rpId: ctx.rpId, purpose,
    principal: value.principal, now: now() });
  const proof = ({ key, text, signature, keep = () => {} }, label) => {
    kept.push(keep);
    return { key, label, text, signature };
  };
  const kept = [];

  async function accept(value) {
    const body = { ...value };
    kept.length = 0;
    if (signin.values().length > 0)
      body.signin = proof(await make(value, "sign in"), "passkey");
    if (approve.values()[0] === "passkey")
      body.candidate = proof(await make(value, "approve"), "passkey");
    if (approve.values()[0] === "ssh")
      body.candidate = proof(await ssh.read(), "SSH key");
    if (!body.signin && !body.candidate)
      throw new Error("Choose at least one key to make.");
    const got = await ctx.api.post("/v1/invitations/accept", body);
    rememberName(value.principal);
    kept.forEach((keep) => keep());
    const key = body.candidate && parseKey(body.candidate.key);
    fill(element, outcome(ctx, got, key && await fingerprint(key),
      key && await keyCode(key)));
    document.getElementById("page-title").focus();
  }

  return { title: "Invitation", element, async refresh() {} };
}
