// Changing a customer's rules: people, pages, strength, times. What changes is
// said in words while one edits; owners sign the text.

import { DocumentError, valid } from "./documents.js";
import { el, fill } from "./dom.js";
import { action, card, changes, choices, code, field, fromLocalInput, heading, notice,
  select, toLocalInput, waiting } from "./parts.js";
import { fingerprint, keyCode, keyOfFile, parseKey } from "./sshsig.js";
import { isOwner, putProposal, tenantPath, tenantTabs } from "./tenant_part.js";
import { KINDS, diff, lineWords, pageWords, pinnedLine, readPage, readPinned, readTrust,
  successor } from "./trust.js";
import * as words from "./words.js";

const DECIDE = ["lockbox-approve-v1", "lockbox-deny-v1", "lockbox-revoke-v1"];
const TRUST = "lockbox-trust-v1";
const LONGEST = [1800, 3600, 7200, 14400, 28800, 43200, 86400];
const LEASES = [600, 1800, 3600, 14400, 43200, 86400];
const LISTS = [
  ["approver", "People who decide"], ["page", "Pages where passkeys count"],
  ["hook", "Systems that decide"], ["engineer", "Engineers whose requests count"],
  ["broker", "Brokers"],
];

const spans = (list, own) => [...new Set([...list, own])].sort((a, b) => a - b)
  .map((seconds) => [seconds, words.span(seconds)]);

function settingsPart(document, changed) {
  const boxes = {
    threshold: field("Approvals needed", { id: "rules-threshold", type: "number",
      min: 1, max: 16, value: document.threshold,
      hint: "By different people with different keys. As many owners sign rules." }),
    require: field("Keys that approve", { id: "rules-require", input: select(
      ["any", "touch", "verified"].map((word) => [word,
        `${words.require(word)[0]}. ${words.require(word)[1]}`]), document.require) }),
    longest: field("Longest access", { id: "rules-longest",
      input: select(spans(LONGEST, document.longest), document.longest) }),
    lease: field("A session lives without contact to the broker for", {
      id: "rules-lease", input: select(spans(LEASES, document.lease), document.lease),
      hint: "Short: a revocation never takes longer. Long: outages disturb less." }),
    offline: field("While the broker is away", { id: "rules-offline", input: select([
      ["deny", "Nobody enters"],
      ["allow", "A host's administrator may hand it a grant that you signed"]],
    document.offline) }),
    good_until: field("These rules are good until", { id: "rules-good-until",
      type: "datetime-local", value: toLocalInput(document.good_until),
      hint: "Your own time. After it nobody enters, but owners may still sign new rules." }),
  };
  const first = boxes.good_until.input.value;
  for (const box of Object.values(boxes)) box.input.addEventListener("input", changed);
  return {
    element: card("How it works", el("div", { class: "grid2" }, Object.values(boxes))),
    read: () => ({
      threshold: Number(boxes.threshold.input.value),
      require: boxes.require.input.value,
      longest: Number(boxes.longest.input.value),
      lease: Number(boxes.lease.input.value),
      offline: boxes.offline.input.value,
      // The seconds that the input does not show stay as they are.
      good_until: boxes.good_until.input.value === first ? document.good_until
        : fromLocalInput(boxes.good_until.input.value) ?? document.good_until,
    }),
  };
}

// One list of lines: each may go, and come back until the text is signed.
function listPart(kind, title, changed) {
  const list = el("ul", { class: "lines" });
  const box = el("section", { class: "card", id: `rules-${kind}` }, el("h2", {}, title), list);
  const part = { element: box, kind, lines: [] };

  async function draw() {
    fill(list, part.lines.length === 0 && el("li", { class: "muted" }, "None."),
      await Promise.all(part.lines.map(item)));
  }
  async function item(one) {
    const said = kind === "page" ? pageWords(readPage(one.line))
      : lineWords(await readPinned(one.line));
    const toggle = () => {
      if (one.added) part.lines.splice(part.lines.indexOf(one), 1);
      else one.gone = !one.gone;
      draw().then(changed);
    };
    return el("li", { class: one.gone ? "gone" : null, "data-line": one.line },
      el("div", {}, el("p", {}, one.added && el("strong", {}, "New: "), said)),
      el("div", { class: "row" },
        kind === "approver" && !one.gone && ownerButton(one),
        el("button", { type: "button", class: "quiet", "data-key": `toggle-${one.line}`,
          "aria-label": `${one.gone ? "Keep" : "Remove"}: ${said}`,
          on: { click: toggle } }, one.gone ? "Keep" : "Remove")));
  }
  function ownerButton(one) {
    const owner = one.line.includes(TRUST);
    return el("button", { type: "button", class: "quiet", "data-key": `owner-${one.line}`,
      on: { click: async () => {
        const read = await readPinned(one.line);
        const line = pinnedLine({ ...read, key: read.key.line, namespaces: owner
          ? read.namespaces.filter((name) => name !== TRUST)
          : [...read.namespaces, TRUST] });
        if (!one.added) part.lines.push({ line: one.line, gone: true });
        part.lines.splice(part.lines.indexOf(one), 1, { line, added: true });
        await draw();
        changed();
      } } }, owner ? "Make no owner" : "Make an owner");
  }
  part.set = (lines) => {
    part.lines = lines.map((line) => ({ line }));
    return draw();
  };
  part.add = (line) => {
    if (part.lines.some((one) => one.line === line && !one.gone))
      throw new DocumentError("That line is there already.");
    part.lines.push({ line, added: true });
    return draw().then(changed);
  };
  part.read = () => part.lines.filter((one) => !one.gone).map((one) => one.line);
  return part;
}

function addKeyPart(parts) {
  const kind = choices("As", [
    ["approver", "Approver", "approves, denies, revokes"],
    ["owner", "Approver and owner", "and signs these rules"],
    ["hook", "System", "your own software that decides by a rule"],
    ["engineer", "Engineer", "only pinned engineers' requests will count"],
  ], { type: "radio", chosen: ["approver"], name: "add-kind" });
  const principal = field("Name", { id: "add-principal", spellcheck: "false",
    autocapitalize: "none", placeholder: "anna@acme.example" });
  const key = field("Public key", { id: "add-key", name: "textarea", class: "mono",
    spellcheck: "false", placeholder: "ssh-ed25519 AAAA…" });
  const until = field("Until", { id: "add-until", type: "datetime-local",
    hint: "Empty: as long as the rules." });
  const print = el("p", { class: "small" });
  key.input.addEventListener("input", async () => {
    try {
      const read = keyOfFile(key.input.value);
      fill(print, "Compare with its holder: ", code(await keyCode(read)), " ",
        el("span", { class: "mono" }, await fingerprint(read)));
    } catch {
      fill(print);
    }
  });
  return card("Add somebody", kind, el("div", { class: "grid2" }, principal, until), key,
    print, action("Add to the draft", async () => {
      const name = principal.input.value.trim();
      if (principal.wrong(valid("principal", name) ? null : "A name such as anna@acme.example."))
        return;
      const [as] = kind.values();
      const list = as === "owner" ? "approver" : as;
      const namespaces = as === "owner" ? [...DECIDE, TRUST]
        : as === "engineer" ? KINDS.engineer : DECIDE;
      await parts[list].add(pinnedLine({ principal: name, namespaces,
        before: fromLocalInput(until.input.value), key: keyOfFile(key.input.value).line }));
      principal.input.value = "";
      key.input.value = "";
      fill(print);
    }, { id: "add-line" }));
}

function addPagePart(ctx, parts) {
  const origin = field("Address of your own page", { id: "add-page", type: "url",
    placeholder: "https://lockbox.acme.example", hint: "Where your own server shows " +
      "approve.html. Passkeys made there count, and no others." });
  return card("Add a page", origin, el("p", {}, el("a", { href: "/approve.html",
    download: "approve.html" }, "Download approve.html"), " to put on your server."),
  action("Add your own page", async () => {
    const given = origin.input.value.trim().replace(/\/$/, "");
    const host = given.replace(/^https:\/\//, "").replace(/:\d+$/, "");
    const line = `${host} ${given}`;
    readPage(line);
    await parts.page.add(line);
    origin.input.value = "";
  }, { id: "add-page-own" }),
  el("details", { "data-key": "add-page-broker" },
    el("summary", {}, "Or let passkeys count on this page, which the provider serves"),
    notice("wait", el("p", {}, "Whoever serves a page decides what it shows. If the " +
      "provider's broker were taken over, this page could show you one text and have " +
      "your passkey sign another. Hosts could not tell. It is simple, and for many " +
      "good enough; a page of your own is safer. Such passkeys never sign rules.")),
    action("Allow this page", () => parts.page.add(
      `${ctx.rpId} ${ctx.origin} broker`), { id: "add-page-broker" })));
}

async function candidateItem(one, add) {
  const key = parseKey(one.key);
  return el("li", { "data-candidate": one.fingerprint }, el("div", {},
    el("strong", {}, one.principal), el("p", { class: "small" },
      `${one.label ?? "key"}${one.origin ? `, made on ${one.origin}` : ""}`),
    el("p", { class: "small muted mono" }, await fingerprint(key))),
  el("div", {}, code(await keyCode(key))),
  el("div", { class: "row" }, action("Add as approver", () => add(one, DECIDE),
    { tone: "quiet", describe: `Add ${one.principal} as approver` }),
  action("As owner too", () => add(one, [...DECIDE, TRUST]),
    { tone: "quiet", describe: `Add ${one.principal} as approver and owner` })));
}

async function candidatesCard(items, parts) {
  if (items.length === 0) return null;
  const add = (one, namespaces) => parts.approver.add(pinnedLine({
    principal: one.principal, namespaces, key: one.key }));
  return el("section", { class: "card", id: "candidates" }, el("h2", {}, "New keys that wait"),
    el("p", {}, "Their holders see the same code. Add a key only when its holder has " +
      "read the code to you, by telephone or face to face."),
    el("ul", { class: "lines" }, await Promise.all(items.map((one) =>
      candidateItem(one, add)))));
}

// Candidates are there for approvers; a broker that has none says 404.
async function candidatesOf(ctx, name) {
  try {
    return (await ctx.api.list(`${tenantPath(name)}/candidates`)).items;
  } catch (error) {
    if (error.status === 404 || error.status === 403) return [];
    throw error;
  }
}

export function rulesView(ctx, name) {
  const body = el("div", {}, waiting());
  const said = el("div", { id: "rules-diff", "aria-live": "polite" });
  const panel = el("div", { id: "rules-panel" });
  const news = el("div", {});
  let base = null;

  async function build() {
    const { current: trust } = await ctx.trustOf(name);
    base = trust.id;
    const parts = Object.fromEntries(LISTS.map(([kind, title]) =>
      [kind, listPart(kind, title, () => changed())]));
    const settings = settingsPart(trust.document, () => changed());
    await Promise.all(LISTS.map(([kind]) => parts[kind].set(trust.document[kind])));
    const text = () => successor(trust, { ...settings.read(),
      ...Object.fromEntries(LISTS.map(([kind]) => [kind, parts[kind].read()])) });

    async function changed() {
      fill(panel);
      try {
        const list = diff(trust, await readTrust(await text()));
        fill(said, list.length === 0
          ? el("p", { class: "muted" }, "Nothing is changed yet.") : changes(list));
      } catch (error) {
        fill(said, notice("bad", el("p", {}, `This would not hold: ${error.message}.`)));
      }
    }

    fill(body, await candidatesCard(await candidatesOf(ctx, name), parts),
      settings.element, LISTS.map(([kind]) => parts[kind].element),
      addKeyPart(parts), addPagePart(ctx, parts),
      card("What changes", said, el("div", { class: "actions" },
        action("Show the text to sign", async () => {
          await putProposal(panel, ctx, { name, trust, text: await text(),
            done: () => ctx.go(`#/tenants/${name}`) });
          panel.scrollIntoView({ block: "start" });
        }, { id: "rules-show", tone: "primary" }))), panel);
    await changed();
    if (!isOwner(ctx.me, trust, ctx.now()))
      fill(news, notice("open", el("p", {}, "You are no owner: you may try things out, " +
        "but an owner must propose and sign them.")));
  }

  return {
    title: `Change the rules of ${name}`,
    element: el("div", {}, heading("Change the rules", { lead: "Nothing is in force " +
      "until enough owners have signed it." }), tenantTabs(ctx, name, "Change"), news, body),
    async refresh() {
      if (base === null) {
        await build();
      } else {
        const { trust } = await ctx.api.get(tenantPath(name));
        if (trust.sha256 !== base)
          fill(news, notice("wait", el("p", {}, "Other rules came into force in the " +
            "meantime. What you draft here follows the old ones. "),
          action("Begin again with the new rules", async () => {
            base = null;
            fill(news);
            fill(panel);
            await build();
          }, { id: "rules-again" })));
      }
    },
  };
}
