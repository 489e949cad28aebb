// SSH signatures and public keys (doc/wire-format.md, section 4): taken apart
// strictly, composed, and verified with the browser's own WebCrypto.

import {
  Reader, base64, base64url, concat, digest, equal, shortCode, sshMpint,
  sshString, uint32, unbase64, utf8,
} from "./bytes.js";

export class SignatureError extends Error {}

export const FLAG_TOUCH = 0x01;
export const FLAG_VERIFIED = 0x04;

const ED25519 = "ssh-ed25519";
const SK_ED25519 = "sk-ssh-ed25519@openssh.com";
const P256 = "ecdsa-sha2-nistp256";
const SK_P256 = "sk-ecdsa-sha2-nistp256@openssh.com";
const WEBAUTHN = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
const KINDS = [ED25519, SK_ED25519, P256, SK_P256];

const ARMOR_MOST = 4096;
const CLIENT_MOST = 1024;
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";

const isP256 = (type) => type === P256 || type === SK_P256;
const isSk = (type) => type === SK_ED25519 || type === SK_P256;

// --- keys --------------------------------------------------------------------

function readKey(blob) {
  const reader = new Reader(blob);
  const type = reader.word(64);
  if (!KINDS.includes(type))
    throw new SignatureError("the key is of a kind that may not sign");
  if (isP256(type) && reader.word(64) !== "nistp256")
    throw new SignatureError("the key is not on the curve P-256");
  const point = reader.string();
  if (isP256(type) ? point.length !== 65 || point[0] !== 4
    : point.length !== 32)
    throw new SignatureError("the key's point has another length");
  const application = isSk(type) ? reader.word(253) : null;
  reader.end();
  return {
    type, point, application, blob,
    line: `${type} ${base64(blob)}`,
    sk: isSk(type),
    passkey: isSk(type) && !application.startsWith("ssh:"),
  };
}

// "TYPE BASE64" -> {type, point, application, blob, line, sk, passkey}.
export function parseKey(line) {
  const [type, text, ...rest] = line.split(" ");
  const blob = rest.length === 0 && text ? unbase64(text) : null;
  let key;
  try {
    key = blob && readKey(blob);
  } catch (error) {
    throw new SignatureError(error.message);
  }
  if (!key || key.type !== type)
    throw new SignatureError("this is no public key, TYPE and BASE64");
  return key;
}

// A line as people have it in a .pub file: whatever stands behind the key goes.
export function keyOfFile(text) {
  return parseKey(text.trim().split(/\s+/).slice(0, 2).join(" "));
}

// The line of a passkey: RP-ID and the 65 bytes of its point.
export function passkeyLine(rpId, point) {
  return `${SK_P256} ${base64(concat(sshString(SK_P256),
    sshString("nistp256"), sshString(point), sshString(rpId)))}`;
}

// As ssh-keygen -l shows it.
export async function fingerprint(key) {
  const hash = await digest("sha256", key.blob);
  return `SHA256:${base64(hash).replaceAll("=", "")}`;
}

// XXXX-XXXX-XXXX: the first 60 bits of the fingerprint, to compare aloud.
export async function keyCode(key) {
  return shortCode(await digest("sha256", key.blob));
}

export function sameKey(a, b) {
  return equal(a.blob, b.blob);
}

// --- signatures --------------------------------------------------------------

// What the key signs; for a passkey, the WebAuthn challenge.
export async function toBeSigned(namespace, message, hash = "sha512") {
  const bytes = typeof message === "string" ? utf8(message) : message;
  return concat(utf8("SSHSIG"), sshString(namespace), sshString(""),
    sshString(hash), sshString(await digest(hash, bytes)));
}

export function armor(blob) {
  const lines = base64(blob).match(/.{1,70}/g);
  return `${[BEGIN, ...lines, END].join("\n")}\n`;
}

function dearmor(text) {
  const lines = text.split("\n");
  const body = lines.slice(1, -2);
  const width = body[0]?.length;
  if (text.length > ARMOR_MOST || lines[0] !== BEGIN || lines.at(-2) !== END ||
      lines.at(-1) !== "" || body.length === 0 ||
      body.some((line, i) => line.length < 1 || line.length > 76 ||
        (i < body.length - 1 ? line.length !== width : line.length > width)))
    throw new SignatureError("this is no SSH signature");
  const blob = unbase64(body.join(""));
  if (blob === null)
    throw new SignatureError("the signature's base64 is damaged");
  return blob;
}

// What people paste: edges trimmed, line ends of other systems mended.
export function pastedArmor(text) {
  return `${text.trim().replaceAll("\r", "")}\n`;
}

function readEcdsa(reader) {
  const pair = new Reader(reader.string());
  const [r, s] = [pair.mpint256(), pair.mpint256()];
  pair.end();
  return concat(r, s);
}

function readInner(bytes, key) {
  const reader = new Reader(bytes);
  const type = reader.word(64);
  const webauthn = key.type === SK_P256 && type === WEBAUTHN;
  if (!webauthn && type !== key.type)
    throw new SignatureError("the signature is not of the key's kind");
  let signature;
  if (isP256(key.type)) {
    signature = readEcdsa(reader);
  } else {
    signature = reader.string();
    if (signature.length !== 64)
      throw new SignatureError("the signature has another length");
  }
  const inner = { signature, webauthn, flags: 0, counter: 0, origin: null,
    clientData: null };
  if (key.sk) {
    inner.flags = reader.u8();
    inner.counter = reader.u32();
    if ((inner.flags & 0xc0) !== 0)
      throw new SignatureError("the security key enclosed what it must not");
  }
  if (webauthn) {
    inner.origin = reader.word(253);
    inner.clientData = reader.string();
    if (/["\\]/.test(inner.origin) || inner.clientData.length === 0 ||
        inner.clientData.length > CLIENT_MOST || reader.string().length !== 0)
      throw new SignatureError("the browser's part of the signature is wrong");
  }
  reader.end();
  return inner;
}

// An armored signature -> {key, namespace, hash, signature, webauthn, flags,
// counter, origin, clientData}. Throws SignatureError.
export function parseSignature(text) {
  try {
    const reader = new Reader(dearmor(text));
    if (!equal(reader.take(6), utf8("SSHSIG")) || reader.u32() !== 1)
      throw new SignatureError("this is no SSH signature of version 1");
    const key = readKey(reader.string());
    const namespace = reader.word(39);
    if (reader.string().length !== 0)
      throw new SignatureError("the signature's reserved field is not empty");
    const hash = reader.word(6);
    if (hash !== "sha512" && hash !== "sha256")
      throw new SignatureError("the signature uses another hash");
    const inner = readInner(reader.string(), key);
    reader.end();
    return { key, namespace, hash, ...inner };
  } catch (error) {
    throw error instanceof SignatureError ? error
      : new SignatureError(error.message);
  }
}

// Compose a passkey's signature from what the browser gave.
export function passkeySignature(key, namespace, hash, given) {
  const { r, s, flags, counter, origin, clientData } = given;
  return armor(concat(utf8("SSHSIG"), uint32(1), sshString(key.blob),
    sshString(namespace), sshString(""), sshString(hash),
    sshString(concat(sshString(WEBAUTHN),
      sshString(concat(sshMpint(r), sshMpint(s))), Uint8Array.of(flags),
      uint32(counter), sshString(origin), sshString(clientData),
      sshString("")))));
}

// clientDataJSON held against its one form, without a JSON parser.
export function clientDataFits(clientData, challenge, origin) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(clientData);
  } catch {
    return false;
  }
  const begin = `{"type":"webauthn.get","challenge":"${base64url(challenge)}"` +
    `,"origin":"${origin}"`;
  if (!text.startsWith(begin)) return false;
  const rest = text.slice(begin.length);
  return rest === "}" || (rest.startsWith(",") && rest.endsWith("}") &&
    !/[\x00-\x1f\x7f\\]/.test(rest) &&
    rest.split('crossOrigin"').slice(1).every((after) =>
      after.startsWith(":false")));
}

async function keyVerifies(key, signature, bytes) {
  const algorithm = isP256(key.type)
    ? { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
    : { name: "Ed25519" };
  const imported = await crypto.subtle.importKey("raw", key.point, algorithm,
    false, ["verify"]);
  return crypto.subtle.verify(algorithm, imported, signature, bytes);
}

// Is it a signature over the message in that namespace, by its own key? Whose
// key that is, and whether its flags and origin do, is for the caller.
//
// "good", "bad", or "unable" where the browser cannot tell: it knows no
// Ed25519.
export async function verify(signature, namespace, message) {
  const { key } = signature;
  if (signature.namespace !== namespace || signature.webauthn !== key.passkey)
    return "bad";
  const asked = await toBeSigned(namespace, message, signature.hash);
  let bytes = asked;
  if (signature.webauthn &&
      !clientDataFits(signature.clientData, asked, signature.origin))
    return "bad";
  if (key.sk)
    bytes = concat(await digest("sha256", utf8(key.application)),
      Uint8Array.of(signature.flags), uint32(signature.counter),
      await digest("sha256", signature.webauthn ? signature.clientData : asked));
  try {
    return await keyVerifies(key, signature.signature, bytes) ? "good" : "bad";
  } catch (error) {
    return error.name === "NotSupportedError" ? "unable" : "bad";
  }
}
