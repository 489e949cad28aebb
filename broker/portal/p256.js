// P-256: the two keys that may have made an ECDSA signature. A browser does
// not say which key a passkey signed with, and an SSH signature must.
//
// Works on public numbers only, so nothing here needs to take constant time.

import { concat, unhex } from "./bytes.js";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const G = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

const mod = (a, m) => ((a % m) + m) % m;

function power(base, exponent, m) {
  let result = 1n;
  for (let b = mod(base, m), e = exponent; e > 0n; e >>= 1n, b = b * b % m)
    if (e & 1n) result = result * b % m;
  return result;
}

const inverse = (a, m) => power(a, m - 2n, m); // m is prime

// Points are [x, y]; null is the point at infinity.
function add(p, q) {
  if (p === null) return q;
  if (q === null) return p;
  const [x1, y1] = p;
  const [x2, y2] = q;
  if (x1 === x2 && mod(y1 + y2, P) === 0n) return null;
  const slope = x1 === x2
    ? mod((3n * x1 * x1 - 3n) * inverse(2n * y1, P), P)
    : mod((y2 - y1) * inverse(x2 - x1, P), P);
  const x = mod(slope * slope - x1 - x2, P);
  return [x, mod(slope * (x1 - x) - y1, P)];
}

function multiply(k, p) {
  let result = null;
  for (let q = p, rest = k; rest > 0n; rest >>= 1n, q = add(q, q))
    if (rest & 1n) result = add(result, q);
  return result;
}

// The points with that x, or none.
function lift(x) {
  if (x >= P) return [];
  const square = mod(x * x * x - 3n * x + B, P);
  const y = power(square, (P + 1n) / 4n, P);
  return y * y % P === square ? [[x, y], [x, P - y]] : [];
}

const toNumber = (bytes) => bytes.reduce((n, byte) => n << 8n | BigInt(byte), 0n);
const toBytes = (n) => unhex(n.toString(16).padStart(64, "0"));

// Every public key (65 bytes: 04, x, y) under which (r, s) is a signature of
// the SHA-256 hash: two, hardly ever four.
export function candidates(r, s, hash) {
  const [rn, sn, e] = [toNumber(r), toNumber(s), toNumber(hash)];
  if (rn <= 0n || rn >= N || sn <= 0n || sn >= N) return [];
  const back = inverse(rn, N);
  const fromHash = multiply(mod(-e * back, N), G);
  return [...lift(rn), ...lift(rn + N)]
    .map((point) => add(multiply(sn * back % N, point), fromHash))
    .filter((point) => point !== null)
    .map(([x, y]) => concat(Uint8Array.of(4), toBytes(x), toBytes(y)));
}
