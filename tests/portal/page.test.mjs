// The customer's own page: what approve.json may say, and which rules it
// believes.

import { block } from "./world.mjs";
import assert from "node:assert/strict";
import test from "node:test";

import { documentId, parseTime } from "../../broker/portal/documents.js";
import { ChainError, walk } from "../../broker/page/chain.js";
import { ConfigError, checkConfig } from "../../broker/page/config.js";

const NOW = parseTime("2026-03-02T14:30:00Z");
const HOST = "lockbox.acme.example";
const GOOD = { broker: "https://lockbox.provider.example:8443", tenant: "acme",
  rp_id: "acme.example", trust: `sha256:${"a1".repeat(32)}` };

test("approve.json says where and who", () => {
  assert.deepEqual(checkConfig(GOOD, HOST), { broker: GOOD.broker,
    tenant: "acme", rpId: "acme.example", trust: GOOD.trust });
  assert.deepEqual(checkConfig({ broker: GOOD.broker, tenant: "acme" }, HOST),
    { broker: GOOD.broker, tenant: "acme", rpId: HOST, trust: null });
});

test("what approve.json must not say", () => {
  const wrong = [
    [null, /no JSON object/], [[GOOD], /no JSON object/],
    [{ ...GOOD, more: "x" }, /nobody knows 'more'/],
    [{ ...GOOD, trust: null }, /'trust' must be a string/],
    [{ ...GOOD, trust: "sha256:A1" }, /'trust' must be sha256/],
    [{ ...GOOD, tenant: undefined }, /'tenant' must be a string/],
    [{ broker: GOOD.broker }, /'tenant' must be your name/],
    [{ ...GOOD, tenant: "Acme" }, /'tenant' must be your name/],
    [{ tenant: "acme" }, /'broker' must be/],
    ...["http://lockbox.provider.example", "https://a.example/", "https://a.example/x",
      "https://A.example", "https://u@a.example", "https://a.example:443",
      "//a.example", ""].map((broker) => [{ ...GOOD, broker }, /'broker' must be/]),
    ...["cme.example", "example.com", "lockbox.acme.example.", "x." + HOST]
      .map((rp_id) => [{ ...GOOD, rp_id }, /'rp_id' must be/]),
  ];
  assert.ok(checkConfig(GOOD, HOST));
  for (const [given, why] of wrong)
    assert.throws(() => checkConfig(given, HOST),
      (error) => error instanceof ConfigError && why.test(error.message),
      JSON.stringify(given));
});

const first = block("trust") + block("trust.mia.sig") + block("trust.noah.sig");
const next = block("trust-2") + block("trust-2.mia.sig");
const both = next + block("trust-2.noah.sig");
const ids = await Promise.all(["trust", "trust-2"].map((name) =>
  documentId(block(name))));

const inForce = async (...given) => (await walk(...given)).at(-1).id;

test("rules follow from the pinned ones by the owners' signatures", async () => {
  assert.equal(await inForce(first + both, ids[0], "acme", NOW), ids[1]);
  assert.equal(await inForce(first + both, ids[1], "acme", NOW), ids[1]);
  assert.equal(await inForce(first, ids[0], "acme", NOW), ids[0]);
  assert.equal(await inForce(first + both, null, "acme", NOW), ids[1]);
});

test("rules that do not follow are not believed", async () => {
  const refused = async (bundle, pin, tenant, why) => assert.rejects(
    walk(bundle, pin, tenant, NOW),
    (error) => error instanceof ChainError && why.test(error.message));
  await refused(first + next, ids[0], "acme", /too few owners/);
  await refused(first + both, `sha256:${"0".repeat(64)}`, "acme", /pinned here/);
  await refused(first, ids[1], "acme", /pinned here/);
  await refused(first + both, ids[0], "other", /the rules of acme/);
  await refused("", null, "acme", /no rules/);
  await refused(`${first}x\n`, null, "acme", /between its parts/);
  await refused(first + both.replace("threshold: 2", "threshold: 1"), ids[0],
    "acme", /too few owners/);
});
