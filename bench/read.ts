import { setTimeout as sleep } from "node:timers/promises";
import { sendHeartbeat } from "../scripts/client.ts";
import { quantile } from "./quantile.ts";
import { registerFleet, startService } from "./service.ts";

/** The list and the metrics of small and large fleets, and an actor that comes to memory beside one that is there. */

const FLEETS = [10, 100, 1000] as const;
const ROUNDS = 4;
/** Longer than an answer of the metrics is kept, and than an idle actor stays in memory. */
const BETWEEN_ROUNDS_MS = 15_500;

export interface ReadResult {
  readonly instances: number;
  /** Most of the instances' objects must come to memory. */
  readonly listColdMs: number;
  /** The same again at once. */
  readonly listWarmMs: number;
  readonly listBytes: number;
  /** The same list in its summary view, which asks no instance. */
  readonly summaryMs: number;
  readonly metricsMs: number;
  readonly metricsBytes: number;
  readonly metricsCachedMs: number;
}

export interface ReadResults {
  readonly fleets: readonly ReadResult[];
  /** A heartbeat of an actor that is not in memory, and of one that is. */
  readonly coldMs: number;
  readonly warmMs: number;
}

/** Median times over the rounds, the smallest fleet first. */
export async function benchReads(): Promise<ReadResults> {
  const service = await startService("bench/workers/full.ts");
  try {
    const fleets = [];
    for (const size of FLEETS) {
      const { userToken, instances } = await registerFleet(service, size);
      const beat = async ({ id, token }: { id: string; token: string }) => {
        const startedAt = performance.now();
        await sendHeartbeat(service.url, token, {
          instance_id: id,
          gpu_utilization: 87,
          cost_accumulated: 2.4,
        });
        return performance.now() - startedAt;
      };
      for (const instance of instances) await beat(instance);
      const measured = {
        listCold: [] as number[],
        listWarm: [] as number[],
        summary: [] as number[],
        metrics: [] as number[],
        cached: [] as number[],
        bytes: [0, 0],
      };
      fleets.push({ size, userToken, instances, beat, measured });
    }
    const read = async (path: string, token: string) => {
      const startedAt = performance.now();
      const response = await fetch(`${service.url}${path}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      const { byteLength } = await response.arrayBuffer();
      if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
      return { ms: performance.now() - startedAt, byteLength };
    };
    const [cold, warm]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(BETWEEN_ROUNDS_MS);
      const [smallest] = fleets;
      for (const instance of smallest?.instances ?? []) {
        cold.push((await smallest?.beat(instance)) ?? 0);
        warm.push((await smallest?.beat(instance)) ?? 0);
      }
      for (const { userToken, measured } of fleets) {
        const listCold = await read("/api/agent/instances?limit=1000", userToken);
        const listWarm = await read("/api/agent/instances?limit=1000", userToken);
        const summary = await read("/api/agent/instances?view=summary&limit=1000", userToken);
        const metrics = await read("/metrics", userToken);
        measured.listCold.push(listCold.ms);
        measured.listWarm.push(listWarm.ms);
        measured.summary.push(summary.ms);
        measured.metrics.push(metrics.ms);
        measured.cached.push((await read("/metrics", userToken)).ms);
        measured.bytes = [listCold.byteLength, metrics.byteLength];
      }
    }
    return {
      fleets: fleets.map(({ size, measured }) => ({
        instances: size,
        listColdMs: quantile(measured.listCold, 0.5),
        listWarmMs: quantile(measured.listWarm, 0.5),
        listBytes: measured.bytes[0] ?? 0,
        summaryMs: quantile(measured.summary, 0.5),
        metricsMs: quantile(measured.metrics, 0.5),
        metricsBytes: measured.bytes[1] ?? 0,
        metricsCachedMs: quantile(measured.cached, 0.5),
      })),
      coldMs: quantile(cold, 0.5),
      warmMs: quantile(warm, 0.5),
    };
  } finally {
    await service.stop();
  }
}
