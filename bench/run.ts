import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { benchHeartbeats } from "./heartbeat.ts";

/** `npm run bench`: prints a table and writes `bench/results.json`. Absolute figures are this machine's. */

const heartbeats = await benchHeartbeats();
console.table(
  Object.fromEntries(
    heartbeats.map((result) => [
      result.name,
      {
        "heartbeats/s": Math.round(result.heartbeatsPerSecond),
        "p50 ms": round(result.p50Ms),
        "p99 ms": round(result.p99Ms),
        "full path / this": round(result.fullPathRatio),
      },
    ]),
  ),
);
await writeFile(
  join(import.meta.dirname, "results.json"),
  `${JSON.stringify({ measuredAt: new Date().toISOString(), node: process.version, heartbeats }, null, 2)}\n`,
);

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
