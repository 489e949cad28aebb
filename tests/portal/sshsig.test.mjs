// sshsig.js, passkey.js, p256.js: signatures of stock ssh-keygen verify here,
// and what a browser's passkey makes verifies with stock ssh-keygen.

import { becomeBrowser, block, keygenVerifies, sample, scratch, softPasskey,
  sshKey } from "./world.mjs";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

import { hex, unbase64 } from "../../broker/portal/bytes.js";
import { candidates } from "../../broker/portal/p256.js";
import * as passkey from "../../broker/portal/passkey.js";
import { SignatureError, armor, fingerprint, keyCode, keyOfFile, parseKey,
  parseSignature, passkeyLine, pastedArmor, toBeSigned, verify }
  from "../../broker/portal/sshsig.js";

const APPROVE = "lockbox-approve-v1";
const SAMPLES = ["ed25519", "p256", "sk_ed25519", "sk_p256", "passkey"]
  .flatMap((kind) => ["sha256", "sha512"].map((hash) => [kind, hash]));

for (const [kind, hash] of SAMPLES)
  test(`a sample of ${kind} with ${hash} verifies, and only as it is`, async () => {
    const signature = parseSignature(sample(`${kind}_${hash}`));
    assert.equal(signature.key.line, sample(`${kind}_key`));
    assert.equal(signature.hash, hash);
    assert.equal(signature.flags, signature.key.sk ? 5 : 0);
    assert.equal(await verify(signature, APPROVE, "hello\n"), "good");
    assert.equal(await verify(signature, APPROVE, "hello"), "bad");
    assert.equal(await verify(signature, "lockbox-revoke-v1", "hello\n"), "bad");
    for (const at of [0, 31, 32, 63]) {
      const bytes = Uint8Array.from(signature.signature);
      bytes[at] ^= 1;
      assert.equal(await verify({ ...signature, signature: bytes }, APPROVE,
        "hello\n"), "bad");
    }
    for (const wrong of [{ flags: 4 }, { counter: 8 }, { webauthn:
        !signature.webauthn }, { hash: hash === "sha256" ? "sha512" : "sha256" }])
      assert.equal(await verify({ ...signature, ...wrong }, APPROVE, "hello\n"),
        "flags" in wrong || "counter" in wrong
          ? (signature.key.sk ? "bad" : "good") : "bad");
  });

test("the worked example's signatures verify", async () => {
  const rows = [["request", "request.ada.sig", "request"],
    ["grant", "grant.mia.sig", "approve"], ["grant", "grant.noah.sig", "approve"],
    ["grant", "revoke.mia.sig", "revoke"], ["request", "deny.noah.sig", "deny"],
    ["trust", "trust.mia.sig", "trust"], ["trust-2", "trust-2.noah.sig", "trust"],
    ["grant", "grant.passkey.sig", "approve"]];
  for (const [text, name, verb] of rows)
    assert.equal(await verify(parseSignature(block(name)), `lockbox-${verb}-v1`,
      block(text)), "good", name);
  assert.equal(hex(await toBeSigned(APPROVE, block("grant"))),
    block("passkey.tbs.hex").replaceAll("\n", ""));
});

test("armor is made as it was", () => {
  for (const name of ["grant.mia.sig", "grant.passkey.sig"]) {
    const body = block(name).split("\n").slice(1, -2).join("");
    assert.equal(armor(unbase64(body)), block(name));
  }
});

test("armor with another form is refused", () => {
  const good = block("grant.mia.sig");
  parseSignature(good);
  for (const wrong of ["", good.slice(0, -1), ` ${good}`, `${good}\n`,
    good.replace("\n", "\r\n"), good.replace("BEGIN SSH", "BEGIN PGP"),
    good.replace("U1NI", "U1NI\n"), good.replace("=\n", "==\n"),
    good.replace(/Pg4=\n|tg4=\n/, "tg5=\n"), good.replace("U1NIU0lH", "U1NIU0lI")]) {
    assert.notEqual(wrong, good);
    assert.throws(() => parseSignature(wrong), SignatureError);
  }
});

test("a pasted signature is forgiven its edges", () => {
  const good = block("grant.mia.sig");
  parseSignature(pastedArmor(`\n  ${good.replaceAll("\n", "\r\n")}\n\n`));
});

for (const type of ["ed25519", "ecdsa"])
  test(`ssh-keygen -t ${type} signs, the page verifies`, async (t) => {
    const key = sshKey(scratch(t), "mia", type);
    const signature = parseSignature(key.sign(APPROVE, block("grant")));
    assert.equal(signature.key.line, key.line);
    assert.equal(await verify(signature, APPROVE, block("grant")), "good");
    assert.equal(await verify(signature, APPROVE, block("request")), "bad");
    const said = execFileSync("ssh-keygen", ["-l", "-f", `${key.file}.pub`]);
    assert.equal(said.toString().split(" ")[1],
      await fingerprint(keyOfFile(key.pub)));
    assert.match(await keyCode(parseKey(key.line)), /^(?:[0-9A-HJKMNP-TV-Z]{4}-?){3}$/);
  });

test("keys that may not sign, or are not canonical, are refused", () => {
  const good = sample("ed25519_key");
  parseKey(good);
  for (const wrong of ["", "ssh-ed25519", `${good} comment`, ` ${good}`,
    good.replace("ssh-ed25519", "ssh-rsa"), good.slice(0, -4),
    good.replace("AAAAC3", "AAAAC4"),
    sample("p256_key").replace("ecdsa-sha2-nistp256", "ssh-ed25519")])
    assert.throws(() => parseKey(wrong), SignatureError);
});

test("a point that is not on the curve verifies nothing", async () => {
  const signature = parseSignature(sample("p256_sha256"));
  assert.equal(await verify(signature, APPROVE, "hello\n"), "good");
  const key = { ...signature.key, point: signature.key.point.map((b, i) =>
    i === 40 ? b ^ 1 : b) };
  assert.equal(await verify({ ...signature, key }, APPROVE, "hello\n"), "bad");
});

test("clientDataJSON is held against its one form", async () => {
  const good = parseSignature(block("grant.passkey.sig"));
  const text = new TextDecoder().decode(good.clientData);
  const said = async (changed, more = {}) => verify({ ...good, ...more,
    clientData: new TextEncoder().encode(changed) }, APPROVE, block("grant"));
  assert.equal(await said(text), "good");
  assert.equal(await said(text, { origin: "https://evil.example" }), "bad");
  for (const wrong of [text.replace("webauthn.get", "webauthn.create"),
    text.replace('false', 'true'), text.replace("}", ',"a":"\\u0041"}'),
    ` ${text}`, `${text}x`])
    assert.equal(await said(wrong), "bad", wrong);
});

test("a passkey's signature is made, and stock ssh-keygen accepts it", async (t) => {
  const dir = scratch(t);
  const origin = "https://lockbox.acme.example";
  const soft = await softPasskey(origin, "acme.example");
  becomeBrowser(soft);
  const made = await passkey.create({ rpId: "acme.example", rpName: "Acme",
    principal: "mia@acme.example" });
  assert.equal(made.key, passkeyLine("acme.example", soft.point));
  assert.equal(soft.asked.authenticatorSelection.userVerification, "required");

  const pinned = `mia@acme.example namespaces="${APPROVE}" ${made.key}`;
  for (let i = 0; i < 20; i++) { // r and s of all lengths
    const [signed, ...others] = await passkey.sign({ rpId: "acme.example",
      namespace: APPROVE, message: block("grant"), known: [made.key] });
    assert.equal(others.length, 0);
    assert.equal(signed.id, made.id);
    const signature = parseSignature(signed.signature);
    assert.equal(signature.origin, origin);
    assert.equal(await verify(signature, APPROVE, block("grant")), "good");
    if (i < 3) {
      assert.ok(keygenVerifies(dir, pinned, APPROVE, block("grant"),
        signed.signature));
      assert.ok(!keygenVerifies(dir, pinned, APPROVE, block("request"),
        signed.signature));
    }
  }
  assert.equal(hex(soft.asked.challenge),
    block("passkey.tbs.hex").replaceAll("\n", ""));
});

test("without a known key, two signatures tell which one it is", async () => {
  const soft = await softPasskey("https://x.example", "x.example");
  becomeBrowser(soft);
  const line = passkeyLine("x.example", soft.point);
  const sign = async (message) => (await passkey.sign({ rpId: "x.example",
    namespace: "lockbox-signin-v1", message })).map(({ key }) => key);
  const [first, second] = [await sign("a"), await sign("b")];
  assert.ok(first.length >= 2 && first.includes(line));
  assert.deepEqual(first.filter((key) => second.includes(key)), [line]);
});

test("a passkey that does not count here is refused", async () => {
  becomeBrowser(await softPasskey("https://x.example", "x.example"));
  await assert.rejects(passkey.sign({ rpId: "x.example", namespace: APPROVE,
    message: "a", known: [sample("passkey_key")] }), passkey.PasskeyError);
});

test("no key is made up for numbers that are no signature", () => {
  const zero = new Uint8Array(32);
  const one = Uint8Array.from({ length: 32 }, (_, i) => Number(i === 31));
  const most = new Uint8Array(32).fill(255);
  assert.deepEqual(candidates(zero, one, one), []);
  assert.deepEqual(candidates(one, zero, one), []);
  assert.deepEqual(candidates(most, one, one), []);
});

test("DER that is none is refused", () => {
  assert.deepEqual(passkey.readDer(Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 2)).s[31], 2);
  for (const wrong of [[], [0x30, 0], [0x31, 6, 2, 1, 1, 2, 1, 2],
    [0x30, 7, 2, 1, 1, 2, 1, 2, 0], [0x30, 6, 3, 1, 1, 2, 1, 2]])
    assert.throws(() => passkey.readDer(Uint8Array.from(wrong)));
});
