import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { benchAgent } from "./agent.ts";
import { benchCost } from "./cost.ts";
import { benchDashboard } from "./dashboard.ts";
import { benchFleet, benchPolicy, POLICY_GOAL_SECONDS, printFleets } from "./fleet.ts";
import { benchHeartbeats } from "./heartbeat.ts";
import { benchPeer } from "./peer.ts";
import { benchReads } from "./read.ts";

/**
 * `npm run bench`: prints a table of each part, and writes `bench/results.json`. Absolute figures are this machine's.
 * `npm run bench -- dashboard cost`: of these parts alone.
 */

const PARTS = {
  async heartbeats() {
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
            "CPU ms": round(result.cpuMs),
            "CPU this / full path": round(result.cpuRatio),
          },
        ]),
      ),
    );
    return heartbeats;
  },
  async fleet() {
    const fleet = await benchFleet();
    printFleets(fleet);
    return fleet;
  },
  async policy() {
    const policy = await benchPolicy();
    console.log(
      `A new policy comes to ${policy.instances} instances: ${round(policy.seconds)} s (goal: ${POLICY_GOAL_SECONDS})`,
    );
    return policy;
  },
  async cost() {
    const cost = await benchCost();
    console.table(
      Object.fromEntries(
        cost.map((result) => [
          result.name,
          {
            "rows a heartbeat": round(result.rows),
            "actor requests a heartbeat": round(result.actorRequests),
            "$ a million": round(result.dollarsPerMillion),
            "and its retention $": round(result.retentionDollarsPerMillion),
          },
        ]),
      ),
    );
    return cost;
  },
  async reads() {
    const reads = await benchReads();
    const [smallest] = reads.fleets;
    console.table(
      Object.fromEntries(
        reads.fleets.map((result) => [
          `${result.instances} instances`,
          {
            "list cold, ms": round(result.listColdMs),
            "list warm, ms": round(result.listWarmMs),
            "list KB": round(result.listBytes / 1024),
            "cold / smallest": round(result.listColdMs / (smallest?.listColdMs ?? Number.NaN)),
            "summary ms": round(result.summaryMs),
            "cold / summary (goal: 20)": round(result.listColdMs / result.summaryMs),
            "warm / summary": round(result.listWarmMs / result.summaryMs),
            "metrics ms, warm": round(result.metricsMs),
            "metrics KB": round(result.metricsBytes / 1024),
            "metrics / smallest": round(result.metricsMs / (smallest?.metricsMs ?? Number.NaN)),
            "metrics / cached": round(result.metricsMs / result.metricsCachedMs),
          },
        ]),
      ),
    );
    console.log(
      `A heartbeat of an actor that is not in memory / of one that is: ${round(reads.coldMs / reads.warmMs)}`,
    );
    return reads;
  },
  async peer() {
    const peer = await benchPeer();
    if (peer === null) console.log("The Pushgateway: not measured, it is not installed here.");
    else {
      console.table(
        Object.fromEntries(
          peer.map((result) => [
            `${result.instances} instances`,
            {
              "heartbeats/s": Math.round(result.ours.heartbeatsPerSecond),
              "Pushgateway's": Math.round(result.pushgateway.heartbeatsPerSecond),
              ratio: round(result.ours.heartbeatsPerSecond / result.pushgateway.heartbeatsPerSecond),
              "scrape ms": Math.round(result.ours.scrapeMs),
              "Pushgateway's ms": Math.round(result.pushgateway.scrapeMs),
              "scrape bytes / Pushgateway's": round(result.ours.scrapeBytes / result.pushgateway.scrapeBytes),
            },
          ]),
        ),
      );
    }
    return peer;
  },
  async dashboard() {
    const dashboard = await benchDashboard();
    if (dashboard === null) console.log("The page: not measured, there is no Chromium here.");
    else {
      console.table(
        Object.fromEntries(
          dashboard.map((result) => [
            `the page, ${result.instances} instances`,
            {
              "first rows ms": Math.round(result.firstRowsMs),
              "scripting until then ms": Math.round(result.firstRowsScriptMs),
              "until all are there ms": Math.round(result.allScriptMs),
              MB: round(result.bytes / 1e6),
              "a change ms": Math.round(result.changeMs),
              "scripting ms a second": round(result.scriptMsPerSecond),
            },
          ]),
        ),
      );
      const [small, big] = [dashboard[0], dashboard.at(-1)];
      if (small !== undefined && big !== undefined) {
        console.log(
          `The page's first rows with ${big.instances} instances take ${round(big.firstRowsScriptMs / small.firstRowsScriptMs)} times the scripting of ${small.instances}.`,
        );
      }
    }
    return dashboard;
  },
  async agent() {
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
            "samples a beat": round(result.samplesPerBeat),
            "calls of nvidia-smi a beat": round(result.nvidiaCallsPerBeat),
          },
        ]),
      ),
    );
    return agent;
  },
} as const;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(", ")}. The parts are: ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
const results: Record<string, unknown> = { measuredAt: new Date().toISOString(), node: process.version };
for (const [name, measure] of Object.entries(PARTS)) {
  if (asked.length === 0 || asked.includes(name)) results[name] = await measure();
}
await writeFile(join(import.meta.dirname, "results.json"), `${JSON.stringify(results, null, 2)}\n`);

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
