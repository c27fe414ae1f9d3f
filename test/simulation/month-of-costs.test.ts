import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { resetMeter } from "../../src/service/meter.ts";
import { Database } from "./database.ts";
import { rentForAMonth } from "./month-of-costs.ts";
import { REASONS, type Reason, type Reconciled } from "./reconciliation.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * What the service says that machines cost, and what their provider bills: 48 machines for a week. `MONTH=week` has 200 of them, and
 * `MONTH=whole` for thirty days, which takes minutes.
 */

vi.mock("../../src/accounts/digest.ts", () => ({
  sha256Hex: async (text: string) => createHash("sha256").update(text).digest("hex"),
}));
vi.mock("../../src/providers/registry.ts", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  openProvider: async (env: Pick<Env, "FLEETS"> & { readonly provider: unknown }, userId: string) => {
    const kept = await fleetOf(env, userId).credentials("vast");
    return { provider: env.provider, credentialsSetAt: kept?.setAt ?? 0 };
  },
  openKept: async (
    env: { readonly provider: Provider },
    userId: string,
    { kept }: { readonly kept: { readonly setAt: number } },
  ) => ({ provider: ofUser(env.provider, userId), credentialsSetAt: kept.setAt }),
}));

/** The provider as these credentials show it. */
function ofUser(provider: Provider, userId: string): Provider {
  const list = async () => {
    const page = await provider.list?.(null);
    const machines = page?.machines.filter(({ ref }) => ref.startsWith(`${userId}-`)) ?? [];
    return { machines, next: null };
  };
  return { ...provider, list };
}

vi.mock("../../src/alerts/channels/registry.ts", () => ({
  noteDelivery: async () => {},
  sendNotice: async () => null,
  sendBy: async () => null,
}));

const IS_WHOLE = process.env.MONTH === "whole";
const DAYS = IS_WHOLE ? 30 : 7;
const MACHINES = process.env.MONTH === undefined ? 48 : 200;
const SEED = Number(process.env.SEED ?? 1);

const database = new Database();
let scheduler: Scheduler | null = null;
const realNow = Date.now;
const realRandom = Math.random;

beforeAll(() => {
  Error.stackTraceLimit = 0;
  Date.now = () => scheduler?.now ?? realNow();
  Math.random = () => scheduler?.random() ?? realRandom();
  vi.stubGlobal("setTimeout", (run: () => void, ms: number) => scheduler?.after(ms, run));
  vi.stubGlobal("clearTimeout", (timer: number) => scheduler?.cancel(timer));
  const { log } = console;
  const report = (text: string) => text.startsWith("{") || log(text);
  vi.stubGlobal("console", { ...console, log: report, warn: () => {}, error: () => {} });
});
afterAll(() => {
  Date.now = realNow;
  Math.random = realRandom;
  vi.unstubAllGlobals();
});

/** In total. */
const WITHIN = 0.01;

/** One that was turned by hand may be taken for silent until its ladder acts, and that finds out. */
const FOUND_OUT_HOURS = 5;

it(`${MACHINES} machines cost in ${DAYS} days what their provider bills, and what differs has its reasons`, async () => {
  const began = performance.now();
  const { instances, misplacedMs, counts, heartbeats } = await rentForAMonth(
    MACHINES,
    DAYS,
    SEED,
    database,
    (next) => {
      scheduler = next;
      resetMeter();
    },
  );
  const total = (of: (one: Reconciled) => number) => instances.reduce((sum, { costs }) => sum + of(costs), 0);
  const [ledger, bill] = [total((one) => one.ledger), total((one) => one.bill)];
  const percent = (dollars: number) => `${((100 * dollars) / bill).toFixed(4)} %`;
  const reasons = Object.keys(REASONS).filter(isReason);
  const byReason = new Map(
    reasons.map((reason) => [reason, total(({ differences }) => differences.get(reason) ?? 0)]),
  );
  const worst = Math.max(...instances.map(({ costs }) => Math.abs(costs.ledger - costs.bill) / costs.bill));
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    [
      `${MACHINES} machines, ${DAYS} days, ${heartbeats} heartbeats, played in ${seconds} s`,
      `ledger $${ledger.toFixed(2)}, bill $${bill.toFixed(2)}, difference ${percent(ledger - bill)}; of one machine at most ${(100 * worst).toFixed(2)} %`,
      ...[...byReason].map(
        ([reason, dollars]) => `  ${percent(dollars)} $${dollars.toFixed(2)} ${REASONS[reason]}`,
      ),
      `unexplained $${total(({ unexplained }) => Math.abs(unexplained)).toExponential(1)}; saved $${total((one) => one.saved).toFixed(2)}`,
      [...counts]
        .sort()
        .map(([what, times]) => `${what}: ${times}`)
        .join(", "),
    ].join("\n"),
  );

  expect(bill).toBeGreaterThan(MACHINES * DAYS * 10);
  expect(Math.abs(ledger - bill)).toBeLessThan(WITHIN * bill);
  expect(Math.abs(byReason.get("reports") ?? 0)).toBeLessThan(0.0001 * bill);
  // Time is put down once, and all of it.
  expect(misplacedMs).toBe(0);
  for (const { rented, costs } of instances) {
    const { id, turnsByHand, highestPrice } = rented;
    expect(Math.abs(costs.unexplained), `${id}: unexplained`).toBeLessThan(1e-6);
    expect(costs.ofDays, `${id}: its days`).toBeCloseTo(costs.ledger, 6);
    expect(costs.saved, `${id}: saved`).toBeCloseTo(costs.savedByLedger, 6);
    const atMost = WITHIN * costs.bill + (1 + turnsByHand) * FOUND_OUT_HOURS * highestPrice;
    expect(Math.abs(costs.ledger - costs.bill), `${id}: ledger and bill`).toBeLessThan(atMost);
  }
  for (const what of [
    "hibernate",
    "wake",
    "stopped by hand",
    "running by hand",
    "silences",
    "prices changed",
  ])
    expect(counts.get(what) ?? 0, what).toBeGreaterThan(0);
});

function isReason(reason: string): reason is Reason {
  return reason in REASONS;
}
