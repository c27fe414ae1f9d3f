import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { quantile } from "./quantile.ts";
import { Load, type Service, startService } from "./service.ts";

/**
 * How many reports a second one FleetActor takes in a mass outage, with few rows and with many, by turns: what disturbs the
 * machine disturbs both alike. What counts is the ratio, and for the largest user the absolute figure of this machine.
 */

const SIZES = [100, 200_000] as const;
/** A mass outage: of both, the same share is silent. */
const SILENT_SHARE = 0.6;
/** Several, so that what a request itself takes counts little. */
const REPORTS_PER_POST = 16;
const ROUNDS = 8;
const SLICE_MS = 1_500;

export interface FleetResult {
  readonly rows: number;
  readonly reportsPerSecond: number;
  readonly megabytes: number;
  /** Median over the rounds of this fleet's throughput divided by the smallest one's of the same round. */
  readonly ratio: number;
}

/** The smallest fleet first. */
export async function benchFleet(): Promise<FleetResult[]> {
  const service = await startService("bench/workers/fleet.ts");
  const load = new Load();
  try {
    const fleets: { rows: number; throughputs: number[] }[] = [];
    for (const rows of SIZES) {
      await seed(service, userOf(rows), rows, Math.floor(rows * SILENT_SHARE));
      await post(load, service, rows, SLICE_MS);
      fleets.push({ rows, throughputs: [] });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { rows, throughputs } of fleets) {
        throughputs.push(await post(load, service, rows, SLICE_MS));
      }
    }
    const smallest = fleets[0]?.throughputs ?? [];
    const results: FleetResult[] = [];
    for (const { rows, throughputs } of fleets) {
      const { bytes } = sizeSchema.parse(await (await call(service, "GET", `/size/${userOf(rows)}`)).json());
      results.push({
        rows,
        reportsPerSecond: quantile(throughputs, 0.5),
        megabytes: bytes / 1e6,
        ratio: quantile(
          throughputs.map((throughput, round) => throughput / (smallest[round] ?? 0)),
          0.5,
        ),
      });
    }
    return results;
  } finally {
    load.end();
    await service.stop();
  }
}

const userOf = (rows: number) => `user-${rows}`;

const sizeSchema = z.object({ rows: z.number(), bytes: z.number() });

async function seed(service: Service, userId: string, rows: number, silent: number): Promise<void> {
  const reply = await call(service, "POST", `/seed/${userId}/${rows}/${silent}`);
  const seeded = sizeSchema.parse(await reply.json());
  if (seeded.rows !== rows) throw new Error(`the fleet has ${seeded.rows} rows instead of ${rows}`);
}

/** Reports a second. */
async function post(load: Load, { url }: Service, rows: number, durationMs: number): Promise<number> {
  const path = `/report/${userOf(rows)}/${rows}/${REPORTS_PER_POST}`;
  const posts = Array.from({ length: 32 }, () => ({ url: `${url}${path}`, token: null, body: "" }));
  const startedAt = performance.now();
  const { length } = await load.post(posts, durationMs, 204);
  return (length * REPORTS_PER_POST * 1000) / (performance.now() - startedAt);
}

async function call({ url }: Service, method: string, path: string): Promise<Response> {
  const response = await fetch(`${url}${path}`, { method });
  if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
  return response;
}

/** In a fleet of this size a policy comes to every instance within a minute (`src/fleet/tasks/policy.ts`). */
const POLICY_ROWS = 10_000;
export const POLICY_GOAL_SECONDS = 60;
const POLICY_PATIENCE_MS = 150_000;

export interface PolicyResult {
  readonly instances: number;
  /** From `setPolicy` until the last instance has answered, and reported. */
  readonly seconds: number;
}

/** How long a user's new policy takes to all of their instances, which report to the fleet meanwhile. */
export async function benchPolicy(): Promise<PolicyResult> {
  const service = await startService("bench/workers/fleet.ts");
  try {
    const userId = userOf(POLICY_ROWS);
    await seed(service, userId, POLICY_ROWS, 0);
    const startedAt = performance.now();
    await call(service, "POST", `/policy/${userId}`);
    while (!(await isBrought(service, userId))) {
      if (performance.now() > startedAt + POLICY_PATIENCE_MS) throw new Error("a policy did not come to all");
      await sleep(100);
    }
    return { instances: POLICY_ROWS, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    await service.stop();
  }
}

async function isBrought(service: Service, userId: string): Promise<boolean> {
  const reply = await call(service, "GET", `/policy/${userId}`);
  return z.object({ isBrought: z.boolean() }).parse(await reply.json()).isBrought;
}

/** For `npm run bench` and `npm run capacity`. */
export function printFleets(results: readonly FleetResult[]): void {
  console.table(
    Object.fromEntries(
      results.map(({ rows, reportsPerSecond, megabytes, ratio }) => [
        `a fleet of ${rows}, 60 % silent`,
        {
          "reports/s": Math.round(reportsPerSecond),
          "of the smallest": ratio.toFixed(2),
          MB: megabytes.toFixed(1),
        },
      ]),
    ),
  );
}
