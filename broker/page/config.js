// approve.json beside the page: which broker, which customer, which passkeys.
// The page itself is never edited, so that its hash can be compared.

import { valid } from "../portal/documents.js";

export class ConfigError extends Error {}

const MEMBERS = ["broker", "tenant", "rp_id", "trust"];

function isOrigin(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" && url.origin === text;
  } catch {
    return false;
  }
}

// May a page at that host use passkeys of that RP-ID?
function covers(rpId, host) {
  return valid("host", rpId) && (host === rpId || host.endsWith(`.${rpId}`));
}

// Check what the file says. host: the page's own.
// {broker, tenant, rpId, trust}; trust is the id of a pinned trust document,
// or null. Throws ConfigError.
export function checkConfig(given, host) {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new ConfigError("it is no JSON object");
  for (const [name, value] of Object.entries(given)) {
    if (!MEMBERS.includes(name))
      throw new ConfigError(`nobody knows '${name}'`);
    if (typeof value !== "string")
      throw new ConfigError(`'${name}' must be a string`);
  }
  const config = { broker: given.broker, tenant: given.tenant,
    rpId: given.rp_id ?? host, trust: given.trust ?? null };
  if (!isOrigin(config.broker))
    throw new ConfigError("'broker' must be https://HOST or https://HOST:PORT");
  if (config.tenant === undefined || !valid("name", config.tenant))
    throw new ConfigError("'tenant' must be your name at the broker");
  if (!covers(config.rpId, host))
    throw new ConfigError(`'rp_id' must be ${host} or what it ends in`);
  if (config.trust !== null && !valid("sha256", config.trust))
    throw new ConfigError("'trust' must be sha256: and 64 hexadecimal digits");
  return config;
}

// Read approve.json from where the page stands.
export async function readConfig() {
  const where = new URL("approve.json", location.href);
  where.hash = "";
  let answer;
  try {
    answer = await fetch(where, { cache: "no-store", redirect: "error",
      credentials: "same-origin" });
  } catch {
    throw new ConfigError(`${where.href} cannot be read`);
  }
  if (!answer.ok)
    throw new ConfigError(`${where.href} answers ${answer.status}`);
  let given;
  try {
    given = JSON.parse(await answer.text());
  } catch {
    throw new ConfigError(`${where.href}: it is no JSON`);
  }
  try {
    return checkConfig(given, location.hostname);
  } catch (error) {
    throw new ConfigError(`${where.href}: ${error.message}`);
  }
}
