// What things are called on the page: times, services, states, reasons.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// "a", "a and b", "a, b and c".
export function all(items) {
  const list = [...items];
  return list.length < 2 ? list.join("")
    : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

// "1 host", "3 hosts".
export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

// Seconds as the two largest units: "3 h 20 min", "2 days 4 h", "45 s".
export function span(seconds) {
  let left = Math.max(0, Math.round(seconds));
  if (left >= MINUTE) left -= left % MINUTE; // the seconds are noise by then
  const days = Math.floor(left / DAY);
  const parts = [
    days > 0 ? count(days, "day") : "",
    left % DAY >= HOUR ? `${Math.floor(left % DAY / HOUR)} h` : "",
    left % HOUR >= MINUTE ? `${Math.floor(left % HOUR / MINUTE)} min` : "",
    left < MINUTE ? `${left} s` : "",
  ].filter((part) => part !== "");
  return parts.slice(0, 2).join(" ");
}

// "in 3 h 20 min", "5 min ago", "just now".
export function relative(at, now) {
  const away = at - now;
  if (Math.abs(away) < MINUTE) return away > 0 ? "in under a minute" : "just now";
  return away > 0 ? `in ${span(away)}` : `${span(-away)} ago`;
}

// A moment in the reader's zone: "Mon 2 Mar 2026, 15:00 CET".
export function local(at, zone = undefined) {
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    timeZoneName: "short", timeZone: zone,
  }).format(new Date(at * 1000));
}

// The same in UTC: "2026-03-02 14:00 UTC".
export function utc(at) {
  return `${new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

// A time of the HTTP interface in UNIX seconds, or null.
export function at(time) {
  const ms = typeof time === "string" ? Date.parse(time) : NaN;
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}

const SERVICES = {
  sshd: ["Log in over SSH",
    "Opens a shell on the host, runs commands, copies files (ssh, scp, sftp)."],
  sudo: ["Become administrator with sudo",
    "Runs commands as root or another account, as far as the host's own " +
    "sudo rules go. With full rules that is everything: every file, every " +
    "service, every account."],
  "sudo-i": ["Become administrator with sudo -i",
    "As sudo, with a shell that stays administrator."],
  su: ["Switch to another account with su",
    "Only to the accounts that this request lists, with their password."],
  "su-l": ["Switch to another account with su -",
    "Only to the accounts that this request lists, with their password."],
  login: ["Log in at the console", "At the machine's own screen or serial line."],
};

// What a service means: [title, what can be done with it].
export function service(name) {
  return SERVICES[name] ?? [`Use the service ${name}`,
    "A service of the host that its administrators put under lockbox."];
}

const REASON_TYPES = {
  customer_initiated_support: "The customer asked for support",
  provider_initiated_service: "Planned work by the provider",
  provider_response_to_alert: "The provider answers an alert",
  provider_initiated_review: "A review by the provider",
  third_party_data_request: "A third party demands data",
};

export function reasonType(type) {
  return REASON_TYPES[type] ?? type;
}

// A state of requests, grants and sessions: [word, tone]. The word always
// stands beside the colour.
const STATES = {
  pending_endorsement: ["Waits for the provider's manager", "wait"],
  pending_approval: ["Waits for approval", "wait"],
  scheduled: ["Approved, begins later", "good"],
  active: ["Access is open", "open"],
  expired: ["Time is over", "past"],
  revoked: ["Revoked", "bad"],
  returned: ["Handed back", "past"],
  denied: ["Denied", "bad"],
  cancelled: ["Withdrawn by the engineer", "past"],
  lapsed: ["Lapsed, nobody answered", "past"],
  live: ["In progress", "open"],
  ended: ["Ended", "past"],
  enrolled: ["Enrolled", "good"],
  invited: ["Invited, not enrolled yet", "wait"],
};

export function state(name) {
  return STATES[name] ?? [name, "past"];
}

const REQUIRE = {
  any: ["Any pinned key", "SSH keys, security keys and passkeys all count."],
  touch: ["A key that is touched",
    "Only security keys and passkeys count, and somebody must touch them."],
  verified: ["A key that checks the person",
    "Only security keys and passkeys count that ask for a PIN, a finger or " +
    "a face."],
};

export function require(word) {
  return REQUIRE[word] ?? [word, ""];
}

const NAMESPACES = {
  "lockbox-approve-v1": "approve",
  "lockbox-deny-v1": "deny",
  "lockbox-revoke-v1": "revoke",
  "lockbox-trust-v1": "change these rules",
  "lockbox-request-v1": "sign requests",
  "lockbox-answer-v1": "answer hosts",
};

// "approve, deny and revoke".
export function powers(namespaces) {
  return all(namespaces.map((name) => NAMESPACES[name] ?? name));
}

const CAUSES = {
  expired: "the approved time was over",
  revoked: "the customer revoked it or denied its request",
  returned: "the engineer handed it back",
  withdrawn: "it was handed back, or a manager stopped it",
  lease_over: "the host could not reach the broker in time",
  state_lost: "the host lost its records",
  trust_changed: "the customer's new rules do not let it pass",
  unregistered: "the host could not register it",
  closed: "the engineer logged out",
  rebooted: "the host was started anew",
  unreported: "the host did not say why",
};

export function cause(code) {
  return CAUSES[code] ?? code;
}

const EVENTS = {
  "request.created": "asked for access",
  "request.endorsed": "endorsed the request",
  "request.approved": "approved the request",
  "request.denied": "denied the request",
  "request.cancelled": "withdrew the request",
  "request.lapsed": "let the request lapse: nobody answered",
  "grant.active": "opened access",
  "grant.scheduled": "approved access that begins later",
  "grant.revoked": "revoked access",
  "grant.returned": "handed access back",
  "grant.expired": "ended access: its time was over",
  "grant.stopped": "stopped access",
  "session.opened": "reports a session that began",
  "session.ended": "reports a session that ended",
  "session.refused": "reports a session that was refused",
  "login.decision": "reports a decision at the door",
  "trust.changed": "put new rules in force",
  "trust.proposed": "proposed new rules",
  "trust.proposal_signed": "signed the proposed rules",
  "trust.proposal_withdrawn": "withdrew the proposed rules",
  "host.invited": "invited a host",
  "host.enrolled": "enrolled a host",
  "host.enrol_refused": "refused to enrol a host",
  "host.removed": "removed a host",
  "host.reported": "reports something of a host",
  "host.report_gap": "misses reports of a host",
  "tenant.created": "added the customer",
  "tenant.changed": "changed the customer's settings",
  "person.created": "added a person",
  "person.changed": "changed a person",
  "person.signed_in": "signed in",
  "person.signed_out": "signed out",
  "person.browser_confirmed": "confirmed a browser's page",
  "person.signin_key_added": "added a sign-in passkey",
  "person.signin_key_removed": "removed a sign-in passkey",
  "contact.changed": "changed a mail address",
  "invitation.created": "invited a person",
  "invitation.accepted": "accepted the invitation",
  "invitation.refused": "tried an invitation in vain",
  "invitation.withdrawn": "withdrew an invitation",
  "candidate.removed": "removed a new key",
  "webhook.created": "added a webhook",
  "webhook.changed": "changed a webhook",
  "webhook.rotated": "changed a webhook's key",
  "webhook.removed": "removed a webhook",
  "webhook.tested": "tested a webhook",
};

export function event(name) {
  return EVENTS[name] ?? name;
}

// What mails and webhooks tell of.
const NOTICES = {
  "request.created": "a request was made",
  "request.pending_endorsement": "a request waits for a manager",
  "request.pending_approval": "a request waits for approval",
  "request.reminder": "a request still waits",
  "request.approved": "a request was approved",
  "request.denied": "a request was denied",
  "request.cancelled": "a request was withdrawn",
  "request.lapsed": "a request lapsed",
  "request.settled": "a request was settled by somebody else",
  "grant.activated": "access was opened",
  "grant.revoked": "access was revoked",
  "grant.returned": "access was handed back",
  "grant.expired": "access ended, its time was over",
  "session.opened": "a session began",
  "session.ended": "a session ended",
  "trust.changed": "new rules are in force",
  "trust.proposed": "new rules are proposed",
  "invitation.created": "somebody was invited",
  "webhook.test": "a test",
};

export function notice(type) {
  return NOTICES[type] ?? type;
}
