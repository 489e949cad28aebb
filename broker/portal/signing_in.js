// Proofs that a key is in somebody's hands: a lockbox-signin-v1 with a fresh
// nonce of the broker.

import { write } from "./documents.js";
import { rememberPasskey, rememberedPasskeys } from "./memory.js";
import * as passkey from "./passkey.js";

const SIGNIN = "lockbox-signin-v1";

// The text to sign.
export async function signinText(api, principal, now) {
  const { broker, nonce } = await api.post("/v1/signin/nonce");
  return write("signin", { broker, principal, nonce, time: now });
}

// Which of the keys that could have signed to send: the one that is known, or
// those that a first signature left over.
function narrow(signed, known, again) {
  const sure = signed.filter(({ key, id }) =>
    known.some((one) => one.line === key && one.id === id));
  if (sure.length > 0) return sure;
  return again === null ? signed : signed.filter(({ key }) => again.includes(key));
}

// Sign in with a passkey of this page. A browser that has not met it does not
// know its public key, and one signature fits two: both are tried. Should the
// broker take only one try a nonce, {again} is what to call it with once more.
export async function passkeySignin(api, principal, rpId, now, again = null) {
  const text = await signinText(api, principal, now);
  const known = rememberedPasskeys("sign in", principal);
  const signed = await passkey.sign({ rpId, namespace: SIGNIN, message: text,
    ids: known.map(({ id }) => id) });
  let refusal = null;
  for (const { key, id, signature } of narrow(signed, known, again)) {
    try {
      const got = await api.post("/v1/signin", { text, signature, cookie: true });
      rememberPasskey(key, { id, purpose: "sign in", principal });
      return got;
    } catch (error) {
      if (error.code === "nonce_over" && refusal !== null)
        return { again: signed.map((one) => one.key) };
      if (![401, 404].includes(error.status)) throw error;
      refusal = error;
    }
  }
  throw refusal ?? new passkey.PasskeyError("That passkey is not known here.");
}

// Make a passkey and prove it: {key, text, signature}. keep: remember it here,
// to be called when the broker has taken it.
export async function makePasskey(api, { principal, rpId, purpose, now }) {
  const { key, id } = await passkey.create({ rpId, rpName: "lockbox",
    principal: `${principal} (${purpose})` });
  const text = await signinText(api, principal, now);
  const [{ signature }] = await passkey.sign({ rpId, namespace: SIGNIN,
    message: text, known: [key], ids: [id] });
  return { key, text, signature,
    keep: () => rememberPasskey(key, { id, purpose, principal }) };
}

// A signature by one of that person's pinned passkeys of an RP-ID.
export async function signWithPasskey({ principal, rpId, namespace, text, lines }) {
  const ids = rememberedPasskeys("approve", principal)
    .filter(({ line }) => lines.includes(line)).map(({ id }) => id);
  const [{ key, id, signature }] = await passkey.sign({ rpId, namespace,
    message: text, known: lines, ids });
  rememberPasskey(key, { id, purpose: "approve", principal });
  return signature;
}
