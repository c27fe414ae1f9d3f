import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { startService } from "./service.ts";

/**
 * `npm run bench:cleanup`: a daily cleanup of a hundred thousand instances with shortened rows (two heartbeats a chunk), on
 * Miniflare: its workflows, databases and fleets are real, and its instances answer at once. Prints what it took. `USERS=n` for
 * fewer users of 2,000 instances.
 */

const USERS = Number(process.env.USERS ?? 50);
const INSTANCES_PER_USER = 2_000;
const CHUNKS = 3;
const POLL_MS = 2_000;

const standingSchema = z.object({
  status: z.string(),
  output: z.record(z.string(), z.number()).nullable(),
  left: z.record(z.string(), z.number().nullable()),
});

const service = await startService("bench/workers/cleanup.ts", {
  DAILY_CLEANUP: { name: "daily-cleanup", className: "DailyCleanup" },
});
const ask = async (method: string, path: string) => {
  const response = await fetch(`${service.url}${path}`, { method });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response;
};

try {
  const instances = USERS * INSTANCES_PER_USER;
  console.log(
    `Making ${instances} instances of ${USERS} users, each with ${CHUNKS} old chunks and hours, and an event ...`,
  );
  await ask("POST", `/seed/${USERS}/${INSTANCES_PER_USER}/${CHUNKS}`);
  await clean("first", instances);
  await clean("second", instances);
} finally {
  await service.stop();
}

/** Runs a cleanup to its end, and says what it did: the second finds all done but the visits. */
async function clean(id: string, instances: number): Promise<void> {
  const startedAt = performance.now();
  await ask("POST", `/run/${id}`);
  for (;;) {
    // A machine that is busy with the cleanup may not answer in time.
    const reply = await ask("GET", `/run/${id}`).catch(() => null);
    if (reply === null) continue;
    const { status, output, left } = standingSchema.parse(await reply.json());
    if (status === "errored" || status === "terminated")
      throw new Error(`the cleanup has ended as ${status}`);
    if (status === "complete" && output !== null) {
      const seconds = (performance.now() - startedAt) / 1000;
      const { calls = 0, steps = 0 } = output;
      console.log(`The ${id} cleanup:`);
      console.table({
        ...output,
        seconds: Math.round(seconds),
        "subrequests an instance": (calls / instances).toFixed(3),
        "steps a thousand instances": ((1000 * steps) / instances).toFixed(1),
      });
      console.log("Left in D1:", left);
      return;
    }
    await sleep(POLL_MS);
  }
}
