// Passkeys that make SSH signatures: the WebAuthn challenge is exactly the
// bytes that an SSH signature signs.

import { Reader, base64url, concat, digest, unbase64 } from "./bytes.js";
import { candidates } from "./p256.js";
import {
  fingerprint, parseKey, passkeyLine, passkeySignature, toBeSigned,
} from "./sshsig.js";

const ES256 = -7;
const TIMEOUT_MS = 120000;

export class PasskeyError extends Error {}

export function supported() {
  return typeof PublicKeyCredential !== "undefined" &&
    Boolean(globalThis.navigator?.credentials);
}

// What the browser says in its own words, said so that it helps.
function explained(error) {
  const words = {
    NotAllowedError: "Nothing was signed: the passkey prompt was closed, " +
      "timed out, or no passkey of this page is on this device.",
    InvalidStateError: "This device holds a passkey for you here already.",
    SecurityError: "This page's address may not use that passkey.",
    NotSupportedError: "This device cannot make the kind of key that is needed.",
  };
  return new PasskeyError(words[error.name] ?? error.message,
    { cause: error });
}

async function ask(asking) {
  try {
    return await asking;
  } catch (error) {
    throw explained(error);
  }
}

// DER's SEQUENCE of two INTEGERs -> r and s of 32 bytes each.
export function readDer(der) {
  const reader = new Reader(new Uint8Array(der));
  const integer = () => {
    if (reader.u8() !== 2) throw new PasskeyError("the signature is damaged");
    let bytes = reader.take(reader.u8());
    while (bytes.length > 32 && bytes[0] === 0) bytes = bytes.slice(1);
    if (bytes.length > 32) throw new PasskeyError("the signature is too long");
    return concat(new Uint8Array(32 - bytes.length), bytes);
  };
  if (reader.u8() !== 0x30 || reader.u8() !== reader.bytes.length - 2)
    throw new PasskeyError("the signature is damaged");
  const pair = { r: integer(), s: integer() };
  reader.end();
  return pair;
}

// Make a passkey for that RP-ID. Returns {key, id}: its line as it is pinned
// ("TYPE BASE64"), and the credential's id in base64url.
//
// handle: up to 64 bytes by which the authenticator tells accounts apart.
export async function create({ rpId, rpName, principal, handle }) {
  const made = await ask(navigator.credentials.create({
    publicKey: {
      rp: { id: rpId, name: rpName },
      user: { id: handle ?? crypto.getRandomValues(new Uint8Array(32)),
        name: principal, displayName: principal },
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
      authenticatorSelection: { residentKey: "required",
        requireResidentKey: true, userVerification: "required" },
      attestation: "none",
      timeout: TIMEOUT_MS,
    },
  }));
  if (made.response.getPublicKeyAlgorithm() !== ES256)
    throw new PasskeyError("This device made a key of another kind.");
  const spki = new Uint8Array(made.response.getPublicKey());
  const key = passkeyLine(rpId, spki.slice(-65));
  parseKey(key);
  return { key, id: base64url(new Uint8Array(made.rawId)) };
}

// Which public key signed. known: the lines it may be ("TYPE BASE64"). Without
// a match, null; without known lines, every key that it could be.
export function signers(assertion, rpId, known) {
  const possible = candidates(assertion.r, assertion.s, assertion.hash)
    .map((point) => passkeyLine(rpId, point));
  return known === undefined ? possible
    : possible.filter((line) => known.includes(line));
}

async function assert(rpId, challenge, ids) {
  const got = await ask(navigator.credentials.get({
    publicKey: {
      rpId, challenge, timeout: TIMEOUT_MS, userVerification: "required",
      allowCredentials: ids.map((id) => ({ type: "public-key",
        id: unbase64url(id) })),
    },
  }));
  const data = new Uint8Array(got.response.authenticatorData);
  const clientData = new Uint8Array(got.response.clientDataJSON);
  const head = new DataView(data.buffer, data.byteOffset, data.length);
  return {
    ...readDer(got.response.signature),
    hash: await digest("sha256", concat(data, await digest("sha256", clientData))),
    flags: data[32],
    counter: head.getUint32(33),
    origin: JSON.parse(new TextDecoder().decode(clientData)).origin,
    clientData,
    id: base64url(new Uint8Array(got.rawId)),
  };
}

function unbase64url(text) {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return unbase64(plain + "=".repeat((4 - plain.length % 4) % 4));
}

// Sign a document with a passkey of this page.
//
// known  lines that the key may be, such as those pinned for a person
//        ("TYPE BASE64"); not given: unknown
// ids    credentials to offer; none: whichever the device holds
// Returns {signature, key, id} for each key that it could be: one where known
// lines decide, two where nothing does.
export async function sign({ rpId, namespace, message, known, ids = [],
  hash = "sha512" }) {
  const given = await assert(rpId, await toBeSigned(namespace, message, hash),
    ids);
  const lines = signers(given, rpId, known);
  if (lines.length === 0)
    throw new PasskeyError(
      "That passkey is none of those that count here. Take another one.");
  return Promise.all(lines.map(async (line) => {
    const key = parseKey(line);
    return { key: line, id: given.id, fingerprint: await fingerprint(key),
      signature: passkeySignature(key, namespace, hash, given) };
  }));
}
