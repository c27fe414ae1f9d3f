import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { compilePolicy, type Policy } from "../../src/lifecycle/model/policy.ts";
import { DAYS } from "../../src/lifecycle/model/windows.ts";
import type { Difference } from "../../src/replay/differences.ts";
import { type Retraced, retrace } from "../../src/replay/retrace.ts";
import type { Story } from "../../src/replay/story.ts";
import { expectLogged } from "../quiet.ts";
import { Life, type LifePlan, lifePlan, type Mix, type Step } from "./lives.ts";

/** Random lives are kept as the history keeps them, and decided upon once more by the policies that were in force. */

vi.setConfig({ testTimeout: 3_600_000 });

/** The same lives in each run. `SEEDS=n` lives n of them, `FIRST_SEED=n` others. */
const LIVES = Number(process.env.SEEDS ?? 1000);
const SEED = Number(process.env.FIRST_SEED ?? 1);

const TOLD: Mix = { untold: false };

function isUnexplained({ reason }: Difference): boolean {
  return reason === "unexplained";
}

class Tally {
  lives = 0;
  whole = 0;
  reproduced = 0;
  /** Lives with a difference for which no reason is named. */
  unexplained = 0;
  readonly reasons = new Map<string, number>();

  add({ reproduced, differences }: Retraced): void {
    this.lives += 1;
    this.reproduced += reproduced;
    if (differences.length === 0) this.whole += 1;
    if (differences.some(isUnexplained)) this.unexplained += 1;
    for (const { reason } of differences) this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  get share(): number {
    return this.whole / this.lives;
  }

  toString(): string {
    const reasons = [...this.reasons].map(([reason, count]) => `${count} ${reason}`).join(", ");
    return `${this.lives} lives retraced: ${this.reproduced} events as they were, ${this.whole} lives without any difference; differences: ${reasons || "none"}`;
  }
}

function liveAll(mix: Mix, judged: (retraced: Retraced, plan: LifePlan) => void): Tally {
  const tally = new Tally();
  fc.assert(
    fc.property(lifePlan(mix), (plan) => {
      const retraced = retrace(new Life(plan).story());
      tally.add(retraced);
      judged(retraced, plan);
    }),
    { numRuns: LIVES, seed: SEED },
  );
  return tally;
}

it("reproduces each event of random lives, whatever people, providers and the guard do", () => {
  const tally = liveAll(TOLD, ({ differences }) => expect(differences.filter(isUnexplained)).toEqual([]));
  expect(tally.share).toBeGreaterThan(0.99);
  expect(tally.reproduced).toBeGreaterThan(5 * LIVES);
  expectLogged(/lives retraced/);
  console.log(`${tally}`);
});

const idle: Step = { type: "beats", use: "idle", count: 1, says: null };
const order = (does: Extract<Step, { type: "order" }>["does"]): Step => ({ type: "order", does });
const silence = (minutes: number): Step => ({ type: "silence", minutes });

/** Hibernated for its silence, and that order is just being tried. */
const TRIED: readonly Step[] = [idle, silence(40), { type: "guard", permits: true }, order("try")];
const WOKEN: readonly Step[] = [
  idle,
  { type: "person", does: "hibernate" },
  order("all"),
  { type: "person", does: "wake" },
];

const orders: readonly [string, readonly Step[]][] = [
  [
    "that was being tried when the machine was heard, and ended when it was set back",
    [...TRIED, idle, { type: "resumed" }],
  ],
  [
    "that was being tried when maintenance began, and ended when the machine was set back",
    [
      ...TRIED,
      {
        type: "policy",
        overrides: { maintenance: { windows: [{ days: [...DAYS], from: "00:00", to: "04:00" }] } },
      },
      { type: "resumed" },
    ],
  ],
  ["to wake that is still being tried, though the machine is heard", [...WOKEN, order("try"), idle, idle]],
  [
    "to wake that was confirmed while it was being tried, though the machine was heard before",
    [...WOKEN, order("try"), order("succeed"), idle, idle, silence(20)],
  ],
];

it.each(orders)("reproduces an order %s", (_, steps) => {
  const plan: LifePlan = { provider: "webhook", hooks: false, overrides: {}, jitter: 1, steps };
  expect(retrace(new Life(plan).story()).differences).toEqual([]);
});

it("names why not, where the service was away, readings came late, or heartbeats were repeated", () => {
  const tally = liveAll({ untold: true }, () => {});
  // What a heartbeat said that was repeated is not kept. It is some 8 lives of 1,000.
  expect(tally.unexplained).toBeLessThan(LIVES / 40);
  expect(tally.share).toBeGreaterThan(0.95);
  expectLogged(/lives retraced/);
  console.log(`${tally}`);
});

type Change = (story: Story, policy: Policy) => Policy;

const MUTATIONS: readonly [string, Mix, Change, ((story: Story) => Story)?][] = [
  [
    "the threshold is off by one",
    TOLD,
    (_, policy) => ({
      ...policy,
      idle: { ...policy.idle, thresholdPercent: policy.idle.thresholdPercent + 1 },
    }),
  ],
  [
    "the idle window is 10 % longer",
    TOLD,
    (_, policy) => ({
      ...policy,
      idle: { ...policy.idle, hibernateAfterMs: 1.1 * policy.idle.hibernateAfterMs },
    }),
  ],
  [
    "the idle window is 10 % shorter",
    TOLD,
    (_, policy) => ({
      ...policy,
      idle: {
        ...policy.idle,
        hibernateAfterMs: Math.max(policy.idle.warnAfterMs + 1, 0.9 * policy.idle.hibernateAfterMs),
      },
    }),
  ],
  [
    "silence counts half a minute later",
    TOLD,
    (_, policy) => ({
      ...policy,
      orphan: { ...policy.orphan, orphanAfterMs: policy.orphan.orphanAfterMs + 30_000 },
    }),
  ],
  ["there is no grace after a wake", TOLD, (_, policy) => ({ ...policy, wakeGraceMs: 0 })],
  [
    "late readings are taken for heartbeats",
    { untold: true },
    (_, policy) => policy,
    (story) => ({ ...story, readings: story.readings.map((reading) => ({ ...reading, isLate: undefined })) }),
  ],
];

it.each(MUTATIONS)("notices that %s", (_, mix, change, retell = (story) => story) => {
  let unexplained = 0;
  let honest = 0;
  const count = ({ differences }: Retraced) => differences.filter(isUnexplained).length;
  fc.assert(
    fc.property(lifePlan(mix), (plan) => {
      const story = new Life(plan).story();
      honest += count(retrace(story));
      unexplained += count(
        retrace(retell(story), {
          policyOf: ({ settings, suspended }) => change(story, compilePolicy(settings, 1, suspended)),
        }),
      );
    }),
    { numRuns: 150, seed: SEED },
  );
  expect(unexplained).toBeGreaterThan(honest + 5);
});
