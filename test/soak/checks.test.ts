import { describe, expect, it } from "vitest";
import type { Order } from "../../scripts/control-plane.ts";
import type { Beat } from "./agent.ts";
import { judgeHeartbeats } from "./checks/heartbeats.ts";
import { judgeMemory } from "./checks/memory.ts";
import { judgeOrders, type OrderEvent, type OrderRules } from "./checks/orders.ts";
import { drawPlan } from "./plan.ts";
import { Seeded } from "./seeded.ts";

/** The checks of the soak find what is put in on purpose. */

const SECOND = 1_000;
const INTERVAL = 5 * SECOND;

function beats(count: number, isIdle = false): Beat[] {
  return Array.from({ length: count }, (_, index) => {
    const sentAt = index * INTERVAL;
    return { number: index + 1, sentAt, answeredAt: sentAt + 10, isIdle };
  });
}

describe("heartbeats", () => {
  const agent = { id: "rig", acknowledged: beats(3), late: [] };
  const kept = agent.acknowledged.map(({ number, answeredAt }) => ({ number, at: answeredAt }));
  const nothing = { lost: [], lateLost: [], twice: [] };

  it("are all there", () => {
    expect(judgeHeartbeats(agent, kept, INTERVAL)).toEqual(nothing);
  });

  it("one that is missing is lost, and one that is there again is twice", () => {
    const [first, , third] = kept;
    const { lost, twice } = judgeHeartbeats(
      agent,
      [first, third, third].flatMap((each) => each ?? []),
      INTERVAL,
    );
    expect(lost).toEqual(["rig number 2 of 1970-01-01T00:00:05.010Z"]);
    expect(twice).toEqual(["rig number 3 of 1970-01-01T00:00:10.010Z"]);
  });

  it("a late reading may only be missing beside another one", () => {
    const late = [
      { number: 8, takenAt: 11 * SECOND },
      { number: 9, takenAt: 20 * SECOND },
    ];
    const { lateLost } = judgeHeartbeats({ ...agent, late }, kept, INTERVAL);
    expect(lateLost).toEqual(["rig number 9 of 1970-01-01T00:00:20.000Z"]);
  });
});

describe("orders", () => {
  const rules: OrderRules = {
    hibernateAfterMs: 60 * SECOND,
    forceHibernateAfterMs: 120 * SECOND,
    deleteAfterMs: 144 * SECOND,
    idleHibernateAfterMs: 13 * SECOND,
  };
  const order = (kind: string, at: number): Order => ({
    kind,
    at,
    instanceId: "rig",
    actionId: "act-1",
    messageId: "act-1",
  });
  const decided: OrderEvent = { kind: "hibernating", at: 0, actionId: "act-1" };
  const judge = (
    acknowledged: readonly Beat[],
    deeds: readonly Order[],
    events: readonly OrderEvent[] = [decided],
  ) => judgeOrders({ id: "rig", acknowledged, wokenAt: [] }, deeds, events, rules);

  it("may stop what is silent or idle for long enough", () => {
    expect(judge(beats(3), [order("hibernate", 75 * SECOND)])).toEqual([]);
    expect(judge(beats(5, true), [order("hibernate", 21 * SECOND)])).toEqual([]);
    expect(judge(beats(3), [order("force_hibernate", 135 * SECOND)])).toEqual([]);
    expect(judge(beats(3), [order("snapshot", 160 * SECOND), order("delete", 161 * SECOND)])).toEqual([]);
  });

  it.each([
    ["hibernate", 40, "heard 32 s ago, at work"],
    ["force_hibernate", 75, "heard"],
    ["delete", 75, "heard"],
    ["delete", 200, "no snapshot"],
    ["wake", 200, "did not ask"],
  ])("%s after %i s is wrong", (kind, seconds, reason) => {
    expect(judge(beats(3), [order(kind, seconds * SECOND)])).toEqual([expect.stringContaining(reason)]);
  });

  it("must stand", () => {
    const deed = order("hibernate", 75 * SECOND);
    expect(judge(beats(3), [deed], [])).toEqual([expect.stringContaining("nobody decided")]);
    const cancelled = { kind: "hibernate_cancelled", at: 60 * SECOND, actionId: "act-1" };
    expect(judge(beats(3), [deed], [decided, cancelled])).toEqual([expect.stringContaining("had ended")]);
  });
});

describe("memory", () => {
  const samples = (grown: number) =>
    Array.from({ length: 30 }, (_, index) => ({
      atMs: index * SECOND,
      ageMs: 70 * SECOND,
      bytes: index < 20 ? 100 : 100 * grown,
    }));

  it("may grow by a quarter and no more", () => {
    expect(judgeMemory(samples(1.2), 30 * SECOND)?.isLevel).toBe(true);
    expect(judgeMemory(samples(1.3), 30 * SECOND)?.isLevel).toBe(false);
    expect(judgeMemory([], 30 * SECOND)).toBeNull();
  });
});

describe("the plan", () => {
  const minute = 60 * SECOND;

  it("has every kind of trouble, three kills, an upgrade and a way back in a quarter of an hour", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { windows, interruptions } = drawPlan(12 * minute, new Seeded(seed));
      expect(new Set(windows.map(({ target }) => target)).size).toBe(4);
      expect(interruptions.filter(({ type }) => type === "kill").length).toBeGreaterThanOrEqual(3);
      const releases = interruptions.flatMap((each) => (each.type === "release" ? [each.release] : []));
      expect(releases).toEqual(["current", "former", "current"]);
      expect(Math.max(...windows.map(({ until }) => until))).toBeLessThan(12 * minute);
    }
  });

  it("is the same for the same seed", () => {
    expect(drawPlan(117 * minute, new Seeded(9))).toEqual(drawPlan(117 * minute, new Seeded(9)));
    expect(
      drawPlan(117 * minute, new Seeded(9)).interruptions.filter(({ type }) => type === "kill"),
    ).toHaveLength(11);
  });
});
