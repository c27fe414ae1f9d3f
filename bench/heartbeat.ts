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
const ROUNDS = 10;
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
}

export interface HeartbeatResult {
  readonly name: string;
  readonly heartbeatsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Median over the rounds of the full path's throughput divided by this one's of the same round. */
  readonly fullPathRatio: number;
  /** How long this one takes beyond the router, in full paths beyond the router: by the median throughputs. */
  readonly actorShareRatio: number;
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
      });
    }
    for (const contestant of contestants) await beat(contestant);
    for (let round = 0; round < ROUNDS; round++) {
      for (const contestant of contestants) {
        const latenciesMs = await beat(contestant);
        contestant.throughputs.push((latenciesMs.length * 1000) / SLICE_MS);
        for (const latencyMs of latenciesMs) contestant.latenciesMs.push(latencyMs);
      }
    }
  } finally {
    load.end();
    await Promise.all(contestants.map(({ service }) => service.stop()));
  }
  const full = contestants[0]?.throughputs ?? [];
  const router = contestants.at(-1)?.throughputs ?? [];
  const beyondRouter = (throughputs: readonly number[]) =>
    1 / quantile(throughputs, 0.5) - 1 / quantile(router, 0.5);
  return contestants.map(({ name, throughputs, latenciesMs }) => ({
    name,
    heartbeatsPerSecond: quantile(throughputs, 0.5),
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    fullPathRatio: quantile(
      throughputs.map((throughput, round) => (full[round] ?? 0) / throughput),
      0.5,
    ),
    actorShareRatio: beyondRouter(throughputs) / beyondRouter(full),
  }));
}
