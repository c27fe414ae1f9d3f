import { describe, expect, it } from "vitest";
import { at, Timeline } from "./timeline.ts";

const IDLE = { gpu_utilization: 2 };

function changeTo(
  line: Timeline,
  overrides: NonNullable<ConstructorParameters<typeof Timeline>[0]>["overrides"],
) {
  const former = line.policy;
  line.policy = new Timeline({ overrides }).policy;
  line.command({ type: "policy.changed", former });
}

describe("a change of the heartbeat interval", () => {
  it("counts what was missed so far by the former interval, and goes on by the new one", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } });
    line.heartbeat();
    line.until(at("10:00"));
    expect(line.view.missed_heartbeats).toBe(9);
    changeTo(line, { heartbeat_interval_seconds: 300, orphan: { enabled: false } });
    expect(line.view.missed_heartbeats).toBe(9);
    // The gap goes on where the last missed heartbeat was due, at 9:00.
    line.until(at("16:29"));
    expect(line.view.missed_heartbeats).toBe(9);
    line.until(at("16:30"));
    expect(line.view.missed_heartbeats).toBe(10);
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(10);
  });

  it("to a shorter one never makes of one gap the many that the new interval would have missed", () => {
    const line = new Timeline({
      overrides: { heartbeat_interval_seconds: 3600, orphan: { enabled: false } },
    });
    line.heartbeat();
    line.until(at("2:00:00"));
    expect(line.view.missed_heartbeats).toBe(1);
    changeTo(line, { orphan: { enabled: false } });
    // From 1:00:00 on one is missed each minute.
    expect(line.view.missed_heartbeats).toBe(1 + 59);
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(60);
  });

  it("counts nothing for an instance that was never heard", () => {
    const line = new Timeline();
    line.until(at("10:00"));
    changeTo(line, { heartbeat_interval_seconds: 30 });
    line.until(at("20:00"));
    expect(line.view).toMatchObject({ status: "pending", missed_heartbeats: 0 });
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(0);
  });

  it("to a shorter one expects nothing before the heartbeat that the agent was told to send", () => {
    const line = new Timeline({ overrides: { heartbeat_interval_seconds: 240 } });
    line.heartbeat();
    line.until(at("1:00"));
    changeTo(line, {});
    line.until(at("8:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("9:00"));
    expect(line.view.status).toBe("orphaned");
  });

  it("to a longer one makes nobody an orphan later", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("1:00"));
    changeTo(line, { heartbeat_interval_seconds: 100 });
    line.until(at("4:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("5:00"));
    expect(line.view.status).toBe("orphaned");
  });
});

describe("a change of what idleness is judged by", () => {
  it("from the CPU to the GPU ends the run, and the next begins with the next heartbeat", () => {
    const both = { gpu_utilization: 1, cpu_utilization: 2 };
    const line = new Timeline({ overrides: { idle: { metric: "cpu" } } }).beatUntil(at("2:00"), both);
    expect(line.state.phase).toMatchObject({ idle: { metric: "CPU", since: at("0:00"), highestPercent: 2 } });
    changeTo(line, { idle: { metric: "gpu" } });
    line.until(at("3:00")).beatUntil(at("5:00"), both).until(at("5:59.999"));
    expect(line.kinds).not.toContain("idle");
    line.until(at("6:00"));
    expect(line.events.at(-1)).toMatchObject({
      kind: "idle",
      message: "GPU <5% utilization for 3min. Hibernating in 2min.",
      detail: { metric: "GPU", highest_percent: 1, heartbeats: 3 },
    });
  });

  it("by the instance's own readings, from the CPU to a GPU that it begins to report, is another run", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.beatUntil(at("2:00"), { cpu_utilization: 3 });
    line.until(at("2:30")).beatUntil(at("4:30"), { gpu_utilization: 1, cpu_utilization: 3 });
    expect(line.kinds).not.toContain("idle");
    expect(line.state.phase).toMatchObject({
      idle: { metric: "GPU", since: at("2:30"), highestPercent: 1, heartbeats: 3 },
    });
    line.until(at("5:30"));
    expect(line.kinds).toContain("idle");
  });

  it("that changes nothing of it leaves the run, and its warning, as they are", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    const { phase } = line.state;
    changeTo(line, { keep_alive_minutes: 5 });
    expect(line.state.phase).toEqual(phase);
    line.until(at("4:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("5:00"));
    expect(line.view.status).toBe("hibernating");

    const young = new Timeline().beatUntil(at("2:00"), IDLE);
    const before = young.state.phase;
    changeTo(young, { keep_alive_minutes: 5 });
    expect(young.state.phase).toEqual(before);
  });

  it("tells the owner why a run of which it was warned has ended", () => {
    for (const [overrides, because] of [
      [{ idle: { enabled: false } }, "idle policy switched off"],
      [{ idle: { metric: "auto" } }, "policy changed"],
      [{ heartbeat_interval_seconds: 30 }, "policy changed"],
      [{ idle: { threshold_percent: 2 } }, "GPU was at 2%"],
    ] as const) {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      changeTo(line, overrides);
      expect(line.events.slice(-2)).toMatchObject([
        { kind: "busy", message: `No longer idle (${because})`, severity: "info" },
        { kind: "policy_changed", message: "Policy changed", severity: "info" },
      ]);
    }
  });
});

describe("a change of the ladder's times", () => {
  const hibernatedOrphan = () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    return line.until(at("3:00:00"));
  };
  const DAY = 24 * 60 * 60_000;

  it("that leaves a delete in the future moves it by nothing but the change", () => {
    const line = hibernatedOrphan();
    changeTo(line, { orphan: { delete_after_days: 3 } });
    const due = at("5:00") + 3 * DAY;
    line.until(due - 1).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(due).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  it("that leaves a delete overdue that was due before, does not put it off", () => {
    const line = hibernatedOrphan();
    line.until(at("5:00") + 8 * DAY);
    changeTo(line, { orphan: { delete_after_days: 6 } });
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  it("that makes a delete due which was not lets it count from the change", () => {
    const line = hibernatedOrphan();
    line.until(at("5:00") + 6 * DAY);
    changeTo(line, { orphan: { delete_after_days: 2 } });
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("5:00") + 8 * DAY - 1).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("5:00") + 8 * DAY).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  it("that switches the ladder off stops an orphan's, and on again begins it anew", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("10:00"));
    changeTo(line, { orphan: { enabled: false } });
    line.until(at("10:00:00"));
    expect(line.guardQuestions).toEqual([]);
    expect(line.view.lifecycle).toMatchObject({ blocked_by: "policy_disabled" });
    changeTo(line, {});
    line.until(at("10:29:59"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("10:30:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });

  it("leaves the ladder of an orphan that it would not have moved as it is", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("10:00"));
    changeTo(line, { orphan: { hibernate_after_seconds: 1200 } });
    line.until(at("19:59.999"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("20:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });
});
