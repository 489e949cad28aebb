// A customer's rules (its trust documents) as a page needs them: fetched once
// for as long as they stay the same.

import { splitBundle } from "./documents.js";
import { UnableError, follow, linesOf, readTrust } from "./trust.js";

const TRUST = "lockbox-trust-v1";

// Every document of the bundle, each held against the one before it:
// {list, current, broken, unsure}; broken says where the chain does not hold,
// unsure where this browser cannot tell.
async function readChain(bundle) {
  const parts = splitBundle(bundle);
  const list = [];
  let [broken, unsure] = [null, null];
  for (const part of parts) {
    if (list.length > 0 && broken === null)
      await follow(list.at(-1), part, null).catch((error) => {
        const said = `Serial ${list.at(-1).document.serial + 1}: ${error.message}.`;
        if (error instanceof UnableError) unsure ??= said;
        else broken = said;
      });
    list.push(await readTrust(part.text));
  }
  if (list.length === 0) throw new Error("The customer has no rules yet.");
  return { list, current: list.at(-1), broken, unsure };
}

// A function that gives a tenant's chain, and asks again only when the broker
// names another document.
export function chains(api) {
  const kept = new Map();
  return async (tenant) => {
    const path = `/v1/tenants/${encodeURIComponent(tenant)}`;
    const { trust } = await api.get(path);
    const before = kept.get(tenant);
    if (before && before.id === trust?.sha256) return before.chain;
    const chain = await readChain(await api.get(`${path}/trust`));
    kept.set(tenant, { id: chain.current.id, chain });
    return chain;
  };
}

// Passkeys of that person that count for a namespace on the page at origin.
export function passkeysHere(trust, principal, namespace, origin, now) {
  return linesOf(trust, principal, namespace, now)
    .map(({ line }) => line)
    .filter((line) => line.key.passkey && trust.pages.some((page) =>
      page.origin === origin && page.rpId === line.key.application &&
      !(namespace === TRUST && page.broker)));
}
