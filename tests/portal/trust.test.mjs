// trust.js, narrowing.js, review.js: whose signature counts, what follows,
// what lies within, and the words for it.

import { block, scratch, sshKey } from "./world.mjs";
import assert from "node:assert/strict";
import test from "node:test";

import { DocumentError, documentId, formatTime, parse, parseTime, requestCode, write }
  from "../../broker/portal/documents.js";
import { choose, differs, exceeds, narrowed }
  from "../../broker/portal/narrowing.js";
import { reviewGrant, reviewRequest } from "../../broker/portal/review.js";
import { fingerprint, parseKey } from "../../broker/portal/sshsig.js";
import { UnableError, diff, follow, hear, linesOf, off, offUntil, on, owners, pinnedLine,
  quorum, readPage, readPinned, readTrust, successor }
  from "../../broker/portal/trust.js";

const NOW = parseTime("2026-03-02T14:30:00Z");
const APPROVE = "lockbox-approve-v1";
const first = await readTrust(block("trust"));
const second = await readTrust(block("trust-2"));
const request = parse("request", block("request"));
const requestId = await documentId(block("request"));
const grant = parse("grant", block("grant"));
const signed = (trust, ...names) =>
  ({ text: block(trust), signatures: names.map((name) => block(name)) });
const texts = (list) => list.map(({ text }) => text);

test("a trust document is read as a whole", () => {
  assert.deepEqual(owners(first).map(({ principal }) => principal),
    ["mia@acme.example", "noah@acme.example"]);
  assert.equal(first.engineer[0].before, parseTime("2027-01-01T00:00:00Z"));
  assert.deepEqual(second.pages, [{ rpId: "acme.example", broker: false,
    origin: "https://lockbox.acme.example",
    line: "acme.example https://lockbox.acme.example" }]);
});

test("pinned lines are written as they were read", async () => {
  for (const line of [...first.document.engineer, ...second.document.approver]) {
    const read = await readPinned(line);
    assert.equal(pinnedLine({ ...read, key: read.key.line }), line);
  }
});

test("pinned lines in another spelling are refused", async () => {
  const [good] = first.document.engineer;
  await readPinned(good);
  for (const wrong of [good.replace("ada", "*"), good.replace('namespaces="lockbox-request-v1",', ""),
    good.replace("20260101000000Z", "20260101000000"),
    good.replace("20260101000000Z", "20280101000000Z"),
    good.replace("20260101000000Z", "20260230000000Z"), `${good} comment`,
    good.replace("namespaces", "cert-authority,namespaces")])
    await assert.rejects(readPinned(wrong), Error, wrong);
});

test("pages are https, a host within the RP-ID, and no default port", () => {
  readPage("acme.example https://lockbox.acme.example:8443 broker");
  for (const wrong of ["acme.example http://acme.example",
    "acme.example https://evilacme.example", "acme.example https://acme.example/",
    "acme.example https://acme.example:443", "acme.example https://acme.example:70000",
    "acme.example https://acme.example other", "acme.example"])
    assert.throws(() => readPage(wrong), DocumentError, wrong);
});

test("rules that nobody could reach are refused", async () => {
  await readTrust(write("trust", { ...first.document, threshold: 2 }));
  await assert.rejects(readTrust(write("trust", { ...first.document, threshold: 3 })),
    /too few/);
  await assert.rejects(readTrust(write("trust",
    { ...first.document, require: "touch" })), /too few/);
});

test("people and keys count once", () => {
  const [mia, noah] = first.approver;
  const as = (kind, ...lines) => lines.map((line) => ({ kind, line }));
  assert.equal(quorum(as("approver", mia, noah)), 2);
  assert.equal(quorum(as("approver", mia, { ...noah, key: mia.key })), 1);
  assert.equal(quorum(as("approver", mia, { ...noah, principal: mia.principal })), 1);
  // A person with two keys, one of them shared: the other one is counted.
  assert.equal(quorum(as("approver", mia, { ...mia, key: noah.key },
    { ...noah, key: mia.key })), 2);
  assert.equal(quorum([...as("approver", mia), ...as("hook", noah,
    { ...noah, principal: "x", key: second.approver[0].key })]), 2);
});

test("a successor follows when its owners signed it, and not otherwise", async () => {
  const both = ["trust-2.mia.sig", "trust-2.noah.sig"];
  const next = await follow(first, signed("trust-2", ...both), NOW);
  assert.equal(next.id, second.id);
  await assert.rejects(follow(first, signed("trust-2", both[0]), NOW), /too few/);
  await assert.rejects(follow(first, signed("trust-2", both[0], both[0]), NOW),
    /too few/);
  await assert.rejects(follow(first, signed("trust-2", both[0], "trust.noah.sig"),
    NOW), /too few/);
  await assert.rejects(follow(second, signed("trust-2", ...both), NOW),
    /does not follow/);
});

test("a browser without Ed25519 says that it cannot tell", async (t) => {
  const next = signed("trust-2", "trust-2.mia.sig", "trust-2.noah.sig");
  await follow(first, next, NOW);
  const { importKey } = crypto.subtle;
  t.after(() => { delete crypto.subtle.importKey; });
  crypto.subtle.importKey = function (...given) {
    if (given[2].name === "Ed25519")
      return Promise.reject(new DOMException("no", "NotSupportedError"));
    return importKey.apply(this, given);
  };
  await assert.rejects(follow(first, next, NOW), UnableError);
  const review = await reviewRequest(given, first, NOW);
  assert.ok(review.sound);
  assert.equal(review.checks[0].result, "unsure");
});

test("a passkey counts on a pinned page only, and nobody out of date", async () => {
  const of = async (trust, name, now = NOW) =>
    (await hear(trust, block("grant"), block(name), APPROVE, now)).who
      .map(({ line }) => line.principal);
  assert.deepEqual(await of(second, "grant.passkey.sig"), ["mia@acme.example"]);
  assert.deepEqual(await of(first, "grant.passkey.sig"), []);
  assert.deepEqual(await of(first, "grant.noah.sig"), ["noah@acme.example"]);
  const other = await readTrust(block("trust-2").replace("https://lockbox.acme",
    "https://other.acme"));
  assert.deepEqual(await of(other, "grant.passkey.sig"), []);
  const heard = async (now) => (await hear(first, block("request"),
    block("request.ada.sig"), "lockbox-request-v1", now)).who.length;
  assert.equal(await heard(NOW), 1);
  assert.equal(await heard(parseTime("2027-01-01T00:00:00Z")), 0);
  assert.equal(await heard(parseTime("2025-12-31T23:59:59Z")), 0);
});

test("strength is asked of approvals, not of denials", async () => {
  const strict = await readTrust(write("trust", { ...second.document,
    threshold: 1, require: "verified",
    approver: [second.approver[0].line.replace("lockbox-revoke-v1",
      "lockbox-revoke-v1,lockbox-trust-v1"), ...second.document.approver.slice(1)] }));
  const who = async (text, name, ns) => (await hear(strict, block(text),
    block(name), ns, NOW)).who.length;
  assert.equal(await who("grant", "grant.passkey.sig", APPROVE), 1);
  assert.equal(await who("grant", "grant.noah.sig", APPROVE), 0);
  assert.equal(await who("request", "deny.noah.sig", "lockbox-deny-v1"), 1);
});

test("lockbox off is a delegation with an end, and on again takes it back", async (t) => {
  const boss = sshKey(scratch(t), "boss");
  const until = NOW + 8 * 3600;
  const text = await successor(second, off([{ principal: "max@provider.example",
    key: boss.line }], until));
  const next = await readTrust(text);
  assert.equal(next.document.serial, 3);
  assert.equal(next.document.previous, second.id);
  assert.equal(offUntil(next, NOW), until);
  assert.equal(offUntil(next, until), null);
  assert.equal(linesOf(next, "max@provider.example", APPROVE, NOW).length, 1);
  assert.equal(linesOf(next, "max@provider.example", APPROVE, until).length, 0);
  assert.match(texts(diff(second, next))[0],
    /^Lockbox is off until 2026-03-02 22:30 UTC: one delegate/);
  const back = await readTrust(await successor(next, on()));
  assert.equal(offUntil(back, NOW), null);
  assert.match(texts(diff(next, back))[0], /^Lockbox is on again/);
});

test("what changes is said in words", () => {
  const said = diff(first, second);
  assert.deepEqual(said.map(({ change }) => change), ["added", "added"]);
  assert.equal(said[0].text, "Page added: https://lockbox.acme.example " +
    "(your own), passkeys of acme.example");
  assert.match(said[1].text,
    /^Approver added: mia@acme.example with passkey for acme.example SHA256:\S+ may approve, deny and revoke$/);
  assert.deepEqual(diff(first, first), []);
});

test("an edit that would lock the owners out is refused", async () => {
  await successor(first, { threshold: 1, approver: [first.document.approver[0]] });
  await assert.rejects(successor(first, { approver: [first.document.approver[0]] }),
    /too few/);
});

test("the example's grant lies within its request", () => {
  assert.deepEqual(exceeds(grant, request, requestId), []);
  assert.deepEqual(narrowed(grant, request),
    ["without the host db2.acme.example"]);
});

const BEYOND = [
  [{ request: `sha256:${"0".repeat(64)}` }, /another request/],
  [{ tenant: "other" }, /tenant/], [{ broker: "other" }, /broker/],
  [{ engineer: "eve@provider.example" }, /engineer/], [{ ticket: null }, /ticket/],
  [{ reason: "other" }, /reason/], [{ reason_type: "provider_initiated_review" }, /reason type/],
  [{ host: ["db3"] }, /host db3/], [{ login: ["root"] }, /account root/],
  [{ service: ["su"] }, /service su/],
  [{ engineer_key: [`SHA256:${"A".repeat(43)}`] }, /key SHA256/],
  [{ not_after: grant.not_before + 7200 + 61 }, /longer/],
];

for (const [change, why] of BEYOND)
  test(`a grant that goes beyond is told: ${why.source}`, () => {
    assert.match(exceeds({ ...grant, ...change }, request, requestId).join(), why);
  });

test("a start that was asked for is kept", () => {
  const later = { ...request, start: grant.not_before + 60 };
  assert.deepEqual(exceeds(grant, later, requestId), []);
  later.start++;
  assert.match(exceeds(grant, later, requestId).join(), /begins before/);
});

test("only what is less is sent", () => {
  assert.deepEqual(choose(request, {}), {});
  assert.deepEqual(choose(request, { hosts: ["db1.acme.example"], logins: ["deploy"],
    services: ["sshd"], duration: 3600, not_before: null }),
  { hosts: ["db1.acme.example"], services: ["sshd"], duration: 3600 });
  assert.throws(() => choose(request, { hosts: [] }), /must stay/);
});

test("a draft that says something else than was chosen is told", () => {
  const body = { hosts: ["db1.acme.example"] };
  assert.deepEqual(differs(grant, request, body, 28800), []);
  assert.match(differs(grant, request, {}, 28800).join(), /other hosts/);
  assert.match(differs(grant, request, { ...body, services: ["sshd"] }, 28800)
    .join(), /other services/);
  assert.match(differs(grant, request, { ...body, duration: 3600 }, 28800).join(),
    /another time/);
  const at = (seconds) => ({ ...body, not_before: formatTime(grant.issued + seconds) });
  assert.deepEqual(differs(grant, request, at(30), 28800), []);
  assert.match(differs(grant, request, at(3600), 28800).join(), /begins at another/);
  assert.match(differs({ ...grant, not_before: grant.issued + 3600,
    not_after: grant.issued + 3600 + 7200 }, request, body, 28800).join(),
  /begins at another/);
});

const given = { approvals: [], draft: null, id: request.request, sha256: requestId, tenant: "acme",
  code: requestCode(requestId), text: block("request"),
  signature: block("request.ada.sig"), endorsement: null };

test("a sound request reviews as sound", async () => {
  const review = await reviewRequest(given, first, NOW);
  assert.ok(review.sound);
  assert.match(review.checks[0].text, /that the rules pin/);
  const done = await reviewGrant(block("grant"), review, first, NOW);
  assert.ok(done.sound);
});

const LIES = [
  [{ code: "0000-0000-0000" }, /another request/], [{ id: `0${request.request.slice(1, -1)}0` }, /another request/],
  [{ signature: block("deny.noah.sig") }, /does not verify/],
  [{ signature: "nothing" }, /does not verify/],
  [{ text: block("request").replace("7200", "7201") }, /another request/],
  [{ endorsement: { principal: "max@provider.example", at: "",
    signature: block("grant.mia.sig") } }, /endorsement's signature does not/],
  [{ endorsement: { principal: "max@provider.example", at: "",
    signature: "nothing" } }, /endorsement's signature cannot/],
];

for (const [lie, why] of LIES)
  test(`a lie is found: ${Object.keys(lie)} ${why.source}`, async () => {
    const review = await reviewRequest({ ...given, ...lie }, first, NOW);
    assert.ok(!review.sound);
    assert.match(texts(review.checks).join(), why);
  });

test("approvals so far are held against the rules", async () => {
  const of = async (principal, signature) => (await reviewRequest({ ...given,
    draft: { text: block("grant") }, approvals: [{ principal, signature }] },
  first, NOW)).checks.map(({ result, text }) => `${result} ${text}`).at(-1);
  assert.match(await of("noah@acme.example", block("grant.noah.sig")),
    /^good Approved by noah/);
  assert.match(await of("mia@acme.example", block("grant.noah.sig")),
    /^unsure .*somebody else's/);
  assert.match(await of("noah@acme.example", block("revoke.mia.sig")),
    /^unsure .*not over this text/);
  assert.match(await of("mia@acme.example", block("grant.passkey.sig")),
    /^unsure .*none that the customer pinned/);
});

test("an endorsement by any hand of the engineer's is found", async (t) => {
  const dir = scratch(t);
  const [ada, adas, max] = ["ada", "adas", "max"].map((name) => sshKey(dir, name));
  const text = write("request", { ...request,
    engineer_key: [await fingerprint(parseKey(adas.line))] });
  const of = async (key, principal) => {
    const review = await reviewRequest({ ...given, text,
      sha256: await documentId(text), code: requestCode(await documentId(text)),
      signature: ada.sign("lockbox-request-v1", text),
      endorsement: { principal, signature: key.sign("lockbox-endorse-v1", text) } },
    null, NOW);
    return review.checks.map(({ result, text: said }) => `${result} ${said}`).join();
  };
  assert.match(await of(max, "max@provider.example"), /^good Endorsed by max/);
  for (const [key, name] of [[ada, "max@provider.example"],
    [adas, "max@provider.example"], [max, request.engineer], [max, "*"]])
    assert.match(await of(key, name), /^bad The endorsement is the engineer's own/);
});

test("an engineer's key that is not pinned is found", async () => {
  const other = await readTrust(block("trust").replace(/engineer: ada.*\n/,
    first.document.engineer[0].replace(first.engineer[0].key.line,
      first.broker[0].key.line).replace(/^/, "engineer: ").concat("\n")));
  const review = await reviewRequest(given, other, NOW);
  assert.ok(!review.sound);
  assert.match(review.checks[0].text, /do not pin/);
});

test("a grant is looked at before it is signed", async () => {
  const review = await reviewRequest(given, first, NOW);
  const of = async (change, now = NOW, trust = first) =>
    texts((await reviewGrant(write("grant", { ...grant, ...change }), review,
      trust, now)).checks).join();
  assert.match(await of({ host: ["db3"] }), /beyond/);
  assert.match(await of({}, grant.not_after), /over already/);
  assert.match(await of({}, grant.issued - 600), /in the future/);
  const short = await readTrust(block("trust").replace("28800", "3600"));
  assert.match(await of({}, NOW, short), /longer than your rules/);
});
