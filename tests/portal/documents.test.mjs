// documents.js: the one spelling of every document, and nothing else.

import { block, doc } from "./world.mjs";
import assert from "node:assert/strict";
import test from "node:test";

import { DocumentError, documentId, formatTime, parse, parseTime, requestCode,
  splitBundle, valid, visible, write } from "../../broker/portal/documents.js";

const EXAMPLES = [["request", "request"], ["grant", "grant"],
  ["trust", "trust"], ["trust", "trust-2"]];

const SIGNIN = "lockbox-signin-v1\nbroker: support\nprincipal: mia@acme.example\n" +
  "nonce: 00112233445566778899aabbccddeeff\ntime: 2026-03-02T14:00:00Z\n";

test("what is read is written again, byte for byte", () => {
  for (const [type, name] of EXAMPLES)
    assert.equal(write(type, parse(type, block(name))), block(name));
  assert.equal(write("signin", parse("signin", SIGNIN)), SIGNIN);
});

test("ids and the code are those that the specification prints", async () => {
  for (const [, name] of EXAMPLES)
    assert.ok(doc.includes(`\`${await documentId(block(name))}\``), name);
  assert.equal(requestCode(await documentId(block("request"))), "3TAN-BA99-SJKG");
});

test("members have their types", () => {
  const request = parse("request", block("request"));
  assert.deepEqual(request.host, ["db1.acme.example", "db2.acme.example"]);
  assert.equal(request.duration, 7200);
  assert.equal(request.start, null);
  assert.equal(request.requested, Date.UTC(2026, 2, 2, 14) / 1000);
  assert.deepEqual(parse("trust", block("trust")).page, []);
});

test("a writer sorts lists and drops doubles", () => {
  const request = parse("request", block("request"));
  request.host = ["db2.acme.example", "db1.acme.example", "db2.acme.example"];
  assert.equal(write("request", request), block("request"));
});

// Each row spoils the good request, which is read first.
const SPOILED = [
  ["another magic", (t) => t.replace("request-v1", "request-v2")],
  ["no final newline", (t) => t.slice(0, -1)],
  ["a blank line", (t) => t.replace("login:", "\nlogin:")],
  ["one more line", (t) => `${t}note: x\n`],
  ["a missing line", (t) => t.replace("duration: 7200\n", "")],
  ["a line twice", (t) => t.replace("duration: 7200\n", "$&$&")],
  ["lines out of order", (t) => t.replace(/(login.*\n)(service: sshd\n)/, "$2$1")],
  ["a list out of order", (t) => t.replace(/(host: db1.*\n)(host: db2.*\n)/, "$2$1")],
  ["a list with a double", (t) => t.replace(/host: db1.*\n/, "$&$&")],
  ["CRLF", (t) => t.replaceAll("\n", "\r\n")],
  ["two spaces behind the colon", (t) => t.replace("login: ", "login:  ")],
  ["an empty value", (t) => t.replace("ACME-4711", "")],
  ["an id that is none", (t) => t.replace("01KJQ", "81KJQ")],
  ["a host in capitals", (t) => t.replace("db2.acme", "DB2.acme")],
  ["a host that ends with a dot", (t) => t.replace("db2.acme.example", "db2.acme.")],
  ["a label that begins with -", (t) => t.replace("db2.", "-db2.")],
  ["a key whose unused bits are set", (t) => t.replace("50ZBQ", "50ZBR")],
  ["a duration too long", (t) => t.replace("7200", "86401")],
  ["a duration with a zero before it", (t) => t.replace("7200", "07200")],
  ["a duration with a sign", (t) => t.replace("7200", "+7200")],
  ["an unknown reason type", (t) => t.replace("customer_init", "customers_init")],
  ["a reason with an escape", (t) => t.replace("Nightly", "\u001b[2JNightly")],
  ["a reason with a bidi override", (t) => t.replace("Nightly", "\u202eNightly")],
  ["a reason with a zero-width space", (t) => t.replace("Nightly", "Night\u200bly")],
  ["a reason with half a surrogate", (t) => t.replace("Nightly", "\ud800Nightly")],
  ["a reason too long", (t) => t.replace("Nightly", "ö".repeat(250))],
  ["a day that is none", (t) => t.replace("2026-03-02", "2026-02-30")],
  ["an hour 24", (t) => t.replace("T14:00", "T24:00")],
  ["a year out of range", (t) => t.replace("2026-03-02", "2100-03-02")],
  ["a time with another zone", (t) => t.replace("14:00:00Z", "14:00:00+")],
];

for (const [name, spoil] of SPOILED)
  test(`refused: ${name}`, () => {
    parse("request", block("request"));
    assert.notEqual(spoil(block("request")), block("request"));
    assert.throws(() => parse("request", spoil(block("request"))), DocumentError);
  });

test("a list may be as long as its row says, and no longer", () => {
  const request = parse("request", block("request"));
  request.host = Array.from({ length: 32 }, (_, i) => `h${i}`);
  write("request", request);
  request.host.push("h32");
  assert.throws(() => write("request", request), DocumentError);
});

test("a document may have 8192 bytes, and no more", () => {
  const request = parse("request", block("request"));
  const long = (i) => `h${i}.${"a".repeat(62)}.${"b".repeat(62)}.` +
    `${"c".repeat(62)}.${"d".repeat(59)}`;
  request.host = Array.from({ length: 28 }, (_, i) => long(10 + i));
  write("request", request);
  request.host = Array.from({ length: 32 }, (_, i) => long(10 + i));
  assert.throws(() => write("request", request), /too long/);
});

test("grants keep their spans", () => {
  const grant = parse("grant", block("grant"));
  write("grant", { ...grant, not_after: grant.not_before + 86400 });
  for (const wrong of [{ not_after: grant.not_before },
    { not_after: grant.not_before + 86401 }, { issued: grant.not_after },
    { issued: grant.not_after - 31 * 86400 - 1 }])
    assert.throws(() => write("grant", { ...grant, ...wrong }), DocumentError);
});

test("serial and previous, delegates and their end, go together", () => {
  const trust = parse("trust", block("trust-2"));
  const delegate = ["x namespaces=\"lockbox-approve-v1\" ssh-ed25519 AAAA"];
  write("trust", { ...trust, delegate, delegate_until: trust.good_until });
  for (const wrong of [{ previous: null }, { delegate },
    { delegate_until: trust.good_until }])
    assert.throws(() => write("trust", { ...trust, ...wrong }), DocumentError);
});

test("times are read and written over their whole range", () => {
  for (const time of ["2000-01-01T00:00:00Z", "2024-02-29T23:59:59Z",
    "2099-12-31T23:59:59Z"])
    assert.equal(formatTime(parseTime(time)), time);
  assert.throws(() => parseTime("1999-12-31T23:59:59Z"), DocumentError);
  assert.throws(() => parseTime("2023-02-29T00:00:00Z"), DocumentError);
});

// As in tests/unit/test_visible.c.
const VISIBLE = [
  ["restart the database", true], ["a < b & \"c\" \\ 'd'", true],
  ["Straße", true], ["東京", true], ["Мир", true], ["שלום", true], ["🔒", true],
  ["e\u0301", true], ["e\u0301\u0301\u0301\u0301", true],
  ["e\u0301\u0301\u0301\u0301\u0301", false], ["\u0301", false],
  ["a \u0301", false], ["", false], [" ", false], [" a", false], ["a ", false],
  ["a  b", false], ["a\tb", false], ["a\nb", false], ["a\x7f", false],
  ["a\x85b", false], ["a\x9bb", false], ["a\xa0b", false], ["a\xadb", false],
  ["a\u034fb", false], ["a\u115fb", false], ["a\u3164b", false],
  ["a\u180eb", false], ["a\u200db", false], ["a\u2028b", false],
  ["a\u2029b", false], ["a\u2066b", false], ["a\u2800b", false],
  ["a\u3000b", false], ["a\ufe0f", false], ["a\ufeffb", false],
  ["a\ufffcb", false], ["a\uffffb", false], ["a\ue000b", false],
  ["a\u{e0041}", false], ["a\u0600", false], ["a\ufff9", false],
  ["a\u{1d159}", false], ["क\u0903", true], ["a \u0903", false],
  ["a\u20dd", true], ["a \u20dd", false],
];

test("visible text is what a person sees", () => {
  for (const [text, want] of VISIBLE)
    assert.equal(visible(text), want, JSON.stringify(text));
});

test("names are exact", () => {
  assert.ok(valid("host", "a".repeat(63)));
  assert.ok(!valid("host", "a".repeat(64)));
  assert.ok(!valid("host", ""));
  assert.ok(valid("login", "_x.y-z"));
  assert.ok(!valid("login", "9x"));
  assert.ok(valid("principal", "a+b@c.example"));
  assert.ok(!valid("principal", "@c"));
  assert.ok(!valid("service", "sshd "));
});

test("a bundle splits into its parts", () => {
  const parts = splitBundle(block("bundle"));
  assert.deepEqual(parts.map(({ signatures }) => signatures.length), [1, 2, 1]);
  assert.equal(parts[1].text, block("grant"));
  assert.deepEqual(parts[1].signatures,
    [block("grant.mia.sig"), block("grant.noah.sig")]);
  assert.equal(parts[2].text, block("request"));
  assert.deepEqual(splitBundle(""), []);
});

test("a bundle that is cut, or holds more, is refused", () => {
  const bundle = block("bundle");
  for (const wrong of [bundle.slice(0, -1), bundle.slice(0, -30),
    `x\n${bundle}`, bundle.replace("-----END", "\n-----END"),
    bundle.replace("-----BEGIN SSH SIGNATURE-----\nlockbox", "lockbox"),
    bundle.replace("SIGNATURE-----\nlockbox-grant-v1", "SIGNATURE-----\nx\n$&")])
    if (wrong !== bundle)
      assert.throws(() => splitBundle(wrong), DocumentError);
});
