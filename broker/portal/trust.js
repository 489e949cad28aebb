// Trust documents (doc/wire-format.md, section 6): what they say, whose
// signature counts, what follows what, and what changes between two, in words.

import { DocumentError, documentId, formatTime, parse, parseTime, valid, write }
  from "./documents.js";
import { fingerprint, parseKey, parseSignature, sameKey, verify, FLAG_TOUCH,
  FLAG_VERIFIED } from "./sshsig.js";
import * as words from "./words.js";

const APPROVE = "lockbox-approve-v1";
const DENY = "lockbox-deny-v1";
const REVOKE = "lockbox-revoke-v1";
const TRUST = "lockbox-trust-v1";

// The kinds of lines that pin keys, and what each may sign.
export const KINDS = {
  broker: ["lockbox-answer-v1"],
  approver: [APPROVE, DENY, REVOKE, TRUST],
  hook: [APPROVE, DENY, REVOKE],
  engineer: ["lockbox-request-v1"],
  delegate: [APPROVE, DENY, REVOKE],
};

const KIND_WORDS = {
  broker: "broker", approver: "approver", hook: "approval system",
  engineer: "engineer", delegate: "delegate of the provider",
};

// What this browser has no means to find out.
export class UnableError extends DocumentError {}

// --- lines -------------------------------------------------------------------

const DATE = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

const readDate = (text) => text === undefined ? null
  : parseTime(text.replace(DATE, "$1-$2-$3T$4:$5:$6Z"));
const writeDate = (at) => formatTime(at).replace(/[-:T]/g, "");

const PINNED = new RegExp('^([^ ]+) namespaces="([^"]+)"' +
  '(?:,valid-after="(\\d{14}Z)")?(?:,valid-before="(\\d{14}Z)")? (.+)$');

// An allowed_signers line -> {principal, namespaces, after, before, key, line,
// fingerprint}; after and before are null when they do not stand there.
export async function readPinned(line) {
  const found = PINNED.exec(line);
  if (!found || !valid("principal", found[1]))
    throw new DocumentError("a pinned line is not in its one spelling");
  const namespaces = found[2].split(",");
  const [after, before] = [readDate(found[3]), readDate(found[4])];
  if (namespaces.some((name, i) => i > 0 && namespaces[i - 1] >= name) ||
      (before !== null && (after ?? 0) >= before))
    throw new DocumentError("a pinned line is not in its one spelling");
  const key = parseKey(found[5]);
  return { principal: found[1], namespaces, after, before, key, line,
    fingerprint: await fingerprint(key) };
}

// The line for a person and a key ("TYPE BASE64").
export function pinnedLine({ principal, namespaces, after = null,
  before = null, key }) {
  const dates = [["valid-after", after], ["valid-before", before]]
    .filter(([, at]) => at !== null)
    .map(([name, at]) => `,${name}="${writeDate(at)}"`);
  return `${principal} namespaces="${[...namespaces].sort().join(",")}"` +
    `${dates.join("")} ${key}`;
}

// "RP-ID ORIGIN [broker]" -> {rpId, origin, broker, line}.
export function readPage(line) {
  const found = /^([^ ]+) (https:\/\/([^ :/]+)(?::([1-9]\d{0,4}))?)( broker)?$/
    .exec(line);
  const [, rpId, origin, host, port, mark] = found ?? [];
  if (!found || !valid("host", host) || !valid("host", rpId) ||
      (host !== rpId && !host.endsWith(`.${rpId}`)) ||
      (port !== undefined && (port === "443" || Number(port) > 65535)))
    throw new DocumentError("a page is not 'RP-ID https://HOST[:PORT] [broker]'");
  return { rpId, origin, broker: mark !== undefined, line };
}

// --- documents ---------------------------------------------------------------

// Read a trust document as a whole: {document, text, id, pages, broker,
// approver, hook, engineer, delegate}. Throws for what a host would refuse.
export async function readTrust(text) {
  const document = parse("trust", text);
  const trust = { document, text, id: await documentId(text),
    pages: document.page.map(readPage) };
  for (const [kind, most] of Object.entries(KINDS)) {
    trust[kind] = await Promise.all(document[kind].map(readPinned));
    for (const line of trust[kind])
      if (line.namespaces.some((name) => !most.includes(name)) ||
          (kind === "broker" && (line.key.sk || !valid("name", line.principal))))
        throw new DocumentError(`a ${kind} line may not say that`);
  }
  if (trust.pages.some((page) => trust.pages.some((other) =>
    page.origin === other.origin && page.broker !== other.broker)))
    throw new DocumentError("a page is both the broker's and not");
  for (const namespace of [APPROVE, TRUST])
    if (quorum(could(trust, namespace)) < document.threshold)
      throw new DocumentError(namespace === TRUST
        ? "too few owners are left to change these rules"
        : "too few approvers are left to approve anything");
  return trust;
}

// Lines that could ever sign in that namespace: [{kind, line}], dates aside.
function could(trust, namespace) {
  const strong = trust.document.require !== "any";
  return ["approver", "hook"].flatMap((kind) => trust[kind]
    .filter((line) => line.namespaces.includes(namespace) &&
      (kind === "hook" || !strong || line.key.sk) &&
      (!line.key.passkey || pageOf(trust, line.key.application, null, namespace)))
    .map((line) => ({ kind, line })));
}

// The page line that lets a passkey of that RP-ID sign; origin null: any.
function pageOf(trust, rpId, origin, namespace) {
  return trust.pages.find((page) => page.rpId === rpId &&
    (origin === null || page.origin === origin) &&
    !(namespace === TRUST && page.broker)) ?? null;
}

const pointOf = (line) => line.key.point.join();

// The largest set in which no principal and no key stands twice: a matching
// of people with keys, found by augmenting paths.
function matching(lines) {
  const holder = new Map(); // point -> principal
  const keysOf = new Map();
  for (const line of lines)
    keysOf.set(line.principal,
      [...(keysOf.get(line.principal) ?? []), pointOf(line)]);
  const place = (principal, seen) => keysOf.get(principal).some((point) => {
    if (seen.has(point)) return false;
    seen.add(point);
    if (holder.has(point) && !place(holder.get(point), seen)) return false;
    holder.set(point, principal);
    return true;
  });
  return [...keysOf.keys()].filter((name) => place(name, new Set())).length;
}

// How many approvals a set of lines makes: approvers and at most one hook.
export function quorum(heard) {
  const approvers = heard.filter(({ kind }) => kind === "approver")
    .map(({ line }) => line);
  const hooks = heard.filter(({ kind }) => kind === "hook");
  return Math.max(matching(approvers), ...hooks.map(({ line }) =>
    matching([...approvers, line])));
}

// now null: whatever the dates say.
const inDates = (line, now) => now === null || ((line.after ?? 0) <= now &&
  (line.before === null || now < line.before));

// Why a signature that verified does not speak for a line; null: it speaks.
function deaf(trust, kind, line, namespace, signature, now) {
  if (!line.namespaces.includes(namespace)) return "may not sign this";
  if (!inDates(line, now)) return "is outside its dates";
  if (line.key.passkey &&
      !pageOf(trust, line.key.application, signature.origin, namespace))
    return "was used on a page that does not count for this";
  if ((namespace !== APPROVE && namespace !== TRUST) || kind === "hook")
    return null;
  const need = { any: 0, touch: FLAG_TOUCH,
    verified: FLAG_TOUCH | FLAG_VERIFIED }[trust.document.require];
  if (need !== 0 && (!signature.key.sk || (signature.flags & need) !== need))
    return `is not strong enough: ${words.require(trust.document.require)[1]}`;
  return null;
}

// Whom a signature over a document speaks for under a trust document.
// {result, who: [{kind, line}], why}: result is verify()'s word or
// "unreadable"; who is empty when it counts for nobody, why then says it.
export async function hear(trust, text, armor, namespace, now) {
  let signature;
  try {
    signature = parseSignature(armor);
  } catch (error) {
    return { result: "unreadable", who: [], why: error.message };
  }
  const heard = { signature, result: await verify(signature, namespace, text),
    who: [], why: null };
  if (heard.result === "bad")
    return { ...heard, why: "The signature is not over this text." };
  heard.why = "The key is none that the customer pinned.";
  for (const kind of Object.keys(KINDS))
    for (const line of trust[kind].filter((l) => sameKey(l.key, signature.key))) {
      const why = deaf(trust, kind, line, namespace, signature, now);
      if (why === null) heard.who.push({ kind, line });
      else heard.why = `The key of ${line.principal} ${why}.`;
    }
  if (heard.who.length > 0) heard.why = null;
  return heard;
}

// Lines under which that person may sign in that namespace now.
export function linesOf(trust, principal, namespace, now) {
  return ["approver", "hook", "delegate"].flatMap((kind) => trust[kind]
    .filter((line) => line.principal === principal &&
      line.namespaces.includes(namespace) && inDates(line, now) &&
      (kind !== "delegate" || now < trust.document.delegate_until))
    .map((line) => ({ kind, line })));
}

export const owners = (trust) => trust.approver.filter((line) =>
  line.namespaces.includes(TRUST));

// Does next ({text, signatures}) follow current? Returns the trust read;
// throws with the reason if it does not.
export async function follow(current, next, now) {
  const heard = { good: [], unable: [] };
  for (const armor of next.signatures) {
    const one = await hear(current, next.text, armor, TRUST, now);
    heard[one.result]?.push(...one.who);
  }
  const { threshold } = current.document;
  if (quorum([...heard.good, ...heard.unable]) < threshold)
    throw new DocumentError("too few owners of the rules before have signed it");
  if (quorum(heard.good) < threshold)
    throw new UnableError("this browser cannot verify the owners' signatures");
  const trust = await readTrust(next.text);
  const { tenant, serial, previous } = trust.document;
  if (tenant !== current.document.tenant || previous !== current.id ||
      serial !== current.document.serial + 1)
    throw new DocumentError("it does not follow the rules before it");
  return trust;
}

// --- edits -------------------------------------------------------------------

// The successor's text: changes are members of the document (lists whole).
// Throws when it would not hold.
export async function successor(trust, changes) {
  const text = write("trust", { ...trust.document, ...changes,
    serial: trust.document.serial + 1, previous: trust.id });
  await readTrust(text);
  return text;
}

// Lockbox off: these delegates approve alone until then.
export function off(delegates, until) {
  return { delegate: delegates.map((delegate) => pinnedLine({
    namespaces: [APPROVE, DENY, REVOKE], ...delegate })), delegate_until: until };
}

// Lockbox on again.
export function on() {
  return { delegate: [], delegate_until: null };
}

// Is lockbox off now? Until when, or null.
export function offUntil(trust, now) {
  const until = trust.document.delegate_until;
  return until !== null && now < until ? until : null;
}

// --- words -------------------------------------------------------------------

function keyWord(key) {
  if (key.passkey) return `passkey for ${key.application}`;
  return key.sk ? "security key" : "SSH key";
}

// "anna@acme.example with SSH key SHA256:… may approve and deny, until …".
export function lineWords(line) {
  const dates = [line.after && `from ${words.utc(line.after)}`,
    line.before && `until ${words.utc(line.before)}`].filter(Boolean);
  return [`${line.principal} with ${keyWord(line.key)} ${line.fingerprint} may ` +
    words.powers(line.namespaces), ...dates].join(", ");
}

export function pageWords(page) {
  return page.broker
    ? `${page.origin} (served by the provider's broker), passkeys of ${page.rpId}`
    : `${page.origin} (your own), passkeys of ${page.rpId}`;
}

// [name, how its value is said] of the lines that stand once.
const SETTINGS = [
  ["good_until", "The rules are good until", words.utc],
  ["threshold", "Approvals needed", String],
  ["require", "Keys that approve", (word) => words.require(word)[0].toLowerCase()],
  ["longest", "Longest access", words.span],
  ["lease", "A session lives without contact to the broker for", words.span],
  ["offline", "Signed grants while the broker is away",
    (word) => word === "allow" ? "allowed" : "refused"],
];

function delegationWords(from, to) {
  if (from === to) return [];
  if (to === null)
    return [{ change: "changed", text: "Lockbox is on again: only your " +
      "approvers decide. What a delegate approved ends at once." }];
  const until = `${words.utc(to)}`;
  return [{ change: "changed", text: from === null
    ? `Lockbox is off until ${until}: one delegate of the provider may ` +
      "approve alone. Everything that rests on it ends then."
    : `Lockbox stays off until ${until} (was ${words.utc(from)}).` }];
}

function linesDiff(title, from, to, say) {
  const missing = (list, line) => !list.some((other) => other.line === line.line);
  return [
    ...from.filter((line) => missing(to, line))
      .map((line) => ({ change: "removed", text: `${title} removed: ${say(line)}` })),
    ...to.filter((line) => missing(from, line))
      .map((line) => ({ change: "added", text: `${title} added: ${say(line)}` })),
  ];
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

// What changes from a to b (both read): [{change, text}]; change is "added",
// "removed" or "changed". The serial is not mentioned.
export function diff(a, b) {
  return [
    ...delegationWords(a.document.delegate_until, b.document.delegate_until),
    ...SETTINGS
      .filter(([name]) => a.document[name] !== b.document[name])
      .map(([name, title, say]) => ({ change: "changed",
        text: `${title}: ${say(b.document[name])} (was ${say(a.document[name])})` })),
    ...linesDiff("Page", a.pages, b.pages, pageWords),
    ...Object.keys(KINDS).flatMap((kind) =>
      linesDiff(capital(KIND_WORDS[kind]), a[kind], b[kind], lineWords)),
  ];
}
