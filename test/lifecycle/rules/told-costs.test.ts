import { describe, expect, it } from "vitest";
import { at, START, Timeline } from "../timeline.ts";

/** When an instance tells its fleet anew what it costs, by the effects that its outbox has seen. */

const DAY = 24 * 3_600_000;

const told = (line: Timeline) => line.effects.filter(({ type }) => type === "projection").length;

function running(hourlyCost: number | null = 0.4): Timeline {
  return new Timeline({ provider: "none", profile: { hourlyCost, registeredAt: at("17:00") } }).until(
    at("17:00"),
  );
}

describe("an instance that beats steadily", () => {
  it("tells its fleet once a day what it costs, within an hour after midnight", () => {
    const line = running().beatUntil(START + DAY - 60_000);
    const before = told(line);
    line.beatUntil(START + DAY + 16 * 60_000);
    expect(told(line)).toBe(before);
    line.beatUntil(START + DAY + 17 * 60_000);
    expect(told(line)).toBe(before + 1);
    line.beatUntil(START + 2 * DAY);
    expect(told(line)).toBe(before + 1);
    line.beatUntil(START + 3 * DAY);
    expect(told(line)).toBe(before + 2);
  });

  it("tells it within an hour of a start by a release that remembers nothing of this", () => {
    const line = running().beatUntil(at("3:00:00"));
    const before = told(line);
    line.state = { ...line.state, toldCosts: undefined };
    line.beatUntil(at("4:00:00"));
    expect(told(line)).toBe(before + 1);
    line.beatUntil(at("9:00:00"));
    expect(told(line)).toBe(before + 1);
  });

  it("tells it at once when its price becomes known, and every hour at most while its reports say otherwise", () => {
    const line = running(null);
    let accumulated = 0;
    const report = (moment: string, hourly: number) => {
      while (line.now < at(moment)) {
        line.until(line.now + 60_000);
        accumulated += hourly / 60;
        line.heartbeat({ gpu_utilization: 87, cost_accumulated: accumulated, uptime_seconds: 60 });
      }
    };
    report("18:00", 1.2);
    const first = told(line);
    report("23:00", 1.2);
    expect(told(line)).toBe(first + 1);
    const learnt = told(line);
    report("2:17:00", 1.2);
    expect(told(line)).toBe(learnt);
    report("3:10:00", 12);
    expect(told(line)).toBe(learnt);
    report("3:18:00", 12);
    expect(told(line)).toBe(learnt + 1);
    report("9:18:00", 12);
    expect(told(line)).toBeLessThanOrEqual(learnt + 7);
  });

  it("tells nothing more for a silence, which goes on costing as it was told", () => {
    const line = new Timeline({ provider: "none" }).beatUntil(at("1:00:00"));
    line.until(at("1:10:00"));
    const before = told(line);
    line.until(START + 2 * DAY);
    expect(told(line)).toBe(before);
  });
});
