// A grant against the request that it answers: does it lie within, and what
// is less than was asked. All arguments are parsed documents.

import { DocumentError, parseTime } from "./documents.js";
import * as words from "./words.js";

const SLACK = 60; // seconds: not-before is written that much before issued
const LISTS = [
  ["engineer_key", "key", "keys"], ["host", "host", "hosts"],
  ["login", "account", "accounts"], ["service", "service", "services"],
];
const SAME = ["tenant", "broker", "engineer", "ticket", "reason_type", "reason"];

// What of the grant goes beyond the request, in words; empty: it lies within.
// requestId: "sha256:..." of the request's text.
export function exceeds(grant, request, requestId) {
  const found = [];
  if (grant.request !== requestId) found.push("it answers another request");
  for (const name of SAME)
    if (grant[name] !== request[name])
      found.push(`its ${name.replace("_", " ")} is not the request's`);
  for (const [name, one] of LISTS)
    for (const item of grant[name])
      if (!request[name].includes(item))
        found.push(`nobody asked for the ${one} ${item}`);
  if (grant.not_after - grant.not_before > request.duration + SLACK)
    found.push("it lasts longer than was asked");
  if (request.start !== null && grant.not_before < request.start - SLACK)
    found.push("it begins before the start that was asked for");
  return found;
}

// What the grant leaves out, in words; empty: all that was asked.
export function narrowed(grant, request) {
  const found = [];
  for (const [name, , many] of LISTS) {
    const gone = request[name].filter((item) => !grant[name].includes(item));
    if (gone.length > 0) found.push(`without the ${gone.length === 1
      ? many.replace(/s$/, "") : many} ${words.all(gone)}`);
  }
  const length = grant.not_after - Math.max(grant.not_before, grant.issued);
  if (length < request.duration - SLACK)
    found.push(`${words.span(length)} instead of ${words.span(request.duration)}`);
  const start = request.start ?? grant.issued;
  if (grant.not_before > start + SLACK)
    found.push(`beginning ${words.utc(grant.not_before)}`);
  return found;
}

// The narrowing that the approver chose, as the draft route takes it. Only
// what is less than asked is named.
// choice: {hosts, logins, services, duration, not_before}; null: as asked.
export function choose(request, choice) {
  const body = {};
  for (const [member, name] of [["hosts", "host"], ["logins", "login"],
    ["services", "service"]]) {
    const kept = request[name].filter((item) =>
      !choice[member] || choice[member].includes(item));
    if (kept.length === 0)
      throw new DocumentError(`at least one of the ${member} must stay`);
    if (kept.length < request[name].length) body[member] = kept;
  }
  if (choice.duration != null && choice.duration < request.duration)
    body.duration = choice.duration;
  if (choice.not_before != null) body.not_before = choice.not_before;
  return body;
}

// Does a draft say what the approver chose? What differs, in words. A text
// that somebody signed before ("fixed") is only held against the request.
export function differs(grant, request, body, longest) {
  const found = [];
  for (const [member, name] of [["hosts", "host"], ["logins", "login"],
    ["services", "service"]]) {
    const wanted = body[member] ?? request[name];
    if (wanted.join("\n") !== grant[name].join("\n"))
      found.push(`it names other ${member} than you chose`);
  }
  const wanted = Math.min(body.duration ?? request.duration, longest);
  const length = grant.not_after - grant.not_before;
  if (Math.abs(length - wanted) > SLACK)
    found.push("it lasts another time than you chose");
  const start = Math.max(grant.issued,
    body.not_before === undefined ? request.start ?? 0 : parseTime(body.not_before));
  if (grant.not_before > start + SLACK || grant.not_before < start - 2 * SLACK)
    found.push("it begins at another time than you chose");
  return found;
}
