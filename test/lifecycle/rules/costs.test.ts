import { describe, expect, it } from "vitest";
import { decide } from "../../../src/lifecycle/decide.ts";
import { emptyCounters } from "../../../src/lifecycle/model/counters.ts";
import { idle } from "../statuses.ts";
import { at, START, Timeline } from "../timeline.ts";

/** Costs of one instance. Unless it says otherwise, it costs $0.40 an hour awake, and $0.01 hibernated. */

const HOUR = 3_600_000;

/** One that is registered when it first reports. */
function registeredAt(
  clock: string,
  hourlyCost: number | null = 0.4,
  provider: "none" | "webhook" = "none",
): Timeline {
  return new Timeline({ provider, profile: { registeredAt: at(clock), hourlyCost } });
}

function reporting(line: Timeline, clock: string, accumulated: number | null, uptimeSeconds?: number) {
  line.until(at(clock));
  line.heartbeat({ gpu_utilization: 87, cost_accumulated: accumulated, uptime_seconds: uptimeSeconds });
  return line.view.cost_today;
}

describe("a machine that reports nothing", () => {
  it("costs its registered price, whatever it does while it is awake", () => {
    const line = new Timeline().beatUntil(at("2:00:00"));
    expect(line.view).toMatchObject({
      cost_today: 0.8,
      cost_source: "computed",
      rate: 0.4,
      rate_source: "registered",
      wasted_today: 0,
      cost_total: 0.8,
    });
  });

  it("goes on costing while it is silent, and that is wasted from the moment at which it is an orphan", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } }).beatUntil(at("1:00:00"));
    const silent = new Timeline({ provider: "agent" }).beatUntil(at("1:00:00"));
    for (const one of [line, silent]) one.until(at("2:10:00"));
    expect(line.view).toMatchObject({ cost_today: 0.8667, wasted_today: 0 });
    // Silent for 70 minutes, of which the first five are the time in which nobody knows.
    expect(silent.view).toMatchObject({ status: "orphaned", cost_today: 0.8667, wasted_today: 0.4333 });
  });

  it("wastes what it costs from the warning of its idleness on", () => {
    const line = new Timeline({ provider: "none" }).beatUntil(at("1:00:00"), { gpu_utilization: 1 });
    expect(line.view).toMatchObject({ cost_today: 0.4, wasted_today: 0.38 });
  });

  it("wastes what it costs once its owner was told that it was never heard", () => {
    const line = new Timeline().until(at("1:30:00"));
    expect(line.view).toMatchObject({ status: "pending", cost_today: 0.6, wasted_today: 0.4 });
  });

  it("costs what a hibernated one does while it is hibernated, which saves the rest", () => {
    const line = new Timeline().beatUntil(at("5:00"), { gpu_utilization: 1 }).succeed().until(at("10:05:00"));
    expect(line.view).toMatchObject({
      status: "hibernated",
      cost_today: 0.1333,
      rate: 0.01,
      running_cost: 0.4,
    });
  });

  it("costs an unknown amount where no price is known, and says so", () => {
    const line = new Timeline({ profile: { hourlyCost: null } }).beatUntil(at("1:00:00"));
    expect(line.view).toMatchObject({
      cost_today: 0,
      cost_source: "unknown",
      rate: null,
      rate_source: "unknown",
    });
  });

  it("costs its former price up to a change of it", () => {
    const line = new Timeline().beatUntil(at("1:00:00"));
    line.command({ type: "changed", changes: { hourlyCost: 4 }, sighted: null });
    line.beatUntil(at("2:00:00"));
    expect(line.view).toMatchObject({ cost_today: 4.4, rate: 4 });
  });

  it("is not counted by a price that no machine has, whoever says it", () => {
    for (const hourlyCost of [1e308, Number.POSITIVE_INFINITY, Number.NaN, -1]) {
      const line = idle();
      const sighted = { at: line.now, credentialsSetAt: 1, gpus: null };
      line.command({ type: "machine.listed", shown: null, stoppedUntil: null, hourlyCost, sighted });
      const { actionId } = line;
      line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "vast", hourlyCost });
      line.until(line.now + 240 * HOUR).command({ type: "token.rotated" });
      expect([line.state.listedHourlyCost, line.state.stoppedHourlyCost]).toEqual([undefined, undefined]);
      expect(JSON.parse(JSON.stringify(line.state.ledger))).toEqual(line.state.ledger);
    }
  });

  it("costs nothing any more once it is deleted", () => {
    const line = new Timeline().until(at("8:00:00"));
    line.command({ type: "token.rotated" });
    const deleted = { ...line.state, phase: { status: "deleted", at: line.now } } as const;
    line.state = decide(deleted, { type: "token.rotated" }, line.policy, line.now).state;
    line.until(at("20:00:00"));
    expect(line.view).toMatchObject({ cost_today: 3.2, rate: 0, rate_source: "none" });
  });
});

describe("a machine that reports its costs", () => {
  it("costs what it reports, by the growth since its last report", () => {
    const line = registeredAt("5:00:00");
    expect(reporting(line, "5:00:00", 2.4, 7200)).toBe(2.4);
    expect(line.view).toMatchObject({ cost_source: "reported" });
    expect(reporting(line, "5:01:00", 2.5)).toBe(2.5);
    line.until(at("5:01:59"));
    expect(line.view.cost_today).toBe(2.5);
  });

  it("counts from zero after a reset", () => {
    const line = registeredAt("5:00:00");
    reporting(line, "5:00:00", 2.4, 7200);
    expect(reporting(line, "5:01:00", 0.1, 30)).toBeCloseTo(2.5 + 0.4 / 120, 4);
  });

  it("counts from zero after a restart, though its count has overtaken the former one", () => {
    const line = registeredAt("1:00:00", 0.4, "webhook");
    reporting(line, "1:00:00", 0, 0);
    reporting(line, "2:00:00", 0.4, 3600);
    line.command({ type: "hibernate.requested" });
    line.succeed();
    // Started by hand at four o'clock, and not heard before seven.
    expect(reporting(line, "7:00:00", 1.2, 3 * 3600)).toBeCloseTo(0.4 + 0.05 + 1.2, 4);
    expect(reporting(line, "8:00:00", 1.6, 4 * 3600)).toBeCloseTo(0.4 + 0.05 + 1.6, 4);
  });

  it("counts what a machine has cost that was started by hand, and taken for hibernated", () => {
    const line = registeredAt("1:00:00", 0.4, "webhook");
    reporting(line, "2:00:00", 0.4, 3600);
    line.command({ type: "hibernate.requested" });
    line.succeed();
    line.until(at("4:00:00"));
    // Started half an hour ago.
    expect(reporting(line, "4:00:00", 0.2, 1800)).toBeCloseTo(0.4 + 0.02 + 0.2, 4);
  });

  it("goes on where it survives a restart", () => {
    const line = registeredAt("1:00:00");
    reporting(line, "1:00:00", 0, 0);
    reporting(line, "2:00:00", 0.4, 3600);
    expect(reporting(line, "3:00:00", 0.8, 3000)).toBe(0.8);
    reporting(line, "20:00:00", 7.6, 60_000);
    expect(reporting(line, "21:00:00", 8, 3000)).toBe(8);
  });

  it("gives today of a first report what its uptime lies in today, and all of it without an uptime", () => {
    const forty = 40 * 3600;
    for (const registered of ["0:00", "9:59:00", "10:00:00"]) {
      expect(reporting(registeredAt(registered), "10:00:00", 96, forty)).toBe(24);
      expect(reporting(registeredAt(registered), "10:00:00", 96)).toBe(96);
    }
  });

  it("shares out by time what grew over midnight", () => {
    const line = registeredAt("22:00:00");
    reporting(line, "23:00:00", 10, 3600);
    expect(reporting(line, "25:00:00", 12, 3 * 3600)).toBe(1);
    expect(line.view.cost_total).toBe(12);
  });

  it("goes on costing while it is silent, by its price, until a report says better", () => {
    const line = registeredAt("1:00:00");
    reporting(line, "1:00:00", 1, 3600);
    line.until(at("3:00:00"));
    expect(line.view).toMatchObject({ cost_today: 1.8, cost_source: "mixed" });
    expect(reporting(line, "3:00:00", 1.5, 3 * 3600)).toBe(1.5);
    // Of its growth of $0.50 in two hours, all but the first five minutes were wasted.
    expect(line.view.wasted_today).toBe(0.4792);
  });

  it("is not believed in what no machine can cost: its price counts, and what it says next is held against what it said before", () => {
    const line = registeredAt("8:00:00");
    expect(reporting(line, "8:10:00", 1, 600)).toBe(1);
    expect(reporting(line, "8:11:00", 1e9, 660)).toBe(1);
    expect(line.view.rate).toBe(0.4);
    expect(reporting(line, "8:12:00", 1.5, 720)).toBe(1.5);
    expect(reporting(line, "8:13:00", 10_001.5, 780)).toBe(10_001.5);
  });

  it("teaches what it costs an hour, where nobody named its price", () => {
    const line = registeredAt("2:00:00", null);
    reporting(line, "2:00:00", 2.4, 7200);
    expect(line.view).toMatchObject({ rate: 1.2, rate_source: "learnt", running_cost: 1.2 });
    line.until(at("3:10:00"));
    // Silent for seventy minutes.
    expect(line.view).toMatchObject({ status: "orphaned", cost_today: 3.8, cost_source: "mixed" });
  });

  it("teaches nothing by a first report without an uptime: nobody knows what time that covers", () => {
    const line = registeredAt("0:00", null);
    expect(reporting(line, "10:00", 96)).toBe(96);
    expect(line.view).toMatchObject({ rate: null, rate_source: "unknown" });
    expect(reporting(line, "40:00", 96.2)).toBe(96.2);
    expect(line.view).toMatchObject({ rate: 0.4, rate_source: "learnt" });
  });

  it("counts no time twice whose price was known before it began to report", () => {
    const line = new Timeline().beatUntil(at("2:00:00"));
    expect(reporting(line, "2:00:00", 0.9, 2 * 3600)).toBe(0.9);
    const late = new Timeline().beatUntil(START + 60 * HOUR);
    // The first day has waited too long for a report, and keeps its price: of $2 an hour, 36 hours are added.
    expect(reporting(late, "60:00:00", 120, 60 * 3600)).toBe(24);
    expect(late.view.cost_total).toBe(9.6 + 72);
  });
});

describe("a state of the former release", () => {
  it("goes on from what that has counted of today", () => {
    const line = registeredAt("5:00:00");
    reporting(line, "5:00:00", 2.4, 7200);
    const cost = { accumulated: 2.4, day: "2025-12-19", today: 2.4 };
    line.state = { ...line.state, ledger: undefined, counters: { ...emptyCounters(), cost } };
    expect(line.view.cost_today).toBe(2.4);
    expect(reporting(line, "5:01:00", 2.5, 7260)).toBe(2.5);
  });
});

it("puts down no time of a clock that was set back", () => {
  const line = new Timeline().beatUntil(at("1:00:00"));
  line.now = at("30:00");
  line.heartbeat();
  expect(line.view.cost_total).toBe(0.4);
});

it("changes nothing for time alone", () => {
  const line = new Timeline().beatUntil(at("10:00"));
  const later = decide(line.state, { type: "alarm", dueAt: line.now }, line.policy, line.now + 1000);
  expect(later.state).toBe(line.state);
});

describe("what its provider says that a stopped machine costs", () => {
  const stoppedAt = (hourlyCost: number): Timeline => {
    const line = new Timeline({ profile: { hibernatedHourlyCost: null } });
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    const { actionId } = line;
    line.command({
      type: "action.succeeded",
      actionId,
      snapshotId: null,
      confirmedBy: "webhook",
      hourlyCost,
    });
    return line;
  };

  it.each([-0.01, 1e7, 1e308, Number.NaN, Number.POSITIVE_INFINITY])(
    "counts as not said where it is no price: %d",
    (hourlyCost) => {
      const line = stoppedAt(hourlyCost);
      line.until(START + 60 * 24 * 60 * 60_000);
      line.heartbeat();
      expect(line.state.stoppedHourlyCost).toBeUndefined();
      expect(JSON.stringify(line.state.ledger)).not.toContain('"dollars":null');
    },
  );

  it("counts as said where it is one", () => {
    expect(stoppedAt(0).state.stoppedHourlyCost).toBe(0);
    expect(stoppedAt(0.02).state.stoppedHourlyCost).toBe(0.02);
  });
});
