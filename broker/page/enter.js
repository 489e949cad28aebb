// Signing in at the broker with the passkey that the customer pinned.

import { write } from "../portal/documents.js";
import * as passkey from "../portal/passkey.js";

const NAMESPACE = "lockbox-signin-v1";
const MEMORY = "lockbox";

// Who used this page on this device, and with which keys: so that the name
// need not be typed again. No secret.
export function remembered() {
  try {
    const { principal, keys } = JSON.parse(localStorage.getItem(MEMORY));
    return { principal: String(principal), keys: keys.map(String) };
  } catch {
    return { principal: "", keys: [] };
  }
}

export function remember(principal, key) {
  const before = remembered();
  const keys = before.principal === principal ? before.keys : [];
  try {
    localStorage.setItem(MEMORY, JSON.stringify(
      { principal, keys: [...new Set([key, ...keys])].slice(0, 8) }));
  } catch {
    // A browser that keeps nothing asks again.
  }
}

export function signinText({ broker, nonce }, principal, now) {
  return write("signin", { broker, principal, nonce, time: now });
}

// A signature comes without the key that made it; two keys are possible. Those
// known from before are tried first, the broker knows which is pinned.
export async function signIn(api, rpId, principal, now) {
  const text = signinText(await api.post("/v1/signin/nonce"), principal, now);
  const { keys } = remembered();
  const made = (await passkey.sign({ rpId, namespace: NAMESPACE,
    message: text })).sort((a, b) => keys.includes(b.key) - keys.includes(a.key));
  let refused;
  for (const { key, signature } of made) {
    try {
      const { token, ...me } = await api.post("/v1/signin", { text, signature });
      api.token = token;
      remember(principal, key);
      return { ...me, key };
    } catch (error) {
      if (error.status === 0 || error.status === 429) throw error;
      refused ??= error;
    }
  }
  throw refused;
}
