// Talks to the local server with the official SDK. Every line that is printed
// names a part that works; the first difference ends the program with status 1.
import assert from "node:assert/strict";
import { Redis } from "@upstash/redis";

const redis = new Redis({
  url: process.env.UPSTASH_REDIS_REST_URL,
  token: process.env.UPSTASH_REDIS_REST_TOKEN,
  enableTelemetry: false,
});

const parts = {
  async "values and objects"() {
    assert.equal(await redis.set("k", "v"), "OK");
    assert.equal(await redis.get("k"), "v");
    assert.equal(await redis.get("none"), null);
    const user = { name: "Ada", langs: ["go", "日本語", "🙂"], nested: { n: 1 } };
    await redis.set("user", user, { ex: 100 });
    assert.deepEqual(await redis.get("user"), user);
    assert.equal(await redis.ttl("user"), 100);
    assert.equal(await redis.set("k", "w", { nx: true }), null);
    assert.deepEqual(await redis.mget("k", "none"), ["v", null]);
    assert.equal(await redis.incrby("n", 5), 5);
    assert.equal(await redis.incrbyfloat("n", 0.5), 5.5);
    await assert.rejects(redis.incr("k"), /ERR value is not an integer/);
  },

  async hashes() {
    assert.equal(await redis.hset("h", { a: 1, b: "two", c: { d: 3 } }), 3);
    assert.deepEqual(await redis.hgetall("h"), { a: 1, b: "two", c: { d: 3 } });
    assert.deepEqual(await redis.hmget("h", "a", "x"), { a: 1, x: null });
    assert.equal(await redis.hincrby("h", "a", 2), 3);
    assert.equal(await redis.hgetall("no-such-hash"), null);
    const [cursor, fields] = await redis.hscan("h", 0);
    assert.equal(cursor, "0");
    assert.equal(fields.length, 6);
  },

  async "hash-field lifetimes"() {
    await redis.hset("ht", { f: 1, g: 2 });
    assert.deepEqual(await redis.hexpire("ht", ["f", "none"], 100), [1, -2]);
    assert.deepEqual(await redis.httl("ht", ["f", "g", "none"]), [100, -1, -2]);
    assert.deepEqual(await redis.hpersist("ht", "f"), [1]);
    assert.deepEqual(await redis.hpexpire("ht", "f", 100000), [1]);
    const [at] = await redis.hexpiretime("ht", "f");
    assert.ok(Math.abs(at - Date.now() / 1000 - 100) < 5);
  },

  async "sorted sets"() {
    assert.equal(await redis.zadd("z", { score: 1, member: "a" }, { score: 2.5, member: "b" }), 2);
    assert.deepEqual(await redis.zrange("z", 0, -1, { withScores: true }), ["a", 1, "b", 2.5]);
    assert.deepEqual(await redis.zrange("z", 2, 3, { byScore: true }), ["b"]);
    assert.equal(await redis.zincrby("z", 2, "a"), 3);
    assert.equal(await redis.zdiffstore("zd", 2, "z", "none"), 2);
    assert.deepEqual(await redis.zpopmax("z"), ["a", 3]);
  },

  async streams() {
    const id = await redis.xadd("x", "*", { field: "value", n: 1 });
    assert.match(id, /^\d+-\d+$/);
    assert.deepEqual(await redis.xrange("x", "-", "+"), { [id]: { field: "value", n: 1 } });
    assert.equal(await redis.xlen("x"), 1);
    await redis.xgroup("x", { type: "CREATE", group: "g", id: "0" });
    const read = await redis.xreadgroup("g", "c", "x", ">");
    assert.equal(read[0][0], "x");
    assert.equal(await redis.xack("x", "g", id), 1);
  },

  async json() {
    const doc = { a: [1, 2, { b: "x" }], t: true };
    assert.equal(await redis.json.set("j", "$", doc), "OK");
    assert.deepEqual(await redis.json.get("j", "$"), [doc]);
    assert.deepEqual(await redis.json.get("j"), doc);
    assert.deepEqual(await redis.json.arrappend("j", "$.a", 4), [4]);
    assert.deepEqual(await redis.json.numincrby("j", "$.a[0]", 5), [6]);
    assert.deepEqual(await redis.json.toggle("j", "$.t"), [0]);
    assert.deepEqual(await redis.json.mget(["j", "none"], "$.a[0]"), [[6], null]);
    assert.equal(await redis.json.del("j", "$.a"), 1);
  },

  async functions() {
    const code = "#!lua name=lib\nredis.register_function('twice', function(keys, args) return tonumber(args[1]) * 2 end)";
    assert.equal(await redis.functions.load({ code, replace: true }), "lib");
    assert.equal(await redis.functions.call("twice", [], ["21"]), 42);
    const [lib] = await redis.functions.list();
    assert.equal(lib.libraryName, "lib");
    assert.equal(await redis.functions.delete("lib"), "OK");
  },

  async pipeline() {
    const p = redis.pipeline();
    p.set("p", { a: 1 });
    p.get("p");
    p.incr("pn");
    assert.deepEqual(await p.exec(), ["OK", { a: 1 }, 1]);
    const bad = redis.pipeline();
    bad.set("s", "text");
    bad.incr("s");
    const results = await bad.exec({ keepErrors: true });
    assert.equal(results[0].result, "OK");
    assert.match(results[1].error, /^ERR value is not an integer/);
  },

  async multi() {
    const tx = redis.multi();
    tx.set("m", 1);
    tx.incr("m");
    tx.incr("m");
    assert.deepEqual(await tx.exec(), ["OK", 2, 3]);
  },

  async "auto-pipelining"() {
    const auto = new Redis({
      url: process.env.UPSTASH_REDIS_REST_URL,
      token: process.env.UPSTASH_REDIS_REST_TOKEN,
      enableAutoPipelining: true,
      enableTelemetry: false,
    });
    await auto.mset({ a1: "1", a2: "2" });
    const before = await bill();
    assert.deepEqual(await Promise.all([auto.get("a1"), auto.get("a2"), auto.get("a3")]), [1, 2, null]);
    const after = await bill();
    assert.equal(after.commands - before.commands, 3);
    assert.equal(after.trips - before.trips, 1);
  },

  async scripts() {
    const script = redis.createScript("return {KEYS[1], ARGV[1]}");
    assert.deepEqual(await script.exec(["k1"], ["v1"]), ["k1", "v1"]);
    assert.deepEqual(await script.exec(["k1"], ["v1"]), ["k1", "v1"]);
    assert.equal(await redis.eval("return redis.call('GET', KEYS[1])", ["k"], []), "v");
  },

  async scan() {
    for (let i = 0; i < 50; i++) await redis.set(`scan:${i}`, i);
    const seen = new Set();
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, { match: "scan:*", count: 7 });
      keys.forEach((key) => seen.add(key));
      cursor = next;
    } while (cursor !== "0");
    assert.equal(seen.size, 50);
  },

  async "read your writes"() {
    assert.ok(redis.readYourWritesSyncToken ?? (redis.client && redis.client.upstashSyncToken));
  },

  async subscribe() {
    const sub = redis.subscribe("news");
    const got = [];
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no message")), 5000);
      sub.on("message", (data) => {
        got.push(data.message);
        if (got.length === 3) {
          clearTimeout(timer);
          resolve();
        }
      });
      sub.on("error", reject);
      sub.on("subscribe", async () => {
        for (const message of ["plain", { an: "object" }, "with, commas"]) {
          await redis.publish("news", message);
        }
      });
    });
    assert.deepEqual(got, ["plain", { an: "object" }, "with, commas"]);
    await sub.unsubscribe();
  },
};

async function bill() {
  const response = await fetch(`${process.env.UPSTASH_REDIS_REST_URL}/_restash/bill`, {
    headers: { Authorization: `Bearer ${process.env.UPSTASH_REDIS_REST_TOKEN}` },
  });
  return response.json();
}

for (const [name, run] of Object.entries(parts)) {
  try {
    await run();
    console.log("ok", name);
  } catch (error) {
    console.log("not ok", name, error);
    process.exitCode = 1;
  }
}
process.exit();
