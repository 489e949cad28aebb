// Where a person signs: the exact text, a passkey where one counts, and the
// ssh-keygen lines beside it.

import { el, fill } from "./dom.js";
import { action, copyLines, field, notice, textBox } from "./parts.js";
import { passkeysHere } from "./rules.js";
import { sendLines, signLine, writeLines } from "./shell.js";
import { parseSignature, pastedArmor, verify } from "./sshsig.js";
import { hear, linesOf } from "./trust.js";
import * as words from "./words.js";

// What is wrong with a pasted signature, or null.
async function complaint(ctx, task, armor) {
  if (!armor.startsWith("-----BEGIN SSH SIGNATURE-----"))
    return "Paste the whole signature, from its BEGIN line to its END line.";
  if (task.trust === null) {
    try {
      const result = await verify(parseSignature(armor), task.namespace, task.text);
      return result === "bad" ? "The signature is not over this text." : null;
    } catch (error) {
      return error.message;
    }
  }
  const { who, why } = await hear(task.trust, task.text, armor, task.namespace,
    ctx.now());
  return who.some(({ kind }) => task.kinds.includes(kind)) ? null
    : why ?? "The key may not sign this.";
}

function pastePart(ctx, task) {
  const input = field("Or paste the signature here", { name: "textarea",
    id: `${task.id}-paste`, rows: 5, class: "mono", spellcheck: "false",
    autocomplete: "off", placeholder: "-----BEGIN SSH SIGNATURE-----",
    hint: `The content of ${task.file}.sig. It is checked here before it is sent.` });
  return [input, action(task.label, async () => {
    const armor = pastedArmor(input.input.value);
    if (!input.wrong(await complaint(ctx, task, armor))) await task.send(armor);
    else input.input.focus();
  }, { id: `${task.id}-send` })];
}

// Does the strength that the rules ask for bind this signature?
const bound = (task) => task.trust !== null &&
  task.trust.document.require !== "any" &&
  ["lockbox-approve-v1", "lockbox-trust-v1"].includes(task.namespace);

function terminalPart(ctx, task, open) {
  const url = `${ctx.base}${task.path}`;
  const mine = task.trust === null ? []
    : linesOf(task.trust, ctx.me.principal, task.namespace, ctx.now())
      .filter(({ line }) => !line.key.passkey);
  return el("details", { open, "data-key": `${task.id}-terminal`,
    id: `${task.id}-terminal` },
  el("summary", {}, "Sign on your own computer, with an SSH key"),
  mine.length > 0 && el("p", { class: "small" }, "Keys of yours that count: ",
    words.all(mine.map(({ line }) => line.fingerprint)), "."),
  bound(task) && el("p", { class: "small" },
    words.require(task.trust.document.require)[1]),
  task.command && [el("p", {}, "With the ", el("code", {}, "lockbox"),
    task.saved ? " tool, when the text is saved. It shows it, and what changes:"
      : " tool, one line. It shows the text and checks it by itself:"),
  copyLines(task.command, "the lockbox command")],
  el("p", {}, task.command ? "Or with nothing but what every computer has:"
    : "With what every computer has:"),
  el("ol", { class: "steps" },
    el("li", {}, el("p", {}, "Save the text above as ", el("code", {}, task.file), "."),
      el("details", { "data-key": `${task.id}-lines` },
        el("summary", {}, "Or let these lines write it"),
        copyLines(writeLines(task.file, task.text), "the lines that write the file"))),
    el("li", {}, el("p", {}, "Sign it. Name the file of your own key."),
      copyLines(signLine(task.file, task.namespace), "the ssh-keygen line")),
    el("li", {}, el("p", {}, "Send the signature, with ", el("code", {}, "curl"),
      " and ", el("code", {}, "jq"), "."),
    copyLines(sendLines(url, task.file, { withText: task.withText, more: task.more }),
      "the curl lines"))),
  pastePart(ctx, task));
}

function passkeyPart(ctx, task, mine, page) {
  return [
    page?.broker && notice("wait", el("h3", {}, "This page is served by the provider"),
      el("p", {}, "Your rules allow passkeys on it. That means you trust the " +
        "provider's broker to show you the very text that your passkey signs. " +
        "A page of your own needs no such trust.")),
    action(task.label, async () => {
      await task.send(await ctx.sign(task.namespace, task.text,
        mine.map((line) => line.key.line)));
    }, { id: `${task.id}-passkey`, tone: task.tone ?? "primary", name: "passkey" }),
    el("p", { class: "small muted" }, "Your device asks for your finger, face or PIN."),
  ];
}

// Why no passkey can be used here, and where one could.
function elsewhere(ctx, task) {
  const pinned = linesOf(task.trust, ctx.me.principal, task.namespace, ctx.now())
    .some(({ line }) => line.key.passkey);
  const own = task.trust.pages.filter((page) => !page.broker &&
    page.origin !== ctx.origin);
  if (!pinned || own.length === 0) return null;
  return notice("open", el("h3", {}, "Sign with your passkey on your own page"),
    el("p", {}, "Your rules let your passkey count only there, so that what you " +
      "sign is shown by your own server and not by the provider's."),
    own.map((page) => el("p", {}, el("a", { class: "button primary",
      href: `${page.origin}/${task.hash ?? ""}`, rel: "noreferrer",
      "data-own-page": page.origin }, `Open ${page.origin.slice(8)}`))));
}

// A panel for one signature. task:
//   id         of its elements: "approve"
//   label      of the button: "Approve"
//   namespace  "lockbox-approve-v1"
//   text       exactly what is signed; file: a name for it
//   trust      the rules under which it must count, or null: any key
//   kinds      of lines that may sign ("approver", "hook", "delegate")
//   path       where it is posted, withText and more say with what body
//   command    the same with the lockbox tool, or null; saved: it reads the file
//   hash       where to go on the customer's own page
//   send       async (armor)
function signPanel(ctx, given) {
  const task = { kinds: ["approver", "hook", "delegate"], withText: false,
    more: {}, command: null, ...given };
  const mine = task.trust === null ? [] : passkeysHere(task.trust,
    ctx.me.principal, task.namespace, ctx.origin, ctx.now());
  const page = task.trust?.pages.find(({ origin }) => origin === ctx.origin);
  const passkey = mine.length > 0 && ctx.sign !== null;
  return el("div", { id: `${task.id}-panel` },
    el("h3", {}, "Exactly this text gets signed"),
    textBox(task.text, "text that gets signed", { id: `${task.id}-text`,
      save: task.file }),
    passkey ? passkeyPart(ctx, task, mine, page)
      : task.trust && elsewhere(ctx, task),
    terminalPart(ctx, task, !passkey));
}

// Put the panel in, also again: what was pasted stays.
export function putPanel(container, ctx, task) {
  const pasted = container.querySelector("textarea")?.value ?? "";
  const before = container.querySelector("pre")?.textContent;
  fill(container, signPanel(ctx, task));
  if (before === task.text) container.querySelector("textarea").value = pasted;
}
