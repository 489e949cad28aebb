// What a page checks before a person signs: the texts themselves, never what
// the broker says beside them.

import { documentId, parse, requestCode } from "./documents.js";
import { exceeds } from "./narrowing.js";
import { fingerprint, parseSignature, verify } from "./sshsig.js";
import { hear } from "./trust.js";

const CLOCKS = 120; // seconds that two clocks may differ

const good = (text) => ({ result: "good", text });
const bad = (text) => ({ result: "bad", text });
const unsure = (text) => ({ result: "unsure", text });

async function engineerCheck(text, armor, request, trust, now) {
  const heard = await hear(trust, text, armor, "lockbox-request-v1", now);
  if (heard.result === "unreadable" || heard.result === "bad")
    return bad("The engineer's signature does not verify.");
  const print = await fingerprint(heard.signature.key);
  if (heard.result === "unable")
    return unsure("This browser cannot verify Ed25519 signatures; hosts will " +
      `check the engineer's (key ${print}).`);
  if (trust.engineer.length === 0)
    return unsure(`Signed by key ${print}. The rules pin no engineers' keys, ` +
      `so it is the provider who says that it is ${request.engineer}'s.`);
  return heard.who.some(({ kind, line }) => kind === "engineer" &&
    line.principal === request.engineer)
    ? good(`Signed by ${request.engineer} with the key that the rules ` +
        `pin (${print}).`)
    : bad(`Signed by key ${print}, which the rules do not pin for ` +
        `${request.engineer}. No host will let it in.`);
}

async function endorsementCheck(text, endorsement, engineer) {
  if (endorsement === null) return null;
  const { principal, signature: armor } = endorsement;
  try {
    const signature = parseSignature(armor);
    const print = await fingerprint(signature.key);
    if (principal === engineer)
      return bad("The engineer endorsed their own request.");
    return {
      good: good(`Endorsed by ${principal}, signed with key ${print}.`),
      bad: bad("The endorsement's signature does not verify."),
      unable: unsure(`Endorsed by ${principal} with key ${print}; this ` +
        "browser cannot verify Ed25519 signatures."),
    }[await verify(signature, "lockbox-endorse-v1", text)];
  } catch {
    return bad("The endorsement's signature cannot be read.");
  }
}

// Check a request as GET /v1/requests/{id} gave it. trust: readTrust's, or
// null when the reader may not see it.
//
// {request, id, code, checks: [{result, text}], sound}; request is the parsed
// text. Throws DocumentError when the text is no request at all.
export async function reviewRequest(given, trust, now) {
  const request = parse("request", given.text);
  const id = await documentId(given.text);
  const code = requestCode(id);
  const checks = [];
  if (given.id !== request.request || given.sha256 !== id || given.code !== code ||
      given.tenant !== request.tenant)
    checks.push(bad("The broker describes another request than the text says."));
  if (trust !== null && trust.document.tenant !== request.tenant)
    checks.push(bad("The request is for another customer."));
  if (trust !== null)
    checks.push(await engineerCheck(given.text, given.signature, request, trust,
      now));
  const endorsed = await endorsementCheck(given.text, given.endorsement,
    request.engineer);
  if (endorsed !== null) checks.push(endorsed);
  return { request, id, code, checks,
    sound: checks.every(({ result }) => result !== "bad") };
}

// Check a grant's text before it is signed. {grant, id, checks, sound}.
export async function reviewGrant(text, review, trust, now) {
  const grant = parse("grant", text);
  const checks = exceeds(grant, review.request, review.id)
    .map((why) => bad(`The text goes beyond the request: ${why}.`));
  if (checks.length === 0)
    checks.push(good("Everything in the text lies within what was asked."));
  if (grant.issued > now + CLOCKS)
    checks.push(bad("The text was issued in the future: is this clock right?"));
  if (now >= grant.not_after) checks.push(bad("Its time is over already."));
  if (trust !== null &&
      grant.not_after - grant.not_before > trust.document.longest)
    checks.push(bad("It lasts longer than your rules allow."));
  return { grant, id: await documentId(text), checks,
    sound: checks.every(({ result }) => result !== "bad") };
}
