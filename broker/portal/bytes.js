// Bytes: joining, base64, hexadecimal, SSH strings, digests.

const encoder = new TextEncoder();

export function utf8(text) {
  return encoder.encode(text);
}

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function base64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function base64url(bytes) {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_")
    .replaceAll("=", "");
}

// Canonical base64 only: full padding, unused bits zero. Null if it is not.
export function unbase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
    .test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return base64(bytes) === text ? bytes : null;
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

export function unhex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

// SSH's string: four bytes of length, then the bytes.
export function sshString(value) {
  const bytes = typeof value === "string" ? utf8(value) : value;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}

export function uint32(number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

// SSH's mpint of an unsigned big-endian number.
export function sshMpint(bytes) {
  let from = 0;
  while (from < bytes.length && bytes[from] === 0) from++;
  const short = bytes.slice(from);
  return sshString(short.length > 0 && short[0] >= 0x80
    ? concat(Uint8Array.of(0), short) : short);
}

// Reads a blob from its front. Every method throws when too little is left.
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(length) {
    if (this.bytes.length - this.at < length)
      throw new RangeError("the blob is too short");
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  u8() {
    return this.take(1)[0];
  }

  u32() {
    return new DataView(this.take(4).buffer).getUint32(0);
  }

  string() {
    return this.take(this.u32());
  }

  // A string of printable ASCII without space, 1 to most characters.
  word(most) {
    const bytes = this.string();
    if (bytes.length < 1 || bytes.length > most ||
        bytes.some((byte) => byte < 0x21 || byte > 0x7e))
      throw new RangeError("the blob holds an unreadable word");
    return String.fromCharCode(...bytes);
  }

  // A positive mpint of at most 256 bits, as 32 bytes.
  mpint256() {
    let bytes = this.string();
    if (bytes.length === 0 || bytes[0] >= 0x80)
      throw new RangeError("the blob holds a number that is not positive");
    if (bytes[0] === 0) {
      if (bytes.length === 1 || bytes[1] < 0x80)
        throw new RangeError("the blob holds a number with needless zeros");
      bytes = bytes.slice(1);
    }
    if (bytes.length > 32)
      throw new RangeError("the blob holds too large a number");
    const all = new Uint8Array(32);
    all.set(bytes, 32 - bytes.length);
    return all;
  }

  end() {
    if (this.at !== this.bytes.length)
      throw new RangeError("something trails the blob");
  }
}

export async function digest(name, bytes) {
  return new Uint8Array(await crypto.subtle.digest(
    name === "sha512" ? "SHA-512" : "SHA-256", bytes));
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// The first 60 bits as XXXX-XXXX-XXXX: what two people read to each other.
export function shortCode(bytes) {
  let bits = 0n;
  for (const byte of bytes.slice(0, 8)) bits = bits << 8n | BigInt(byte);
  bits >>= 4n;
  let code = "";
  for (let shift = 55n; shift >= 0n; shift -= 5n)
    code += CROCKFORD[Number(bits >> shift & 31n)];
  return code.replace(/(.{4})(.{4})(.{4})/, "$1-$2-$3");
}

// A request's id: 48 bits of milliseconds, 80 random bits.
export function newId(milliseconds) {
  let bits = BigInt(milliseconds);
  for (const byte of crypto.getRandomValues(new Uint8Array(10)))
    bits = bits << 8n | BigInt(byte);
  let id = "";
  for (let shift = 125n; shift >= 0n; shift -= 5n)
    id += CROCKFORD[Number(bits >> shift & 31n)];
  return id;
}
