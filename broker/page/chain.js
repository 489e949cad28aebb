// The customer's rules, found by following signatures, not by asking what is
// in force: from the document that approve.json pins, each by the owners of
// the one before it.

import { documentId, splitBundle } from "../portal/documents.js";
import { follow, readTrust } from "../portal/trust.js";

export class ChainError extends Error {}

async function beginning(parts, pin) {
  if (pin === null) return 0;
  const ids = await Promise.all(parts.map(({ text }) => documentId(text)));
  const at = ids.indexOf(pin);
  if (at < 0)
    throw new ChainError("The broker does not show the rules that are pinned " +
      "here. Somebody must find out why before anybody signs.");
  return at;
}

// bundle: all trust documents as GET /v1/tenants/{name}/trust gives them.
// pin: id of one of them that is known to be good; null: the broker's word.
// Returns trust.js's trust in force. Throws ChainError.
export async function walk(bundle, pin, tenant, now) {
  try {
    const parts = splitBundle(bundle);
    const at = await beginning(parts, pin);
    if (parts.length === 0) throw new ChainError("There are no rules.");
    let trust = await readTrust(parts[at].text);
    for (const next of parts.slice(at + 1))
      trust = await follow(trust, next, now);
    if (trust.document.tenant !== tenant)
      throw new ChainError(`These are the rules of ${trust.document.tenant}.`);
    return trust;
  } catch (error) {
    throw error instanceof ChainError ? error : new ChainError(
      `The rules that the broker shows do not hold: ${error.message}.`);
  }
}
