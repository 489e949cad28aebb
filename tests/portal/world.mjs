// What the tests of the portal's modules share: the worked example of
// doc/wire-format.md, the signature samples of the C tests, ssh-keygen, and a
// passkey in software.

import { execFileSync } from "node:child_process";
import { webcrypto } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

globalThis.crypto ??= webcrypto; // not global before node 20

const TOP = new URL("../../", import.meta.url);
const DOC = readFileSync(new URL("doc/wire-format.md", TOP), "utf8");
const SAMPLES = readFileSync(new URL("tests/unit/sshsig_samples.h", TOP), "utf8");

// The fenced block of that name.
export function block(name) {
  const from = DOC.indexOf(`\n\`\`\`text ${name}\n`);
  if (from < 0) throw new Error(`doc/wire-format.md has no block ${name}`);
  const start = DOC.indexOf("\n", from + 1) + 1;
  return DOC.slice(start, DOC.indexOf("\n```\n", start) + 1);
}

export const doc = DOC;

// A string of sshsig_samples.h.
export function sample(name) {
  const found = new RegExp(`char ${name}\\[\\] =((?:\\s*"[^"]*")+);`)
    .exec(SAMPLES);
  return [...found[1].matchAll(/"([^"]*)"/g)].map(([, text]) => text).join("")
    .replaceAll("\\n", "\n");
}

// A directory that goes when the test is over.
export function scratch(t) {
  const dir = mkdtempSync(path.join(tmpdir(), "lockbox-portal-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

// A key of stock ssh-keygen: {line, sign(namespace, text)}.
export function sshKey(dir, name, type = "ed25519") {
  const file = path.join(dir, name);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", name, "-f", file]);
  return {
    file,
    pub: readFileSync(`${file}.pub`, "utf8"),
    line: readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" "),
    sign: (namespace, text) => execFileSync("ssh-keygen",
      ["-q", "-Y", "sign", "-f", file, "-n", namespace],
      { input: text, stdio: ["pipe", "pipe", "ignore"] }).toString(),
  };
}

// Does stock ssh-keygen accept the signature for that pinned line?
export function keygenVerifies(dir, pinned, namespace, text, armor) {
  const lines = path.join(dir, "allowed");
  const sig = path.join(dir, "sig");
  writeFileSync(lines, `${pinned}\n`);
  writeFileSync(sig, armor);
  try {
    execFileSync("ssh-keygen", ["-Y", "verify", "-f", lines, "-I",
      pinned.split(" ")[0], "-n", namespace, "-s", sig],
    { input: text, stdio: ["pipe", "ignore", "ignore"] });
    return true;
  } catch {
    return false;
  }
}

const b64u = (bytes) => Buffer.from(bytes).toString("base64url");

// An authenticator and a browser: navigator.credentials for one page.
export async function softPasskey(origin, rpId) {
  const pair = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw",
    pair.publicKey));
  const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
  const rawId = crypto.getRandomValues(new Uint8Array(16));
  const sha256 = async (data) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const der = (raw) => {
    const integer = (bytes) => {
      let at = 0;
      while (at < 31 && bytes[at] === 0) at++;
      const short = [...bytes.slice(at)];
      if (short[0] >= 0x80) short.unshift(0);
      return [2, short.length, ...short];
    };
    const body = [...integer(raw.slice(0, 32)), ...integer(raw.slice(32))];
    return Uint8Array.from([0x30, body.length, ...body]).buffer;
  };
  return {
    point,
    async create({ publicKey }) {
      this.asked = publicKey;
      return { rawId: rawId.buffer, response: {
        getPublicKeyAlgorithm: () => -7,
        getPublicKey: () => spki } };
    },
    async get({ publicKey }) {
      this.asked = publicKey;
      const clientDataJSON = new TextEncoder().encode(JSON.stringify({
        type: "webauthn.get", challenge: b64u(publicKey.challenge), origin,
        crossOrigin: false }));
      const authenticatorData = new Uint8Array(37);
      authenticatorData.set(await sha256(new TextEncoder().encode(rpId)));
      authenticatorData.set([0x1d, 0, 0, 0, 9], 32); // UP, UV, BE, BS; 9
      const signed = new Uint8Array([...authenticatorData,
        ...await sha256(clientDataJSON)]);
      const raw = new Uint8Array(await crypto.subtle.sign(
        { name: "ECDSA", hash: "SHA-256" }, pair.privateKey, signed));
      return { rawId: rawId.buffer, response: { signature: der(raw),
        clientDataJSON: clientDataJSON.buffer,
        authenticatorData: authenticatorData.buffer } };
    },
  };
}

export function becomeBrowser(credentials) {
  Object.defineProperty(globalThis, "navigator",
    { value: { credentials }, configurable: true });
  globalThis.PublicKeyCredential ??= class {};
}
