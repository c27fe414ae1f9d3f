import { describe, expect, it } from "vitest";
import { uptimePercent } from "../../../src/lifecycle/model/counters.ts";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { at, Timeline } from "../timeline.ts";

describe("the counters", () => {
  it("give 99.8 % of uptime for 542 heartbeats received and 1 missed", () => {
    expect(uptimePercent(542, 1)).toBe(99.8);
    const line = new Timeline();
    for (let beat = 0; beat < 543; beat++) {
      line.until(at("0:00") + beat * 60_000);
      if (beat !== 100) line.heartbeat({ gpu_utilization: beat % 2 === 0 ? 82 : 83 });
    }
    expect(line.view).toMatchObject({
      total_heartbeats: 542,
      missed_heartbeats: 1,
      uptime_percent: 99.8,
      avg_gpu_utilization: 82.5,
      first_heartbeat: "2025-12-19T00:00:00Z",
    });
    expect(line.view.recent_heartbeats[0]?.timestamp).toBe("2025-12-19T09:02:00Z");
  });

  it("count misses while the instance is silent, and no more when it returns", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("1:29"));
    expect(line.view.missed_heartbeats).toBe(0);
    line.until(at("1:30"));
    expect(line.view.missed_heartbeats).toBe(1);
    line.until(at("10:00"));
    expect(line.view.missed_heartbeats).toBe(9);
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(9);
  });

  it("count no misses while hibernated or kept alive, and never fall", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("4:00"));
    expect(line.view.missed_heartbeats).toBe(3);
    line.command({ type: "keep_alive", durationMs: 3_600_000 });
    line.until(at("1:04:00"));
    expect(line.view.missed_heartbeats).toBe(3);
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    line.succeed();
    line.until(at("9:00:00"));
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(3);
  });
});

describe("before the first heartbeat", () => {
  it("nothing is known, and nothing is zero that is not", () => {
    expect(uptimePercent(0, 0)).toBeNull();
    expect(uptimePercent(0, 3)).toBe(0);
    expect(uptimePercent(2, 1)).toBe(66.7);
    expect(uptimePercent(3, 3)).toBe(50);
    expect(new Timeline().view).toMatchObject({
      total_heartbeats: 0,
      first_heartbeat: null,
      last_heartbeat: null,
      seconds_since_heartbeat: null,
      uptime_percent: null,
      missed_heartbeats: 0,
      avg_gpu_utilization: null,
      cost_accumulated: null,
      cost_today: 0,
      gpu_utilization: null,
      gpu_trend: [],
      health: "inactive",
    });
  });

  it("and without a GPU the average is not known, while those that do report one make it", () => {
    const line = new Timeline();
    line.heartbeat({ cpu_utilization: 50 });
    expect(line.view.avg_gpu_utilization).toBeNull();
    line.heartbeat({ gpu_utilization: 10 });
    line.heartbeat({ gpu_utilization: 20.5 });
    expect(line.view).toMatchObject({ avg_gpu_utilization: 15.3, total_heartbeats: 3 });
  });
});

describe("the savings", () => {
  it("are the hours of confirmed hibernation times the difference of the costs", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    line.until(at("1:00:00"));
    expect(savingsView(line.state, line.now)).toMatchObject({ saved_total: 0, hibernated_seconds_total: 0 });
    line.succeed();
    line.until(at("11:00:00"));
    expect(savingsView(line.state, line.now)).toEqual({
      saved_this_month: 3.9,
      saved_total: 3.9,
      hibernated_seconds_this_month: 36_000,
      hibernated_seconds_total: 36_000,
    });
    line.command({ type: "changed", changes: { hourlyCost: 1.01 }, sighted: null });
    line.until(at("12:00:00"));
    expect(savingsView(line.state, line.now).saved_total).toBe(4.9);
    line.heartbeat();
    line.until(at("20:00:00"));
    expect(savingsView(line.state, line.now).saved_total).toBe(4.9);
  });

  it("know the month they belong to", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    line.succeed();
    // From 2025-12-19 to 2026-01-02.
    line.until(at("0:00") + 14 * 86_400_000);
    expect(savingsView(line.state, line.now)).toMatchObject({
      hibernated_seconds_total: 14 * 86_400,
      hibernated_seconds_this_month: 86_400,
    });
  });

  it("begin each month anew, in seconds and in dollars, and forget nothing of the total", () => {
    const line = new Timeline();
    const hibernate = (hours: number) => {
      line.heartbeat();
      line.command({ type: "hibernate.requested" });
      line.succeed();
      line.until(line.now + hours * 3_600_000);
      line.heartbeat();
      expect(line.view.status).toBe("running");
    };
    hibernate(10);
    hibernate(10);
    expect(savingsView(line.state, line.now)).toEqual({
      saved_this_month: 7.8,
      saved_total: 7.8,
      hibernated_seconds_this_month: 72_000,
      hibernated_seconds_total: 72_000,
    });
    line.until(Date.UTC(2026, 0, 2));
    expect(savingsView(line.state, line.now)).toMatchObject({ saved_this_month: 0, saved_total: 7.8 });
    hibernate(1);
    expect(savingsView(line.state, line.now)).toEqual({
      saved_this_month: 0.39,
      saved_total: 8.19,
      hibernated_seconds_this_month: 3600,
      hibernated_seconds_total: 75_600,
    });
    // The same month of another year is another month.
    line.until(Date.UTC(2027, 0, 2));
    expect(savingsView(line.state, line.now).hibernated_seconds_this_month).toBe(0);
  });

  it("are never below zero, and count a machine that costs nothing asleep in full", () => {
    for (const [profile, saved] of [
      [{ hourlyCost: 0.1, hibernatedHourlyCost: 0.3 }, 0],
      [{ hourlyCost: 0.5, hibernatedHourlyCost: null }, 0.5],
    ] as const) {
      const line = new Timeline({ profile });
      line.heartbeat();
      line.command({ type: "hibernate.requested" });
      line.succeed();
      line.until(at("1:00:00"));
      expect(savingsView(line.state, line.now)).toMatchObject({
        saved_total: saved,
        saved_this_month: saved,
      });
    }
  });

  it("claim nothing for an instance whose cost is not known", () => {
    const line = new Timeline({ profile: { hourlyCost: null } });
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    line.succeed();
    line.until(at("1:00:00"));
    expect(savingsView(line.state, line.now)).toMatchObject({
      saved_total: 0,
      hibernated_seconds_total: 3600,
    });
  });
});
