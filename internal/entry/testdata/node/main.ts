import { Redis } from "@upstash/redis";
import { read } from "./reader.js";

// Prints what the reader makes of an entry named on the command line.
const [ns, name, fingerprint, key] = process.argv.slice(2);
console.log(JSON.stringify(await read(Redis.fromEnv(), ns, name, fingerprint, key)));
