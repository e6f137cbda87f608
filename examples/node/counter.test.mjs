import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Redis } from "@upstash/redis";
import { visit } from "./counter.mjs";
import { startRestash } from "./restash.mjs";

let server;
let redis;

before(async () => {
  server = await startRestash();
  redis = new Redis({ url: server.url, token: server.token, enableTelemetry: false });
});

after(() => server.stop());

test("visits are counted, for an hour", async () => {
  assert.equal(await visit(redis, "home"), 1);
  assert.equal(await visit(redis, "home"), 2);
  assert.equal(await redis.ttl("visits:home"), 3600);
});

test("what it costs is on the bill", async () => {
  const bill = async () => (await fetch(`${server.url}/_restash/bill`, { headers: { Authorization: `Bearer ${server.token}` } })).json();
  const before = await bill();
  await visit(redis, "about");
  const after = await bill();
  assert.equal(after.commands - before.commands, 2);
  assert.equal(after.trips - before.trips, 1);
});
