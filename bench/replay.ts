import { fromSample, toSample } from "../src/history/sample.ts";
import type { Heartbeat } from "../src/lifecycle/model/heartbeat.ts";
import type { KeptUse } from "../src/lifecycle/model/kept-use.ts";
import { compilePolicy } from "../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../src/lifecycle/model/policy-settings.ts";
import { CHUNK_HEARTBEATS } from "../src/lifecycle/model/state.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../src/lifecycle/model/time.ts";
import { COMPARED, comparisonOf } from "../src/replay/compare.ts";
import { frontierOf } from "../src/replay/frontier.ts";
import { addOutcomes, NOTHING, type Outcome } from "../src/replay/outcome.ts";
import { replay } from "../src/replay/replay.ts";
import type { Story } from "../src/replay/story.ts";

/**
 * `npm run bench:replay`: the last week of a hundred instances, from the texts of the history to the figures of a comparison: what
 * really happened, a candidate, the policy in force and the three presets. `-- --proposal` tries the grid of a proposal, too.
 */

const INSTANCES = 100;
const DAYS = 7;
const FROM = Date.UTC(2026, 10, 2);
const TO = FROM + DAYS * DAY_MS;
const GOAL_SECONDS = 10;

type Shows = (minuteOfDay: number, minute: number, chance: () => number) => Partial<Heartbeat> | null;

const SOURCES: KeptUse["sources"] = [0, 0, 0, 0.1, 12.5, 40];

function shows(
  gpuPercent: number,
  gpuMaxPercent: number,
  sources: KeptUse["sources"] = SOURCES,
): Partial<Heartbeat> {
  return { gpuPercent, use: { gpuMaxPercent, sources, unread: [], preparation: null } };
}

/** As many of each, in turn. */
const WORKLOADS: Readonly<Record<string, Shows>> = {
  busy: (_day, minute, chance) =>
    minute % 180 > 172 ? shows(0, 1, [0, 0, 0, 6, 40, 3000]) : shows(85 + Math.floor(14 * chance()), 99),
  idle: (_day, _minute, chance) => shows(0, chance() < 0.05 ? 2 : 0),
  nightly: (day, _minute, chance) =>
    day >= 120 && day < 160 ? shows(80 + Math.floor(20 * chance()), 100) : shows(0, 0),
  inference: (day, _minute, chance) =>
    day >= 720 && day < 770
      ? shows(0, 0)
      : chance() < 0.7
        ? shows(5, 40 + Math.floor(50 * chance()))
        : shows(0, 1),
  silent: (_day, minute) => (minute % 2880 >= 1000 && minute % 2880 < 1400 ? null : shows(60, 95)),
  office: (day, minute, chance) => {
    const isAtWork = minute % 10_080 < 7200 && day >= 540 && day < 1080;
    return isAtWork && chance() < 0.6
      ? shows(0, Math.floor(60 * chance()), [1, 1, 0, 0.6, 30, 100])
      : shows(0, 0);
  },
};

/** The texts of an instance's chunks, as D1 has them. */
function chunksOf(instance: number): string[] {
  const kinds = Object.values(WORKLOADS);
  const chance = chanceOf(instance + 1);
  const workload = kinds[instance % kinds.length] ?? (() => null);
  const heartbeats: Heartbeat[] = [];
  for (let minute = 0; minute < DAYS * 1440; minute++) {
    const shown = workload(minute % 1440, minute, chance);
    if (shown === null) continue;
    heartbeats.push({
      at: FROM + minute * MINUTE_MS + Math.floor(900 * chance()),
      sequence: minute + 1,
      gpuPercent: null,
      vramUsedGb: 61.2,
      cpuPercent: Math.floor(30 * chance()),
      ramUsedGb: 40.1,
      diskUsedGb: 180.5,
      costAccumulated: null,
      uptimeSeconds: minute * 60,
      status: "running",
      activity: null,
      ...shown,
    });
  }
  const chunks: string[] = [];
  for (let first = 0; first < heartbeats.length; first += CHUNK_HEARTBEATS) {
    chunks.push(JSON.stringify(heartbeats.slice(first, first + CHUNK_HEARTBEATS).map(toSample)));
  }
  return chunks;
}

/** A small generator of numbers from 0 to 1: the same for each run. */
function chanceOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
  };
}

function storyOf(
  instance: number,
  chunks: readonly string[],
  settings: Story["policies"][number]["settings"],
): Story {
  const readings: Heartbeat[] = [];
  for (const chunk of chunks) {
    const samples: unknown = JSON.parse(chunk);
    if (!Array.isArray(samples)) continue;
    for (const sample of samples) {
      const reading = fromSample(sample, readings.length + 1);
      if (reading !== null) readings.push(reading);
    }
  }
  return {
    instanceId: `rig-${instance}`,
    profile: {
      name: `Rig ${instance}`,
      provider: "webhook",
      providerRef: null,
      hourlyCost: 1.2,
      hibernatedHourlyCost: 0.02,
      registeredAt: FROM - 30 * DAY_MS,
    },
    hasGpu: true,
    from: FROM,
    to: TO,
    readings,
    hours: [],
    events: [],
    policies: [{ from: FROM, settings, suspended: false, unknownBecause: null }],
    guardClosed: [],
  };
}

const wantsProposal = process.argv.includes("--proposal");
const inForce = mergePolicy({ mode: "observe" });
const candidate = mergePolicy({
  idle: { threshold_percent: 3, warn_after_seconds: 720, hibernate_after_seconds: 1200 },
});

const sums = new Map<string, Outcome>();
const spent = { parse: 0, compare: 0, propose: 0 };
let [readings, peakMb, cpuMs] = [0, 0, 0];
for (let instance = 0; instance < INSTANCES; instance++) {
  const chunks = chunksOf(instance);
  const [readFrom, cpuFrom] = [performance.now(), process.cpuUsage()];
  const story = storyOf(instance, chunks, inForce);
  readings += story.readings.length;
  const comparedFrom = performance.now();
  const comparison = comparisonOf(story, candidate);
  for (const of of COMPARED) sums.set(of, addOutcomes(sums.get(of) ?? NOTHING, comparison[of].outcome));
  const proposedFrom = performance.now();
  if (wantsProposal)
    frontierOf(story, { settings: candidate }, { compile: (tried) => compilePolicy(tried), replay });
  const endedAt = performance.now();
  const cpu = process.cpuUsage(cpuFrom);
  cpuMs += (cpu.user + cpu.system) / 1000;
  spent.parse += comparedFrom - readFrom;
  spent.compare += proposedFrom - comparedFrom;
  spent.propose += endedAt - proposedFrom;
  peakMb = Math.max(peakMb, process.memoryUsage().heapUsed / 2 ** 20);
}
const seconds = (spent.parse + spent.compare + spent.propose) / 1000;

const hours = (ms: number) => Math.round(ms / HOUR_MS);
console.table(
  Object.fromEntries(
    [...sums].map(([of, sum]) => [
      of,
      {
        "working h": hours(sum.workingMs),
        "idle h": hours(sum.idleMs),
        "silent h": hours(sum.silentMs),
        "hibernated h": hours(sum.hibernatedMs),
        "saved $": Math.round(sum.saved),
        hibernations: sum.hibernations,
        interruptions: sum.interruptions,
        "work cut h": hours(sum.workCutMs),
      },
    ]),
  ),
);
const round = (value: number, by = 100) => Math.round(value * by) / by;
console.log(
  `${INSTANCES} instances × ${DAYS} days, ${readings} readings: ${round(cpuMs / 1000)} s of CPU (goal: ${GOAL_SECONDS}) in ${round(seconds)} s, ` +
    `${round((1e3 * cpuMs) / readings)} µs a reading; reading ${round(spent.parse / 1000)} s, comparing ${round(spent.compare / 1000)} s` +
    `${wantsProposal ? `, proposing ${round(spent.propose / 1000)} s` : ""}; heap at most ${Math.round(peakMb)} MB`,
);
