import { spawn } from "node:child_process";
import { freePort } from "../scripts/server.ts";
import { quantile } from "./quantile.ts";
import { heartbeatOf, Load, registerFleet, startService } from "./service.ts";

/**
 * Beside the Prometheus Pushgateway (Debian), which takes what is pushed and shows it to a scrape: no lifecycle, no
 * history, no tokens, all in memory. The same readings by the same load, in turns. It is what accepting alone may cost.
 */

const FLEETS = [500, 5000] as const;
const ROUNDS = 5;
const SLICE_MS = 2_000;

export interface PeerResult {
  readonly instances: number;
  readonly ours: {
    readonly heartbeatsPerSecond: number;
    readonly scrapeMs: number;
    readonly scrapeBytes: number;
  };
  readonly pushgateway: PeerResult["ours"];
}

/** Null where there is no Pushgateway. */
export async function benchPeer(): Promise<PeerResult[] | null> {
  const results: PeerResult[] = [];
  for (const size of FLEETS) {
    const port = await freePort();
    const gateway = spawn("prometheus-pushgateway", [`--web.listen-address=127.0.0.1:${port}`], {
      stdio: "ignore",
    });
    const missing = new Promise<"missing">((found) => gateway.once("error", () => found("missing")));
    const url = `http://127.0.0.1:${port}`;
    if ((await Promise.race([missing, untilReady(url)])) === "missing") return null;
    const service = await startService("bench/workers/full.ts");
    const load = new Load();
    try {
      const { userToken, instances } = await registerFleet(service, size);
      const ours = instances.map((instance) => heartbeatOf(service, instance));
      const theirs = instances.map(({ id }) => ({
        url: `${url}/metrics/job/bench/instance/${id}`,
        token: null,
        body: "gpu_utilization 87\nvram_used_gb 18.4\ncpu_utilization 45\nram_used_gb 12\ndisk_used_gb 45.2\ncost 2.4\nuptime 7200\n",
      }));
      const throughputs = { ours: [] as number[], theirs: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        throughputs.ours.push(((await load.post(ours, SLICE_MS, 200)).length * 1000) / SLICE_MS);
        throughputs.theirs.push(((await load.post(theirs, SLICE_MS, 200)).length * 1000) / SLICE_MS);
      }
      results.push({
        instances: size,
        ours: {
          heartbeatsPerSecond: quantile(throughputs.ours, 0.5),
          ...(await scrape(`${service.url}/metrics`, { Authorization: `Bearer ${userToken}` })),
        },
        pushgateway: {
          heartbeatsPerSecond: quantile(throughputs.theirs, 0.5),
          ...(await scrape(`${url}/metrics`, {})),
        },
      });
    } finally {
      load.end();
      gateway.kill();
      await service.stop();
    }
  }
  return results;
}

async function scrape(url: string, headers: Record<string, string>) {
  const startedAt = performance.now();
  const response = await fetch(url, { headers });
  const scrapeBytes = (await response.arrayBuffer()).byteLength;
  if (!response.ok) throw new Error(`a scrape was answered ${response.status}`);
  return { scrapeMs: performance.now() - startedAt, scrapeBytes };
}

async function untilReady(url: string): Promise<"ready"> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return "ready";
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error("the Pushgateway does not answer");
}
