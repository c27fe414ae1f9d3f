import { describe, expect, test } from "vitest";
import type { HibernationRound } from "../../../src/lifecycle/model/instance-event.ts";
import type { PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { HOUR_MS } from "../../../src/lifecycle/model/time.ts";
import { DAYS } from "../../../src/lifecycle/model/windows.ts";
import { at, START, Timeline } from "../timeline.ts";

/** The tests' clock starts on a Friday, at midnight UTC. */
const IDLE = { gpu_utilization: 2 };
const FRIDAY_HOUR: PolicyOverrides = {
  schedule: { awake: [{ days: ["fri"], from: "00:00", to: "01:00" }] },
};
const of = (line: Timeline, kind: string) => line.events.filter((event) => event.kind === kind);

describe("in the awake hours of its schedule", () => {
  test("nothing idles away, and idleness counts from their end", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("59:00"), IDLE);
    expect(line.kinds).toEqual(["registered", "first_heartbeat"]);
    expect(line.view).toMatchObject({ status: "running", health: "healthy" });
    expect(line.view.lifecycle).toMatchObject({
      next_step: "warn",
      at: "2025-12-19T01:03:00Z",
      because: "GPU under 5%; the idle clock starts at 2025-12-19T01:00:00Z",
      blocked_by: "schedule",
    });
    line.beatUntil(at("1:05:00"), IDLE);
    expect(of(line, "idle")).toMatchObject([
      {
        at: at("1:03:00"),
        message: expect.stringContaining("GPU <5% utilization for 3min"),
        detail: { idle_since: "2025-12-19T01:00:00Z" },
      },
    ]);
    expect(of(line, "hibernating").map((event) => event.at)).toEqual([at("1:05:00")]);
  });

  test("heartbeats of theirs are no evidence of what comes after them", () => {
    const idle = { warn_after_seconds: 900, hibernate_after_seconds: 1800 };
    const line = new Timeline({ overrides: { ...FRIDAY_HOUR, idle } }).beatUntil(at("59:00"), IDLE);
    // Two of three are lost from then on.
    for (let minute = 62; minute < 180; minute += 3) {
      line.until(at(`${minute}:00`)).heartbeat(IDLE);
    }
    expect(line.orders).toEqual([]);
  });

  test("a warning from before them counts no more", () => {
    const awake = [{ days: ["fri" as const], from: "00:04", to: "01:00" }];
    const line = new Timeline({ overrides: { schedule: { awake } } }).beatUntil(at("3:00"), IDLE);
    expect(line.kinds).toContain("idle");
    line.beatUntil(at("59:00"), IDLE);
    expect(of(line, "busy")).toMatchObject([{ message: "No longer idle (awake hours of its schedule)" }]);
    line.beatUntil(at("1:05:00"), IDLE);
    expect(of(line, "idle").map((event) => event.at)).toEqual([at("3:00"), at("1:03:00")]);
    expect(of(line, "hibernating").map((event) => event.at)).toEqual([at("1:05:00")]);
  });

  test("that never end nothing ever idles away", () => {
    const awake = [{ days: [...DAYS], from: "00:00", to: "00:00" }];
    const line = new Timeline({ overrides: { schedule: { awake } } }).beatUntil(at("30:00"), IDLE);
    expect(line.view.lifecycle).toMatchObject({ next_step: null, at: null, blocked_by: "schedule" });
    expect(line.armedAt).not.toBe(Number.POSITIVE_INFINITY);
    expect(line.beatUntil(at("8:00:00"), IDLE).kinds).not.toContain("idle");
  });

  test("a change of policy that brings them ends an idle run, and calls off its order", () => {
    const warned = new Timeline().beatUntil(at("4:00"), IDLE).changePolicy(FRIDAY_HOUR);
    expect(warned.kinds).toContain("busy");
    const ordered = new Timeline().beatUntil(at("5:00"), IDLE).changePolicy(FRIDAY_HOUR);
    expect(ordered.state.phase.status).toBe("running");
    expect(ordered.kinds).toContain("hibernate_cancelled");
  });

  test("silence is acted upon as ever", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("1:00")).until(at("10:00"));
    expect(line.view.status).toBe("orphaned");
  });
});

const NIGHT: PolicyOverrides = {
  schedule: {
    awake: [
      { days: ["fri"], from: "00:00", to: "01:00" },
      { days: ["fri"], from: "06:00", to: "07:00" },
      { days: ["fri"], from: "12:00", to: "13:00" },
    ],
    outside: "hibernate",
    wake_at_start: true,
  },
};

/** Hibernated at one o'clock by its schedule. */
const asleep = (overrides = NIGHT) => new Timeline({ overrides }).beatUntil(at("1:00:00")).succeed();

describe("at the beginning of its awake hours", () => {
  test("what its schedule has hibernated is woken", () => {
    const line = asleep();
    expect(line.view.lifecycle).toMatchObject({
      next_step: "wake",
      at: "2025-12-19T06:00:00Z",
      because: "Hibernated since 2025-12-19T01:00:00Z; the awake hours of its schedule begin then",
      blocked_by: null,
    });
    expect(line.until(at("5:59:59")).orders).toEqual(["hibernate"]);
    line.until(at("6:00:00"));
    expect(line.orders).toEqual(["hibernate", "wake"]);
    expect(of(line, "waking")).toMatchObject([
      {
        message: "Waking: the awake hours of its schedule begin",
        detail: { rule: "schedule", reason: "owner", because: "schedule", began_at: "2025-12-19T06:00:00Z" },
      },
    ]);
    line.succeed().beatUntil(at("7:00:00"));
    expect(line.orders).toEqual(["hibernate", "wake", "hibernate"]);
  });

  test("a sleeper waits for nothing else", () => {
    const line = asleep();
    line.armedAt = null;
    line.apply({ type: "alarm", dueAt: line.now });
    expect(line.armedAt).toBe(at("6:00:00"));
  });

  test("what idleness has hibernated is woken", () => {
    const overrides: PolicyOverrides = { schedule: { ...NIGHT.schedule, outside: "idle_rules" } };
    const line = new Timeline({ overrides }).beatUntil(at("1:05:00"), IDLE).succeed();
    expect(line.state.phase).toMatchObject({ status: "hibernated", reason: "idle" });
    expect(line.until(at("6:00:00")).orders).toEqual(["hibernate", "wake"]);
  });

  test("what its owner has hibernated is not", () => {
    const line = new Timeline({ overrides: NIGHT }).beatUntil(at("30:00"));
    line.command({ type: "hibernate.requested" });
    expect(line.succeed().until(at("20:00:00")).orders).toEqual(["hibernate"]);
    expect(line.view.lifecycle.next_step).toBeNull();
  });

  test.each(["budget", "kill_switch"] as const)("what a %s has hibernated is not, idle or not", (by) => {
    for (const onlyIdle of [true, false]) {
      const overrides: PolicyOverrides = { schedule: { ...NIGHT.schedule, outside: "idle_rules" } };
      const line = new Timeline({ overrides }).beatUntil(at("1:04:00"), IDLE);
      const round: HibernationRound = { by, askedAt: line.now, onlyIdle, status: null, keepAliveUpTo: 0 };
      expect(line.command({ type: "hibernate.requested", round })).toBeNull();
      expect(line.succeed().until(at("20:00:00")).orders).toEqual(["hibernate"]);
    }
  });

  test("what silence, its own longest time, or nobody here has hibernated is not", () => {
    const silent = new Timeline({ overrides: { schedule: { ...NIGHT.schedule, outside: "idle_rules" } } });
    silent.beatUntil(at("10:00")).until(at("45:00")).permit();
    expect(silent.succeed().until(at("20:00:00")).orders).toEqual(["hibernate"]);
    const long = new Timeline({ overrides: { ...NIGHT, max_runtime_hours: 0.5 } }).beatUntil(at("30:00"));
    expect(long.succeed().until(at("20:00:00")).orders).toEqual(["hibernate"]);
  });

  test("a wake that fails is told, and tried again at the next beginning only", () => {
    const line = asleep().until(at("6:00:00"));
    line.fail("no capacity");
    expect(of(line, "wake_failed")).toHaveLength(1);
    expect(line.until(at("11:59:00")).orders).toEqual(["hibernate", "wake"]);
    expect(line.until(at("12:00:00")).orders).toEqual(["hibernate", "wake", "wake"]);
  });

  test("an alarm that comes within two hours wakes it, and a later one leaves it to the next beginning", () => {
    const lateBy = (ms: number) => {
      const line = asleep({
        schedule: {
          ...NIGHT.schedule,
          awake: [
            ...(NIGHT.schedule?.awake ?? []).slice(0, 1),
            { days: ["fri"], from: "06:00", to: "20:00" },
          ],
        },
      });
      line.now = at("6:00:00") + ms;
      line.armedAt = null;
      line.apply({ type: "alarm", dueAt: at("6:00:00") });
      line.drain();
      return line.orders;
    };
    expect(lateBy(2 * HOUR_MS)).toEqual(["hibernate", "wake"]);
    expect(lateBy(2 * HOUR_MS + 1)).toEqual(["hibernate"]);
  });

  test("a change of policy within them wakes nothing", () => {
    const line = asleep({ schedule: { ...NIGHT.schedule, wake_at_start: false } }).until(at("6:10:00"));
    expect(line.changePolicy(NIGHT).until(at("11:59:00")).orders).toEqual(["hibernate"]);
    expect(line.until(at("12:00:00")).orders).toEqual(["hibernate", "wake"]);
  });

  test("a policy that observes tells once what it would do", () => {
    const observing: PolicyOverrides = { ...NIGHT, mode: "observe" };
    const line = asleep().changePolicy(observing).until(at("6:30:00"));
    expect(of(line, "would_wake")).toMatchObject([
      { at: at("6:00:00"), detail: { rule: "schedule", mode: "observe" } },
    ]);
    expect(line.until(at("11:00:00")).orders).toEqual(["hibernate"]);
    expect(line.view.lifecycle).toMatchObject({ next_step: "wake", blocked_by: "observe" });
    expect(of(line.until(at("13:00:00")), "would_wake")).toHaveLength(2);
  });

  test("a suspended user's sleeps on", () => {
    const line = asleep();
    line.policy = { ...line.policy, suspended: true };
    expect(line.until(START + 20 * HOUR_MS).orders).toEqual(["hibernate"]);
  });

  test("an agent's own machine is woken by nobody, and nobody is told so every day", () => {
    const line = new Timeline({ overrides: NIGHT, provider: "agent" }).beatUntil(at("1:00:00"));
    line.until(at("1:10:00"));
    expect(line.view).toMatchObject({ status: "hibernated", lifecycle: { next_step: null } });
    const told = line.kinds.length;
    expect(line.until(at("20:00:00")).kinds).toHaveLength(told);
  });

  test("one whose stop is confirmed within them is woken then", () => {
    const awake = [
      { days: ["fri" as const], from: "00:00", to: "01:00" },
      { days: ["fri" as const], from: "01:01", to: "02:00" },
    ];
    const line = new Timeline({ overrides: { schedule: { ...NIGHT.schedule, awake } } });
    line.beatUntil(at("1:00:00")).until(at("1:01:30")).succeed();
    expect(line.until(at("1:01:31")).orders).toEqual(["hibernate", "wake"]);
  });
});
