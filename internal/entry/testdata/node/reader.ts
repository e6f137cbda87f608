import { gunzipSync } from "node:zlib";
import { Redis } from "@upstash/redis";

export interface Entry<T> {
  storedAt: Date;
  fresh: boolean;
  valid: boolean; // no token has changed since it was loaded
  value: T | null; // null: known not to exist
}

const escape = (s: string) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
const unescape = (s: string) => s.replace(/(%[0-9A-F]{2})+/gi, decodeURIComponent);
const canonical = (s: string) => (s === "" || s === "%_" ? "%_" : escape(unescape(s)));

/** Reads the entry `ns:e:<name>:<fingerprint>:<key>`; see docs/entry-format.md. */
export async function read<T>(redis: Redis, ns: string, name: string, fingerprint: string, key: string): Promise<Entry<T> | null> {
  const text = await redis.get<string>(`${ns}:e:${name}:${fingerprint}:${key}`);
  if (!text?.startsWith("R2 ")) return null;
  const end = text.indexOf("\n");
  const [, stored, fresh, , , , flags, packing, list] = text.slice(0, end).split(" ");
  const marks = new Map(list.split(",").filter(Boolean).map((m) => m.split("=") as [string, string]));
  const levels = key.split(":").slice(0, 4).map((_, i, all) => [`p${i + 1}`, `${ns}:p:${name}:${all.slice(0, i + 1).map(canonical).join(":")}`]);
  const tags = [...marks.keys()].filter((id) => id[0] === "t").map((id) => [id, `${ns}:t:${unescape(id.slice(1))}`]);
  const tokens = [["g", `${ns}:g`], ["k", `${ns}:k:${name}:${key}`], ["p0", `${ns}:p:${name}`], ...levels, ...tags];
  const now = await redis.mget<(string | null)[]>(tokens.map(([, k]) => k));
  let body = Buffer.from(text.slice(end + 1), flags.includes("b") ? "base64" : "utf8");
  if (packing === "gzip") body = gunzipSync(body);
  else if (packing !== "-") return null; // a compression that this reader does not have
  const storedAt = parseInt(stored, 36);
  return {
    storedAt: new Date(storedAt),
    fresh: Date.now() < storedAt + parseInt(fresh, 36),
    valid: tokens.every(([id], i) => (marks.get(id) ?? "") === (now[i] ?? "")),
    value: flags.includes("n") ? null : (JSON.parse(body.toString()) as T),
  };
}
