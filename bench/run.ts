import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { benchAgent } from "./agent.ts";
import { benchHeartbeats } from "./heartbeat.ts";
import { benchScrapes } from "./scrape.ts";

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

const scrapes = await benchScrapes();
const [small] = scrapes;
console.table(
  Object.fromEntries(
    scrapes.map((result) => [
      `scrape of ${result.instances} instances`,
      {
        bytes: result.bytes,
        "live ms": round(result.liveMs),
        "cached ms": round(result.cachedMs),
        "live / cached": round(result.liveMs / result.cachedMs),
        "live / live of the smallest": round(result.liveMs / (small?.liveMs ?? Number.NaN)),
      },
    ]),
  ),
);

const agent = await benchAgent();
console.table({
  "the agent's process tree": {
    beats: agent.beats,
    "peak MB": round(agent.peakPssKb / 1024),
    "peak MB, shared pages counted each time": round(agent.peakRssKb / 1024),
    "MB between beats": round(agent.betweenRssKb / 1024),
    "CPU s a beat": round(agent.cpuSecondsPerBeat * 100) / 100,
    "% of a core": round(agent.cpuPercentOfOneCore),
  },
});
await writeFile(
  join(import.meta.dirname, "results.json"),
  `${JSON.stringify({ measuredAt: new Date().toISOString(), node: process.version, heartbeats, scrapes, agent }, null, 2)}\n`,
);

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
