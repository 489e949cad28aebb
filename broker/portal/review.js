// What a page checks before a person signs: the texts themselves, never what
// the broker says beside them.

import { documentId, parse, requestCode, valid } from "./documents.js";
import { exceeds } from "./narrowing.js";
import { fingerprint, parseSignature, sameKey, verify } from "./sshsig.js";
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
  const pinned = heard.who.some(({ kind, line }) => kind === "engineer" &&
    line.principal === request.engineer);
  if (trust.engineer.length > 0 && !pinned)
    return bad(`Signed by key ${print}, which the rules do not pin for ` +
      `${request.engineer}. No host will let it in.`);
  if (heard.result === "unable")
    return unsure("This browser cannot verify Ed25519 signatures; hosts will " +
      `check the engineer's (key ${print}).`);
  return pinned
    ? good(`Signed by ${request.engineer} with the key that the rules ` +
        `pin (${print}).`)
    : unsure(`Signed by key ${print}. The rules pin no engineers' keys, ` +
        `so it is the provider who says that it is ${request.engineer}'s.`);
}

// Approvals so far, over the text that the first of them fixed. One that does
// not count may have counted under earlier rules: it is only told.
async function approvalChecks(given, trust, now) {
  if (trust === null || !given.draft) return [];
  return Promise.all(given.approvals.map(async ({ principal, signature }) => {
    const { result, who, why } = await hear(trust, given.draft.text, signature,
      "lockbox-approve-v1", now);
    if (!who.some(({ line }) => line.principal === principal))
      return unsure(`The approval by ${principal} does not count: ${why ??
        "the key is somebody else's."}`);
    return result === "good" ? good(`Approved by ${principal}, as the rules want it.`)
      : unsure(`Approved by ${principal}; this browser cannot verify it.`);
  }));
}

// Whose key it is, only the provider's roster says; that the signature is over
// this very request, and no other hand of the engineer's, anybody can check.
async function endorsementCheck(given, request) {
  if (given.endorsement === null) return null;
  const { principal, signature: armor } = given.endorsement;
  let signature;
  try {
    signature = parseSignature(armor);
  } catch {
    return bad("The endorsement's signature cannot be read.");
  }
  const print = await fingerprint(signature.key);
  if (!valid("principal", principal) || principal === request.engineer ||
      request.engineer_key.includes(print) || sameHand(signature, given.signature))
    return bad("The endorsement is the engineer's own.");
  return {
    good: good(`Endorsed by ${principal}, signed with key ${print}.`),
    bad: bad("The endorsement's signature does not verify."),
    unable: unsure(`Endorsed by ${principal} with key ${print}; this browser ` +
      "cannot verify Ed25519 signatures."),
  }[await verify(signature, "lockbox-endorse-v1", given.text)];
}

function sameHand(signature, armor) {
  try {
    return sameKey(signature.key, parseSignature(armor).key);
  } catch {
    return false; // engineerCheck says what is wrong with it
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
  const endorsed = await endorsementCheck(given, request);
  if (endorsed !== null) checks.push(endorsed);
  checks.push(...await approvalChecks(given, trust, now));
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
