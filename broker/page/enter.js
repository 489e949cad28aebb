// Signing in at the broker with the passkey that the customer pinned, and
// becoming a candidate for that with an invitation.

import { rememberName, rememberPasskey, rememberedPasskeys }
  from "../portal/memory.js";
import * as passkey from "../portal/passkey.js";
import { signinText } from "../portal/signing_in.js";

const NAMESPACE = "lockbox-signin-v1";
const PURPOSE = "approve";

// A signature comes without the key that made it, and two are possible. Those
// that this browser knows come first; the broker knows which one is pinned.
export async function signIn(api, rpId, principal, now) {
  const text = await signinText(api, principal, now);
  const known = rememberedPasskeys(PURPOSE, principal).map(({ line }) => line);
  const made = (await passkey.sign({ rpId, namespace: NAMESPACE, message: text }))
    .sort((a, b) => known.includes(b.key) - known.includes(a.key));
  let refused;
  for (const { key, id, signature } of made) {
    try {
      const { token, ...me } = await api.post("/v1/signin", { text, signature });
      api.token = token;
      rememberName(principal);
      rememberPasskey(key, { id, purpose: PURPOSE, principal });
      return me;
    } catch (error) {
      if (error.status === 0 || error.status === 429) throw error;
      refused ??= error;
    }
  }
  throw refused;
}

// A function that accepts an invitation. The passkey is made once: a code that
// was mistyped is typed again.
export function enrolment(api, { rpId, tenant }) {
  const made = new Map(); // principal -> {key, id}
  return async (principal, code, now) => {
    if (!made.has(principal))
      made.set(principal, await passkey.create({ rpId, rpName: tenant, principal }));
    const { key, id } = made.get(principal);
    const text = await signinText(api, principal, now);
    const [{ signature }] = await passkey.sign({ rpId, namespace: NAMESPACE,
      message: text, known: [key], ids: [id] });
    await api.post("/v1/invitations/accept", { tenant, principal, code,
      candidate: { key, label: "own page", text, signature } });
    rememberName(principal);
    rememberPasskey(key, { id, purpose: PURPOSE, principal });
    return key;
  };
}
