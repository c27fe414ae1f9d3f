import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { CHUNK_HEARTBEATS } from "../src/lifecycle/model/state.ts";

/** What a heartbeat costs by the runtime's own counters, over a simulated day: the test that counts them says so. */

const ROOT = resolve(import.meta.dirname, "..");
const TEST = "test/instance/cost.test.ts";

/** Dollars a million: a Worker's request, an actor's request (an alarm is one), a row written. List price. */
const PRICES = { workerRequest: 0.3, actorRequest: 0.15, row: 1 } as const;

export interface CostResult {
  readonly name: string;
  readonly workerRequests: number;
  readonly actorRequests: number;
  readonly rows: number;
  /** Rows that the end of the history's retention deletes. */
  readonly retentionRows: number;
  readonly dollarsPerMillion: number;
  readonly retentionDollarsPerMillion: number;
}

const countedSchema = z.object({
  heartbeats: z.number(),
  actorRows: z.number(),
  alarmRows: z.number(),
  databaseRows: z.number(),
});

/** Of vitest's report, what the tests left about themselves. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ meta: z.object({ costOfADay: z.unknown().optional() }) })),
    }),
  ),
});

export async function benchCost(): Promise<CostResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "dumont-cost-"));
  const report = join(folder, "report.json");
  try {
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    await promisify(execFile)(
      process.execPath,
      [vitest, "run", "--project", "workers", "--reporter=json", `--outputFile=${report}`, TEST],
      { cwd: ROOT, maxBuffer: 2 ** 26 },
    );
    return pricesOf(JSON.parse(await readFile(report, "utf8")));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function pricesOf(report: unknown): CostResult[] {
  const tests = reportSchema.parse(report).testResults.flatMap((file) => file.assertionResults);
  const counted = countedSchema.parse(
    tests.find(({ meta }) => meta.costOfADay !== undefined)?.meta.costOfADay,
  );
  const rows = (counted.actorRows + counted.alarmRows + counted.databaseRows) / counted.heartbeats;
  const alarms = counted.alarmRows / counted.heartbeats;
  return [
    // A chunk is deleted as one row, and an hour of sixty written as one.
    price("full path", 1 + alarms, rows, 1 / CHUNK_HEARTBEATS + 1 / 60),
    price("floor: one row", 1, 1, 0),
    // Its row, its setAlarm, and in D1 the row with its key and index.
    price("obvious: row + alarm + insert", 1 + 1 / 5, 5, 3),
  ];
}

function price(name: string, actorRequests: number, rows: number, retentionRows: number): CostResult {
  return {
    name,
    workerRequests: 1,
    actorRequests,
    rows,
    retentionRows,
    dollarsPerMillion: PRICES.workerRequest + actorRequests * PRICES.actorRequest + rows * PRICES.row,
    retentionDollarsPerMillion: retentionRows * PRICES.row,
  };
}
