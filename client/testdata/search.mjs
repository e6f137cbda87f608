// Sends SEARCH commands by the official SDK to the address in its argument, and
// minds no answer: client/search_test.go compares what it sent with what we send.
import { Redis, s } from "@upstash/redis";
const redis = new Redis({ url: process.argv[2], token: "t", enableTelemetry: false, retry: false, readYourWrites: false, automaticDeserialization: false });
const quiet = async (f) => { try { await f(); } catch (e) { /* null is no such index */ } };
const schema = s.object({ title: s.string().noTokenize().noStem(), price: s.number("F64"), at: s.date().fast(), tag: s.keyword() });
await quiet(() => redis.search.createIndex({ name: "i", dataType: "hash", prefix: ["a:", "b:"], language: "english", skipInitialScan: true, existsOk: true, schema }));
await quiet(() => redis.search.createIndex({ name: "i", dataType: "stream", stream: "log", schema: s.object({ tag: s.keyword() }) }));
const i = redis.search.index({ name: "i", schema });
await quiet(() => i.query({ filter: { tag: "x" }, limit: 5, offset: 2, orderBy: { price: "DESC" }, highlight: { fields: ["title"], preTag: "<", postTag: ">" }, select: { title: true } }));
await quiet(() => i.query({ filter: { tag: "x" }, select: {}, scoreFunc: { combineMode: "sum", scoreMode: "multiply", fields: ["price", { field: "price", modifier: "log1p", factor: 2, missing: 1, scoreMode: "replace" }] } }));
await quiet(() => i.count({ filter: { tag: "x" } }));
await quiet(() => i.aggregate({ filter: { tag: "x" }, aggregations: { p: { $avg: { field: "price" } } } }));
await quiet(() => i.describe());
await quiet(() => i.waitIndexing());
await quiet(() => i.drop());
