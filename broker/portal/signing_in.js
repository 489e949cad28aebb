// Proofs that a key is in somebody's hands: a lockbox-signin-v1 with a fresh
// nonce of the broker.

import { write } from "./documents.js";
import { passkeyIds, rememberPasskey, rememberedPasskeys } from "./memory.js";
import * as passkey from "./passkey.js";

const SIGNIN = "lockbox-signin-v1";

// The text to sign.
export async function signinText(api, principal, now) {
  const { broker, nonce } = await api.post("/v1/signin/nonce");
  return write("signin", { broker, principal, nonce, time: now });
}

// Sign in with a passkey of this page. A browser that has not met it does not
// know its public key, and one signature fits two: both are tried. Should the
// broker take only one try a nonce, {again} is what to call it with once more.
export async function passkeySignin(api, principal, rpId, now, again = null) {
  const text = await signinText(api, principal, now);
  const known = rememberedPasskeys();
  const signed = await passkey.sign({ rpId, namespace: SIGNIN, message: text,
    ids: known.map(([, id]) => id).filter(() => again === null) });
  const sure = known.find(([line, id]) => signed.some((one) =>
    one.key === line && one.id === id))?.[0];
  const left = sure ? signed.filter(({ key }) => key === sure)
    : again ? signed.filter(({ key }) => again.includes(key)) : signed;
  let refusal = null;
  for (const { key, id, signature } of left) {
    try {
      const got = await api.post("/v1/signin", { text, signature, cookie: true });
      rememberPasskey(key, id);
      return got;
    } catch (error) {
      if (error.code === "nonce_over" && refusal !== null)
        return { again: left.map((one) => one.key) };
      if (![401, 404].includes(error.status)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

// Make a passkey and prove it: {key, text, signature, id}.
export async function makePasskey(api, { principal, rpId, purpose, now }) {
  const made = await passkey.create({ rpId, rpName: "lockbox",
    principal: `${principal} (${purpose})` });
  const text = await signinText(api, principal, now);
  const [signed] = await passkey.sign({ rpId, namespace: SIGNIN, message: text,
    known: [made.key], ids: [made.id] });
  rememberPasskey(made.key, made.id);
  return { key: made.key, text, signature: signed.signature, id: made.id };
}

// ctx.sign for pages whose passkeys are pinned: known lines decide which.
export async function signWithPasskey(rpIdOf, namespace, text, lines) {
  const [signed] = await passkey.sign({ rpId: rpIdOf(lines), namespace,
    message: text, known: lines, ids: passkeyIds(lines) });
  rememberPasskey(signed.key, signed.id);
  return signed.signature;
}
