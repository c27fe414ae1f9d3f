import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "./quantile.ts";
import { registerFleet, type Service, startService } from "./service.ts";

/** The metrics route for a small and a large fleet, live and from its cache, in rounds that take turns. */

const FLEETS = [100, 1000] as const;
const ROUNDS = 4;
/** Longer than an answer is kept. */
const BETWEEN_ROUNDS_MS = 15_500;

export interface ScrapeResult {
  readonly instances: number;
  readonly bytes: number;
  readonly liveMs: number;
  readonly cachedMs: number;
}

/** Median times over the rounds, the small fleet first. */
export async function benchScrapes(): Promise<ScrapeResult[]> {
  const service = await startService("src/worker.ts");
  try {
    const contestants = [];
    for (const size of FLEETS) {
      const { userToken, instances } = await registerFleet(service, size);
      for (const { id, token } of instances) await beat(service, id, token);
      contestants.push({ size, userToken, live: [] as number[], cached: [] as number[], bytes: 0 });
    }
    for (let round = 0; round <= ROUNDS; round++) {
      for (const contestant of contestants) {
        const live = await scrape(service, contestant.userToken);
        const cached = await scrape(service, contestant.userToken);
        contestant.bytes = live.bytes;
        // The first round wakes the actors.
        if (round === 0) continue;
        contestant.live.push(live.ms);
        contestant.cached.push(cached.ms);
      }
      if (round < ROUNDS) await sleep(BETWEEN_ROUNDS_MS);
    }
    return contestants.map(({ size, bytes, live, cached }) => ({
      instances: size,
      bytes,
      liveMs: quantile(live, 0.5),
      cachedMs: quantile(cached, 0.5),
    }));
  } finally {
    await service.stop();
  }
}

async function beat(service: Service, id: string, token: string): Promise<void> {
  const response = await fetch(`${service.url}/api/agent/status`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ instance_id: id, gpu_utilization: 87, vram_used_gb: 18.4, cost_accumulated: 2.4 }),
  });
  if (!response.ok) throw new Error(`a heartbeat was answered ${response.status}`);
}

async function scrape(service: Service, userToken: string): Promise<{ ms: number; bytes: number }> {
  const startedAt = performance.now();
  const response = await fetch(`${service.url}/metrics`, {
    headers: { Authorization: `Bearer ${userToken}` },
  });
  const bytes = (await response.arrayBuffer()).byteLength;
  if (!response.ok) throw new Error(`a scrape was answered ${response.status}`);
  return { ms: performance.now() - startedAt, bytes };
}
