// The documents of doc/wire-format.md: one strict parser and one writer,
// driven by a table per type. One meaning has exactly one text.
//
// A parsed document is an object: the lines' names with "_" for "-"; times are
// UNIX seconds, numbers are numbers, a line that may repeat is an array, an
// optional line that is absent is null (an array: empty).

import { digest, hex, shortCode, unhex, utf8 } from "./bytes.js";

export class DocumentError extends Error {}

const TIME_LEAST = Date.UTC(2000, 0, 1) / 1000;
const TIME_MOST = Date.UTC(2099, 11, 31, 23, 59, 59) / 1000;
const DAY = 86400;
const GRANT_AGE_MOST = 31 * DAY;

export const REASON_TYPES = [
  "customer_initiated_support", "provider_initiated_service",
  "provider_response_to_alert", "provider_initiated_review",
  "third_party_data_request",
];

// Nothing that a person would not see (section 2).
const REFUSED = new RegExp("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}" +
  "\\p{Default_Ignorable_Code_Point}\\u2800\\ufffc\\u{1d159}]|(?! )\\p{Zs}", "u");

export function visible(text) {
  return text !== "" && !REFUSED.test(text) && !/^ | $| {2}/.test(text) &&
    !/(?:^| )\p{M}/u.test(text) && !/\p{M}{5}/u.test(text);
}

function matches(pattern, most) {
  return (value) => value.length <= most && pattern.test(value);
}

const KINDS = {
  name: matches(/^[a-z0-9][a-z0-9.-]*$/, 64),
  principal: matches(/^[A-Za-z0-9][A-Za-z0-9._@+-]*$/, 128),
  host: (value) => value.length <= 253 && value.split(".").every((label) =>
    /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label)),
  login: matches(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 32),
  service: matches(/^[a-z][a-z0-9_-]*$/, 32),
  rhost: matches(/^[A-Za-z0-9.:%_-]+$/, 253),
  id: matches(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 26),
  sha256: matches(/^sha256:[0-9a-f]{64}$/, 71),
  key: matches(/^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/, 50),
  nonce: matches(/^[0-9a-f]{32}$/, 32),
  code: matches(/^[a-z][a-z0-9_.]*$/, 40),
  line: (value) => value.length <= 768 && /^[ -~]+$/.test(value) &&
    visible(value),
};

// Is the value of that kind: "host", "login", "principal" ...?
export function valid(kind, value) {
  return KINDS[kind](value);
}

// The rows of a table. read gives the value or throws, write its spelling.
function text(check) {
  return {
    read(value) {
      if (!check(value)) throw new DocumentError("is not spelled as it must be");
      return value;
    },
    write: (value) => value,
  };
}

const TIME = { read: parseTime, write: formatTime };

function number(least, most) {
  return {
    read(value) {
      if (!/^(?:0|[1-9][0-9]{0,15})$/.test(value) || Number(value) < least ||
          Number(value) > most)
        throw new DocumentError(`is not a number from ${least} to ${most}`);
      return Number(value);
    },
    write: String,
  };
}

const visibleText = (most) => text((value) =>
  utf8(value).length <= most && visible(value));
const word = (...words) => text((value) => words.includes(value));
const must = (name, kind) => ({ name, least: 1, most: 1, kind });
const may = (name, kind) => ({ name, least: 0, most: 1, kind });
const list = (name, least, most, kind) =>
  ({ name, least, most, kind, list: true });
const kind = (name) => text(KINDS[name]);

const GRANT_OR_REQUEST = [
  must("tenant", kind("name")),
  must("broker", kind("name")),
  must("engineer", kind("principal")),
  list("engineer-key", 1, 4, kind("key")),
  list("host", 1, 32, kind("host")),
  list("login", 1, 8, kind("login")),
  list("service", 1, 4, kind("service")),
];
const REASON = [
  may("ticket", visibleText(64)),
  must("reason-type", word(...REASON_TYPES)),
  must("reason", visibleText(512)),
];

function grantAgrees(grant) {
  if (grant.not_before >= grant.not_after ||
      grant.not_after - grant.not_before > DAY)
    throw new DocumentError("the grant's span is not between 1 s and 24 h");
  if (grant.issued >= grant.not_after ||
      grant.not_after - grant.issued > GRANT_AGE_MOST)
    throw new DocumentError("the grant ends too late after it was issued");
}

function trustAgrees(trust) {
  if ((trust.serial > 1) !== (trust.previous !== null))
    throw new DocumentError("serial and previous do not fit together");
  if ((trust.delegate.length > 0) !== (trust.delegate_until !== null))
    throw new DocumentError("a delegation has delegates and an end, or neither");
}

const TYPES = {
  request: {
    most: 8192,
    lines: [
      must("request", kind("id")), ...GRANT_OR_REQUEST,
      must("duration", number(60, DAY)),
      may("start", TIME),
      may("extends", kind("sha256")),
      ...REASON,
      must("requested", TIME),
    ],
  },
  grant: {
    most: 8192,
    lines: [
      must("request", kind("sha256")), ...GRANT_OR_REQUEST,
      must("not-before", TIME), must("not-after", TIME),
      ...REASON,
      must("issued", TIME),
    ],
    agrees: grantAgrees,
  },
  trust: {
    most: 65536,
    lines: [
      must("tenant", kind("name")),
      must("serial", number(1, 999999999)),
      may("previous", kind("sha256")),
      must("good-until", TIME),
      must("threshold", number(1, 16)),
      must("require", word("any", "touch", "verified")),
      must("longest", number(60, DAY)),
      must("lease", number(600, DAY)),
      must("offline", word("allow", "deny")),
      list("page", 0, 4, kind("line")),
      list("broker", 1, 3, kind("line")),
      list("approver", 1, 64, kind("line")),
      list("hook", 0, 8, kind("line")),
      list("engineer", 0, 64, kind("line")),
      list("delegate", 0, 64, kind("line")),
      may("delegate-until", TIME),
    ],
    agrees: trustAgrees,
  },
  signin: {
    most: 8192,
    lines: [
      must("broker", kind("name")), must("principal", kind("principal")),
      must("nonce", kind("nonce")), must("time", TIME),
    ],
  },
};

const member = (name) => name.replaceAll("-", "_");

export function parseTime(value) {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(value)
    ? Date.parse(value) / 1000 : NaN;
  // A day that is none (30 February) is another day when it is written again.
  if (!(at >= TIME_LEAST && at <= TIME_MOST) || formatTime(at) !== value)
    throw new DocumentError("is not a time such as 2026-03-02T14:00:00Z");
  return at;
}

export function formatTime(at) {
  if (!Number.isInteger(at) || at < TIME_LEAST || at > TIME_MOST)
    throw new DocumentError("a time is out of range");
  return new Date(at * 1000).toISOString().replace(".000Z", "Z");
}

function readValue(row, value) {
  try {
    return row.kind.read(value);
  } catch (error) {
    throw new DocumentError(`'${row.name}' ${error.message}`);
  }
}

// All values of one line's name, from the front of lines.
function readLines(row, lines) {
  const begin = `${row.name}: `;
  const found = [];
  while (lines.length > 0 && lines[0].startsWith(begin)) {
    const value = lines.shift().slice(begin.length);
    if (found.length === row.most)
      throw new DocumentError(`'${row.name}' stands too often`);
    // Lists hold ASCII only, so that this is the order of bytes.
    if (found.length > 0 && found.at(-1) >= value)
      throw new DocumentError(`the '${row.name}' lines are not in order`);
    readValue(row, value);
    found.push(value);
  }
  if (found.length < row.least)
    throw new DocumentError(`'${row.name}' is missing`);
  const values = found.map((value) => readValue(row, value));
  return row.list ? values : values[0] ?? null;
}

// Read a document of that type ("request", "grant", "trust", "signin").
// Throws DocumentError for everything that is not its one spelling.
export function parse(type, source) {
  const { most, lines: rows, agrees } = TYPES[type];
  const magic = `lockbox-${type}-v1`;
  if (utf8(source).length > most)
    throw new DocumentError("the document is too long");
  const lines = source.split("\n");
  if (lines.pop() !== "" || lines.shift() !== magic)
    throw new DocumentError(`this is no ${magic}`);
  const document = {};
  for (const row of rows) document[member(row.name)] = readLines(row, lines);
  if (lines.length > 0)
    throw new DocumentError("a line is unknown or out of place");
  agrees?.(document);
  return document;
}

// Write a document; lists are sorted and freed of doubles. Throws
// DocumentError for what could not be read again.
export function write(type, document) {
  let source = `lockbox-${type}-v1\n`;
  for (const row of TYPES[type].lines) {
    const value = document[member(row.name)] ?? null;
    const values = row.list ? [...new Set(value ?? [])].sort()
      : value === null ? [] : [value];
    for (const item of values)
      source += `${row.name}: ${row.kind.write(item)}\n`;
  }
  parse(type, source);
  return source;
}

// "sha256:..." of a document's bytes.
export async function documentId(source) {
  return `sha256:${hex(await digest("sha256", utf8(source)))}`;
}

// What engineer and approver both see, from a request's id.
export function requestCode(id) {
  return shortCode(unhex(id.slice("sha256:".length)));
}

const MAGIC = /^lockbox-(?:request|grant|question|answer|trust|signin|report|event)-v1$/;
const BEGIN = "-----BEGIN SSH SIGNATURE-----";
const END = "-----END SSH SIGNATURE-----";

// Split a bundle (section 5): [{text, signatures: [armor, ...]}, ...].
export function splitBundle(bundle) {
  const parts = [];
  let armor = null;
  if (bundle !== "" && !bundle.endsWith("\n"))
    throw new DocumentError("the bundle's last line does not end");
  for (const line of bundle.split("\n").slice(0, -1)) {
    const part = parts.at(-1);
    if (armor !== null) {
      armor.push(line);
      if (line === END && armor.length > 2) {
        part.signatures.push(`${armor.join("\n")}\n`);
        armor = null;
      } else if (!/^[A-Za-z0-9+/=]{1,76}$/.test(line)) {
        throw new DocumentError("a signature in the bundle is cut");
      }
    } else if (MAGIC.test(line)) {
      parts.push({ text: `${line}\n`, signatures: [] });
    } else if (part === undefined ||
               (part.signatures.length > 0 && line !== BEGIN)) {
      throw new DocumentError("the bundle holds something between its parts");
    } else if (line === BEGIN) {
      armor = [line];
    } else {
      part.text += `${line}\n`;
    }
  }
  if (armor !== null)
    throw new DocumentError("a signature in the bundle is cut");
  return parts;
}
