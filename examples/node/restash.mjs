// Starts `restash serve` on a free port and returns what a client needs.
// RESTASH_BIN names the program; without it `restash` is looked up in PATH.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export async function startRestash(...flags) {
  const child = spawn(process.env.RESTASH_BIN ?? "restash", ["serve", "--addr", "127.0.0.1:0", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const failed = new Promise((_, reject) => child.once("error", reject));
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const found = line.match(/^UPSTASH_REDIS_REST_URL=(\S+) UPSTASH_REDIS_REST_TOKEN=(\S+)$/);
      if (found) return { url: found[1], token: found[2] };
    }
    throw new Error("restash serve ended before it was ready");
  })();
  const { url, token } = await Promise.race([ready, failed]);
  return {
    url,
    token,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
