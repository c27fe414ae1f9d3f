import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costliestHabits } from "../../../src/fleet/rules/habits.ts";
import { type CostTotals, NO_COSTS } from "../../../src/lifecycle/model/ledger.ts";

const HOUR = 3_600_000;

function spent(hours: number, dollars: number) {
  return { ms: hours * HOUR, dollars };
}

function instance(instanceId: string, costs: Partial<CostTotals>) {
  return { instanceId, costs: { ...NO_COSTS, ...costs } };
}

describe("the costliest habits", () => {
  it("are an idleness past its warning, a silence, and a stopped machine that bills", () => {
    const found = costliestHabits([
      instance("rig-2", { working: spent(700, 1750), silent: spent(9, 22.5), wasted: 22.5 }),
      instance("28864630", { working: spent(650, 1625), idle: spent(61, 152.5), wasted: 152.5 }),
      instance("stopped", { hibernated: spent(720, 14.4), saved: 1785 }),
    ]);
    expect(found).toEqual([
      { instanceId: "28864630", habit: "idle_past_warning", spent: spent(61, 152.5) },
      { instanceId: "rig-2", habit: "silent", spent: spent(9, 22.5) },
      { instanceId: "stopped", habit: "hibernated", spent: spent(720, 14.4) },
    ]);
  });

  it("tells idle time before a warning from that after it", () => {
    const found = costliestHabits([
      instance("a", { idle: spent(100, 200), silent: spent(5, 10), wasted: 60 }),
    ]);
    expect(found).toEqual([
      { instanceId: "a", habit: "idle_unwarned", spent: spent(75, 150) },
      { instanceId: "a", habit: "idle_past_warning", spent: spent(25, 50) },
      { instanceId: "a", habit: "silent", spent: spent(5, 10) },
    ]);
  });

  it("are none where all time was work, or has no price", () => {
    expect(costliestHabits([instance("a", { working: spent(700, 1400) })])).toEqual([]);
    expect(costliestHabits([instance("a", { idle: spent(700, 0), unpricedMs: 700 * HOUR })])).toEqual([]);
    expect(costliestHabits([instance("a", { idle: spent(1, 0.004) })])).toEqual([]);
  });

  it("never come to more than what was paid without work, and are the dearest there are", () => {
    const part = fc.record({ ms: fc.nat(30 * 24 * HOUR), dollars: fc.nat(1000) });
    const costs = fc
      .record({
        working: part,
        idle: part,
        silent: part,
        hibernated: part,
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ share, ...uses }) => ({
        ...NO_COSTS,
        ...uses,
        wasted: (uses.idle.dollars + uses.silent.dollars) * share,
      }));
    fc.assert(
      fc.property(fc.array(costs, { maxLength: 8 }), (all) => {
        const found = costliestHabits(all.map((each, index) => ({ instanceId: `i${index}`, costs: each })));
        expect(found.length).toBeLessThanOrEqual(3);
        for (const { instanceId, spent } of found) {
          const { idle, silent, hibernated } = all[Number(instanceId.slice(1))] ?? NO_COSTS;
          expect(spent.dollars).toBeGreaterThanOrEqual(0.01);
          expect(spent.ms).toBeGreaterThanOrEqual(0);
          expect(spent.dollars).toBeLessThanOrEqual(
            Math.max(idle.dollars, silent.dollars, hibernated.dollars),
          );
        }
        const least = found.length < 3 ? 0.01 : (found.at(-1)?.spent.dollars ?? 0);
        const told = new Set(found.map(({ instanceId, habit }) => `${instanceId} ${habit}`));
        for (const [index, { silent, hibernated }] of all.entries()) {
          if (!told.has(`i${index} silent`)) expect(silent.dollars).toBeLessThanOrEqual(least);
          if (!told.has(`i${index} hibernated`)) expect(hibernated.dollars).toBeLessThanOrEqual(least);
        }
      }),
    );
  });
});
