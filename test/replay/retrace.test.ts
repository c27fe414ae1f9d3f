import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { type Retraced, retrace } from "../../src/replay/retrace.ts";
import { expectLogged } from "../quiet.ts";
import { Life, type LifePlan, lifePlan, type Mix } from "./lives.ts";

/** Random lives are kept as the history keeps them, and decided upon once more by the policies that were in force. */

vi.setConfig({ testTimeout: 3_600_000 });

const LIVES = Math.max(1000, Number(process.env.PROPERTY_RUNS ?? 0) * 5);

class Tally {
  lives = 0;
  whole = 0;
  reproduced = 0;
  readonly reasons = new Map<string, number>();

  add({ reproduced, differences }: Retraced): void {
    this.lives += 1;
    this.reproduced += reproduced;
    if (differences.length === 0) this.whole += 1;
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
    { numRuns: LIVES },
  );
  return tally;
}

it("reproduces each event of random lives, whatever people, providers and the guard do", () => {
  const tally = liveAll({ untold: false }, ({ differences }) =>
    expect(differences.filter(({ reason }) => reason === "unexplained")).toEqual([]),
  );
  expect(tally.share).toBeGreaterThan(0.99);
  expect(tally.reproduced).toBeGreaterThan(5 * LIVES);
  expectLogged(/lives retraced/);
  console.log(`${tally}`);
});
