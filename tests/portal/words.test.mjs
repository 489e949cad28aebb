// words.js, csv.js, api.js: how things are said, written out, and fetched.

import "./world.mjs";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";

import { Api, ApiError } from "../../broker/portal/api.js";
import { csv } from "../../broker/portal/csv.js";
import * as words from "../../broker/portal/words.js";

test("spans are two units long at most", () => {
  for (const [seconds, said] of [[0, "0 s"], [45, "45 s"], [60, "1 min"],
    [119, "1 min"], [3600, "1 h"], [12000, "3 h 20 min"], [86400, "1 day"],
    [90000, "1 day 1 h"], [2 * 86400 + 60, "2 days 1 min"],
    [86400 + 3660, "1 day 1 h"]])
    assert.equal(words.span(seconds), said);
});

test("moments are told from now", () => {
  assert.equal(words.relative(12000, 0), "in 3 h 20 min");
  assert.equal(words.relative(0, 300), "5 min ago");
  assert.equal(words.relative(30, 0), "in under a minute");
  assert.equal(words.relative(0, 30), "just now");
});

test("a moment stands in the reader's zone and in UTC", () => {
  const at = Date.UTC(2026, 6, 2, 14) / 1000;
  assert.match(words.local(at, "Europe/Berlin"), /Thu,? 2 Jul 2026,? 16:00 (?:CEST|GMT\+2)/);
  assert.equal(words.utc(at), "2026-07-02 14:00 UTC");
  assert.equal(words.at("2026-07-02T14:00:00Z"), at);
  assert.equal(words.at(null), null);
});

test("lists read like lists", () => {
  assert.equal(words.all([]), "");
  assert.equal(words.all(["a"]), "a");
  assert.equal(words.all(["a", "b", "c"]), "a, b and c");
  assert.equal(words.count(1, "host"), "1 host");
  assert.equal(words.count(2, "day"), "2 days");
});

test("unknown codes are shown as they are", () => {
  assert.equal(words.state("strange")[0], "strange");
  assert.equal(words.cause("strange"), "strange");
  assert.match(words.service("cups")[0], /cups/);
});

test("no cell of a CSV file is a formula", () => {
  assert.equal(csv([["a", "b"], ["x,y", 'say "hi"']]),
    '"a","b"\r\n"x,y","say ""hi"""\r\n');
  for (const bad of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|x",
    "%x", "＝1"])
    assert.ok(csv([[bad]]).startsWith(`"'`), bad);
  assert.equal(csv([["one\ntwo", null]]), '"one two",""\r\n');
});

async function served(t, answer) {
  const server = createServer(answer);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  return new Api(`http://127.0.0.1:${server.address().port}`);
}

test("answers are read, and an unchanged one is the same object", async (t) => {
  const seen = [];
  const api = await served(t, (request, response) => {
    seen.push(request.headers["if-none-match"]);
    response.setHeader("ETag", '"1"');
    if (request.headers["if-none-match"] === '"1"')
      response.writeHead(304).end();
    else
      response.setHeader("Content-Type", "application/json") &&
        response.end('{"a":1}');
  });
  api.token = "secret";
  api.conditional = true;
  const one = await api.get("/v1/x");
  assert.deepEqual(one, { a: 1 });
  assert.equal(await api.get("/v1/x"), one);
  assert.deepEqual(seen, [undefined, '"1"']);
  assert.equal(api.tagOf("/v1/x"), '"1"');
  api.conditional = false;
  assert.notEqual(await api.get("/v1/x"), one);
});

test("a problem is an ApiError with its code and next step", async (t) => {
  const api = await served(t, (request, response) => {
    response.writeHead(409, { "Content-Type": "application/problem+json",
      "Retry-After": "7" });
    response.end('{"title":"t","detail":"d","code":"stale","next":"look again"}');
  });
  await assert.rejects(api.post("/v1/x"), (error) =>
    error instanceof ApiError && error.status === 409 && error.code === "stale" &&
    error.message === "t" && error.detail === "d" && error.next === "look again" && error.retryAfter === 7);
});

test("no answer is an ApiError of status 0", async (t) => {
  const api = await served(t, (request, response) => response.end());
  await api.get("/v1/x");
  const lost = new Api("http://127.0.0.1:1");
  await assert.rejects(lost.get("/v1/x"), (error) =>
    error instanceof ApiError && error.status === 0);
});

test("a list is followed to its end", async (t) => {
  const api = await served(t, (request, response) => {
    const cursor = new URL(request.url, "http://x").searchParams.get("cursor");
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(cursor === null
      ? { items: [1, 2], next_cursor: "n" } : { items: [3], next_cursor: null }));
  });
  assert.deepEqual(await api.list("/v1/x?state=live"), { items: [1, 2, 3], more: false });
  assert.deepEqual(await api.list("/v1/x", 2), { items: [1, 2], more: true });
});
