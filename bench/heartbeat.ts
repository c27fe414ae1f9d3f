import { quantile } from "./quantile.ts";
import {
  type BenchInstance,
  heartbeatOf,
  Load,
  registerFleet,
  type Service,
  startService,
} from "./service.ts";

/**
 * The heartbeat path beside its floor and beside the obvious design: the same router and the same load, in slices that
 * take turns, so that what disturbs the machine disturbs all alike. What counts are the ratios.
 */

const INSTANCES = 32;
const ROUNDS = 20;
const SLICE_MS = 1_500;

const VARIANTS = [
  { name: "full path", entry: "bench/workers/full.ts", refused: false },
  { name: "floor: one row", entry: "bench/workers/floor.ts", refused: false },
  { name: "obvious: row + alarm + insert", entry: "bench/workers/obvious.ts", refused: false },
  // Refused at the actor's door, since the token is another instance's: what all of them have in common.
  { name: "router alone", entry: "bench/workers/floor.ts", refused: true },
] as const;

interface Contestant {
  readonly name: string;
  readonly service: Service;
  readonly instances: readonly BenchInstance[];
  readonly expectedStatus: number;
  /** Heartbeats a second, one entry a round. */
  readonly throughputs: number[];
  readonly latenciesMs: number[];
  /** CPU time a heartbeat, one entry a round. */
  readonly cpuMs: number[];
}

export interface HeartbeatResult {
  readonly name: string;
  readonly heartbeatsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Median over the rounds of the full path's throughput divided by this one's of the same round. */
  readonly fullPathRatio: number;
  /** The same of the CPU time that a heartbeat takes, whatever else the machine does: this one's divided by the full path's. */
  readonly cpuRatio: number;
  readonly cpuMs: number;
}

/** Runs all of them and gives back what was measured, the full path first. */
export async function benchHeartbeats(): Promise<HeartbeatResult[]> {
  const contestants: Contestant[] = [];
  const load = new Load();
  const beat = ({ service, instances, expectedStatus }: Contestant) =>
    load.post(
      instances.map((instance) => heartbeatOf(service, instance)),
      SLICE_MS,
      expectedStatus,
    );
  try {
    for (const { name, entry, refused } of VARIANTS) {
      const service = await startService(entry);
      const { instances } = await registerFleet(service, INSTANCES);
      contestants.push({
        name,
        service,
        instances: refused ? instances.map(({ token }) => ({ id: "another", token })) : instances,
        expectedStatus: refused ? 403 : 200,
        throughputs: [],
        latenciesMs: [],
        cpuMs: [],
      });
    }
    for (const contestant of contestants) await beat(contestant);
    for (let round = 0; round < ROUNDS; round++) {
      for (const contestant of contestants) {
        const before = contestant.service.cpuMs();
        const latenciesMs = await beat(contestant);
        contestant.cpuMs.push((contestant.service.cpuMs() - before) / latenciesMs.length);
        contestant.throughputs.push((latenciesMs.length * 1000) / SLICE_MS);
        for (const latencyMs of latenciesMs) contestant.latenciesMs.push(latencyMs);
      }
    }
  } finally {
    load.end();
    await Promise.all(contestants.map(({ service }) => service.stop()));
  }
  const [full] = contestants;
  return contestants.map(({ name, throughputs, latenciesMs, cpuMs }) => ({
    name,
    heartbeatsPerSecond: quantile(throughputs, 0.5),
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    fullPathRatio: quantile(
      throughputs.map((throughput, round) => (full?.throughputs[round] ?? 0) / throughput),
      0.5,
    ),
    cpuMs: quantile(cpuMs, 0.5),
    cpuRatio: quantile(
      cpuMs.map((each, round) => each / (full?.cpuMs[round] ?? Number.NaN)),
      0.5,
    ),
  }));
}
