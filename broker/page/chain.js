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
// Returns trust.js's trusts from there on; the last is in force. Throws
// ChainError.
export async function walk(bundle, pin, tenant, now) {
  try {
    const parts = splitBundle(bundle);
    const at = await beginning(parts, pin);
    if (parts.length === 0) throw new ChainError("There are no rules.");
    const list = [await readTrust(parts[at].text)];
    for (const next of parts.slice(at + 1))
      list.push(await follow(list.at(-1), next, now));
    if (list[0].document.tenant !== tenant)
      throw new ChainError(`These are the rules of ${list[0].document.tenant}.`);
    return list;
  } catch (error) {
    throw error instanceof ChainError ? error : new ChainError(
      `The rules that the broker shows do not hold: ${error.message}.`);
  }
}

// What the portal's views know as trustOf: asked again only when the broker
// names other rules.
export function rulesOf(api, { tenant, trust: pin }, now) {
  const kept = { id: null, list: [] };
  return async () => {
    const path = `/v1/tenants/${tenant}`;
    const { trust } = await api.get(path);
    if (kept.id !== trust.sha256) {
      kept.list = await walk(await api.get(`${path}/trust`), pin, tenant, now());
      kept.id = trust.sha256;
    }
    return { list: kept.list, current: kept.list.at(-1), broken: null };
  };
}
