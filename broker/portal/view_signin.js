// Signing in: with a passkey of this page, or with an SSH key by a code that
// the lockbox tool confirms.

import { valid } from "./documents.js";
import { el, fill } from "./dom.js";
import { rememberName, rememberedName } from "./memory.js";
import { action, card, code, copyLines, field, notice, now, problem, relative }
  from "./parts.js";
import { supported } from "./passkey.js";
import { passkeySignin } from "./signing_in.js";
import * as words from "./words.js";

const POLL_MS = 2000;

function passkeyPart(ctx) {
  const name = field("Your name here", { id: "signin-principal",
    value: rememberedName(), autocomplete: "username webauthn", spellcheck: "false",
    autocapitalize: "none", placeholder: "anna@acme.example",
    hint: "As it stands in your company's rules or the provider's roster." });
  const hint = el("div", {});
  let again = null;
  const enter = action("Sign in with a passkey", async () => {
    const principal = name.input.value.trim();
    if (name.wrong(valid("principal", principal) ? null
      : "A name such as anna@acme.example.")) {
      name.input.focus();
      return;
    }
    const got = await passkeySignin(ctx.api, principal, ctx.rpId, now(), again);
    if (got.again) {
      again = got.again;
      fill(hint, notice("open", el("p", {}, "This browser has not met that passkey " +
        "before, and one signature does not tell which key it is. Press once more.")));
      return;
    }
    rememberName(principal);
    await ctx.entered();
  }, { id: "signin-passkey", tone: "primary", name: "passkey" });
  name.input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") enter.querySelector("button").click();
  });
  return el("div", {}, name, enter, hint);
}

// The code, until somebody confirmed it or its time is over.
function codePart(ctx, stopped) {
  const panel = el("div", { id: "signin-code-panel" });
  const begin = action("Show a code", async (button) => {
    const got = await ctx.api.post("/v1/signin/browser");
    const command = `lockbox signin --browser ${got.code}`;
    button.hidden = true;
    fill(panel, el("p", {}, "On the computer where your SSH key is, run"),
      copyLines(command, "the command"),
      el("p", {}, "The code of this page:"),
      el("p", {}, code(got.code, { large: true, id: "signin-code" })),
      el("p", { class: "muted small" }, "The tool shows where this page was opened, " +
        "and asks you. Then this page goes on by itself. The code's time is over ",
      relative(words.at(got.expires_at)), "."), el("p", { class: "muted", role: "status" },
        "Waiting for your terminal …"));
    await poll(got.poll, button);
  }, { id: "signin-code-show" });

  async function poll(secret, button) {
    while (!stopped()) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      if (document.visibilityState === "hidden") continue;
      try {
        const got = await ctx.api.post("/v1/signin/browser/poll", { poll: secret });
        if (got.state === "waiting") continue;
        rememberName(got.principal);
        await ctx.entered();
        return;
      } catch (error) {
        if (error.status === 0 || error.status === 429) continue;
        button.hidden = false;
        fill(panel, error.code === "code_over"
          ? notice("wait", el("p", {}, "The code's time is over. Show a new one."))
          : problem(error));
        return;
      }
    }
  }
  return el("div", {}, el("p", { class: "muted" }, "No passkey yet, or only an SSH " +
    "key: your terminal confirms this page."), begin, panel);
}

export function signinView(ctx, why = null) {
  let over = false;
  return {
    title: "Sign in",
    element: el("div", { class: "enter" },
      el("h1", { tabindex: "-1", id: "page-title" }, "Sign in"),
      el("p", { class: "lead" }, "Here a provider's engineers ask to be let in, and " +
        "the customer says yes or no."),
      why && notice("wait", el("p", {}, why)),
      card("With a passkey", supported() ? passkeyPart(ctx)
        : el("p", {}, "This browser knows no passkeys.")),
      card("With an SSH key", codePart(ctx, () => over)),
      el("p", { class: "small" }, el("a", { href: "#/accept", id: "to-accept" },
        "I was invited and have a code"))),
    async refresh() {},
    stop() { over = true; },
  };
}
