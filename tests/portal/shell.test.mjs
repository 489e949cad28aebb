// shell.js: lines that a person copies into a terminal do just what they say.

import { block, scratch, sshKey } from "./world.mjs";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";

import { quote, sendLines, signLine, writeLines } from "../../broker/portal/shell.js";
import { parseSignature, verify } from "../../broker/portal/sshsig.js";

const shell = (script, cwd) =>
  execFileSync("sh", ["-e", "-c", script], { cwd, stdio: ["ignore", "pipe", "pipe"] })
    .toString();

test("a shell takes a quoted word as it is", () => {
  for (const word of ["plain", "two words", "it's", "$(id)", "`id`", "a\\b", "\"x\"",
    "'; rm -rf /; '", "*", "", "ümlaut", "-n"])
    assert.equal(shell(`printf %s ${quote(word)}`), word);
});

test("the lines write the text, byte for byte", (t) => {
  const dir = scratch(t);
  for (const name of ["request", "grant", "trust-2"]) {
    shell(writeLines("a.txt", block(name)), dir);
    assert.equal(readFileSync(path.join(dir, "a.txt"), "utf8"), block(name));
  }
});

test("the lines sign it and send text, signature and reason", async (t) => {
  const dir = scratch(t);
  const key = sshKey(dir, "mia");
  // A curl that keeps what it was given.
  writeFileSync(path.join(dir, "curl"), "#!/bin/sh\ncat > body\nprintf '%s\\n' \"$@\" > args\n",
    { mode: 0o755 });
  const reason = "It's $(late) \"now\"";
  shell([`PATH=${dir}:$PATH`, writeLines("grant.txt", block("grant")),
    signLine("grant.txt", "lockbox-approve-v1").replace("~/.ssh/id_ed25519", key.file),
    sendLines("https://support.example/v1/requests/X/approve", "grant.txt",
      { withText: true, more: { reason } })].join("\n"), dir);
  const body = JSON.parse(readFileSync(path.join(dir, "body"), "utf8"));
  assert.deepEqual(Object.keys(body).sort(), ["reason", "signature", "text"]);
  assert.equal(body.text, block("grant"));
  assert.equal(body.reason, reason);
  assert.equal(await verify(parseSignature(body.signature), "lockbox-approve-v1",
    body.text), "good");
  assert.match(readFileSync(path.join(dir, "args"), "utf8"),
    /^https:\/\/support\.example\/v1\/requests\/X\/approve$/m);
});

test("without text only the signature is sent", () => {
  const lines = sendLines("https://x.example/y", "r.txt", { withText: false });
  assert.doesNotMatch(lines, /\$text/);
  assert.match(lines, /'\{\$signature\}'/);
});
