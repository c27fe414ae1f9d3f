import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { benchAgent } from "./agent.ts";
import { benchDashboard } from "./dashboard.ts";
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
        "beyond the router, in full paths": round(result.actorShareRatio),
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

const dashboard = await benchDashboard();
if (dashboard === null) console.log("The page: not measured, there is no Chromium here.");
else {
  console.table(
    Object.fromEntries(
      dashboard.map((result) => [
        `the page, ${result.instances} instances`,
        {
          "first rows ms": Math.round(result.firstRowsMs),
          "scripting until then ms": Math.round(result.scriptMs),
          "scripting ms a second": round(result.scriptMsPerSecond),
        },
      ]),
    ),
  );
}

const agent = {
  http: await benchAgent("http"),
  // Trusting a certificate of its own takes root.
  ...(process.getuid?.() === 0 ? { https: await benchAgent("https") } : {}),
};
console.table(
  Object.fromEntries(
    Object.entries(agent).map(([scheme, result]) => [
      `the agent's process tree, ${scheme}`,
      {
        beats: result.beats,
        "peak MB": round(result.peakPssKb / 1024),
        "peak MB, shared pages counted each time": round(result.peakRssKb / 1024),
        "MB between beats": round(result.betweenRssKb / 1024),
        "CPU s a beat": round(result.cpuSecondsPerBeat * 100) / 100,
        "% of a core": round(result.cpuPercentOfOneCore),
      },
    ]),
  ),
);
await writeFile(
  join(import.meta.dirname, "results.json"),
  `${JSON.stringify({ measuredAt: new Date().toISOString(), node: process.version, heartbeats, scrapes, dashboard, agent }, null, 2)}\n`,
);

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
