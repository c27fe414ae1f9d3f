import { describe, expect, test } from "vitest";
import { decide } from "../../../src/lifecycle/decide.ts";
import { breachesOf } from "../../../src/lifecycle/invariants.ts";
import type { PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/lifecycle/model/time.ts";
import { plannedStop } from "../../../src/lifecycle/rules/planned-stop.ts";
import { at, Timeline } from "../timeline.ts";

/** The tests' clock starts on a Friday, at midnight UTC. */
const FRIDAY_HOUR: PolicyOverrides = {
  schedule: { awake: [{ days: ["fri"], from: "00:00", to: "01:00" }], outside: "hibernate" },
};

const of = (line: Timeline, kind: string) => line.events.filter((event) => event.kind === kind);

describe("at the end of its awake hours", () => {
  test("an instance is hibernated though it works, and its owner is warned a quarter of an hour before", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("1:02:00"));
    expect(of(line, "stop_planned")).toMatchObject([
      {
        at: at("45:00"),
        severity: "warning",
        message: expect.stringContaining(
          "Hibernating in 15min, whatever it does: the awake hours of its schedule end.",
        ),
        detail: { rule: "schedule", step_at: "2025-12-19T01:00:00Z", timezone: "UTC" },
      },
    ]);
    expect(of(line, "hibernating")).toMatchObject([
      { at: at("1:00:00"), message: "Hibernating: the awake hours of its schedule end" },
    ]);
    line.succeed();
    expect(line.state.phase).toMatchObject({ status: "hibernated", reason: "owner", because: "schedule" });
    expect(of(line, "hibernated")).toMatchObject([
      { message: "Instance hibernated by its schedule", detail: { reason: "owner", because: "schedule" } },
    ]);
    expect(line.until(at("20:00:00")).orders).toEqual(["hibernate"]);
  });

  test("its answers count down from the warning on", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("44:00"));
    expect(line.heartbeat().actions).toEqual([]);
    line.until(at("50:00"));
    expect(line.heartbeat()).toMatchObject({
      message: "Hibernation is planned",
      actions: [{ type: "hibernate_warning", countdown_seconds: 600 }],
    });
  });

  test("nothing is stopped by the clocks of a zone that nobody knows", () => {
    const schedule = { ...FRIDAY_HOUR.schedule, timezone: "Mars/Olympus_Mons" };
    const line = new Timeline({ overrides: { schedule } }).beatUntil(at("2:00:00"));
    expect(line.kinds).not.toContain("stop_planned");
    expect(line.orders).toEqual([]);
  });

  test("it is explained what comes", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("10:00"));
    expect(line.view.lifecycle).toMatchObject({
      next_step: "hibernate",
      at: "2025-12-19T01:00:00Z",
      because:
        "Heartbeats arrive; GPU at 87%. Whatever it does, it is hibernated when the awake hours of its schedule end",
      blocked_by: null,
    });
  });

  test("a silent one is told to stop where its provider reaches it, and an agent's once it is heard", () => {
    const called = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("50:00")).until(at("1:00:00"));
    expect(called.orders).toEqual(["hibernate"]);
    const own = new Timeline({ overrides: FRIDAY_HOUR, provider: "agent" }).beatUntil(at("50:00"));
    expect(own.until(at("1:30:00")).kinds).not.toContain("hibernating");
  });

  test("a keep-alive holds it back, with a warning of its own", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("50:00"));
    line.command({ type: "keep_alive", durationMs: 30 * MINUTE_MS });
    expect(line.heartbeat().actions).toEqual([]);
    expect(line.view.lifecycle).toMatchObject({ at: "2025-12-19T01:20:00Z", blocked_by: "keep_alive" });
    line.beatUntil(at("1:19:00"));
    expect(line.orders).toEqual([]);
    expect(of(line, "stop_planned").map((event) => event.at)).toEqual([at("45:00"), at("1:05:00")]);
    expect(line.beatUntil(at("1:20:00")).orders).toEqual(["hibernate"]);
  });

  test("a keep-alive that lasts into other awake hours leaves it to their end", () => {
    const awake = [
      { days: ["fri" as const], from: "00:00", to: "01:00" },
      { days: ["fri" as const], from: "02:00", to: "03:00" },
    ];
    const line = new Timeline({ overrides: { schedule: { awake, outside: "hibernate" } } });
    line.beatUntil(at("50:00")).command({ type: "keep_alive", durationMs: 100 * MINUTE_MS });
    line.beatUntil(at("2:59:00"));
    expect(line.orders).toEqual([]);
    expect(line.beatUntil(at("3:00:00")).orders).toEqual(["hibernate"]);
  });

  test.each([
    { hooks: ["prepare" as const], told: "preparation_cancelled" },
    { hooks: [], told: "hibernate_cancelled" },
  ])("what nobody has carried out when awake hours begin is called off: $told", ({ hooks, told }) => {
    const awake = [
      { days: ["fri" as const], from: "00:00", to: "00:30" },
      { days: ["fri" as const], from: "00:35", to: "02:00" },
    ];
    const line = new Timeline({ overrides: { schedule: { awake, outside: "hibernate" } } });
    line.beatUntil(at("34:00"), { gpu_utilization: 90, hooks });
    expect(line.kinds).not.toContain(told);
    line.beatUntil(at("1:59:00"), { gpu_utilization: 90, hooks });
    expect(of(line, told)).toMatchObject([{ at: at("35:00") }]);
    expect(line.state.phase.status).toBe("running");
    expect(line.orders).toEqual(hooks.length > 0 ? [] : ["hibernate"]);
  });

  test("one that is kept alive, woken or first heard after it is left alone until the next end", () => {
    const awake = [
      { days: ["fri" as const], from: "00:00", to: "00:30" },
      { days: ["fri" as const], from: "02:00", to: "02:20" },
    ];
    const overrides: PolicyOverrides = { schedule: { awake, outside: "hibernate" } };
    const heard = new Timeline({ overrides }).until(at("31:00")).beatUntil(at("2:19:00"));
    expect(heard.orders).toEqual([]);
    expect(heard.beatUntil(at("2:20:00")).orders).toEqual(["hibernate"]);

    const kept = new Timeline({ overrides }).beatUntil(at("30:00"));
    kept.command({ type: "keep_alive", durationMs: MINUTE_MS });
    expect(kept.kinds).toContain("hibernate_cancelled");
    expect(kept.beatUntil(at("2:19:00")).orders).toEqual(["hibernate"]);

    const woken = new Timeline({ overrides }).beatUntil(at("30:00")).succeed();
    woken.until(at("50:00")).command({ type: "wake.requested" });
    woken.succeed().beatUntil(at("2:19:00"));
    expect(woken.orders).toEqual(["hibernate", "wake"]);
    expect(woken.beatUntil(at("2:20:00")).orders).toEqual(["hibernate", "wake", "hibernate"]);
  });

  test("an order that fails is tried again later and later, told once, until awake hours begin", () => {
    const awake = [
      { days: ["fri" as const], from: "00:00", to: "01:00" },
      { days: ["fri" as const], from: "02:00", to: "23:00" },
    ];
    const line = new Timeline({ overrides: { schedule: { awake, outside: "hibernate" } } });
    line.beatUntil(at("1:00:00"));
    const triedAt: number[] = [];
    for (let minute = 60; minute < 240; minute++) {
      line.until(minute * MINUTE_MS + at("0:00")).heartbeat();
      if (line.state.phase.status !== "hibernating") continue;
      triedAt.push(minute);
      line.fail();
    }
    expect(triedAt).toEqual([60, 65, 75, 95]);
    expect(of(line, "hibernate_failed").map(({ detail }) => detail.repeated)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(of(line, "stop_planned")).toHaveLength(1);
  });

  test.each(["none", "lambda"] as const)("at %s its owner is told once that nobody does it", (provider) => {
    const line = new Timeline({ overrides: FRIDAY_HOUR, provider }).beatUntil(at("8:00:00"));
    expect(of(line, "would_hibernate")).toMatchObject([{ at: at("1:00:00"), detail: { rule: "schedule" } }]);
    expect(line.kinds).not.toContain("stop_planned");
    expect(line.orders).toEqual([]);
  });

  test("a policy that observes tells once what it would do, and counts nothing down", () => {
    const line = new Timeline({ overrides: { ...FRIDAY_HOUR, mode: "observe" } }).beatUntil(at("50:00"));
    expect(line.heartbeat().actions).toEqual([]);
    line.beatUntil(at("8:00:00"));
    expect(of(line, "would_hibernate")).toMatchObject([{ at: at("1:00:00"), detail: { mode: "observe" } }]);
    expect(line.kinds).not.toContain("stop_planned");
    expect(line.orders).toEqual([]);
  });

  test("a policy that acts again does nothing about an end that it has observed", () => {
    const line = new Timeline({ overrides: { ...FRIDAY_HOUR, mode: "observe" } }).beatUntil(at("1:10:00"));
    expect(line.changePolicy(FRIDAY_HOUR).beatUntil(at("9:00:00")).orders).toEqual([]);
  });

  test("a suspended user's is left alone, also after that", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("50:00"));
    const former = line.policy;
    line.policy = { ...former, suspended: true };
    line.command({ type: "policy.changed", former });
    expect(line.beatUntil(at("1:10:00")).orders).toEqual([]);
    line.policy = former;
    line.command({ type: "policy.changed", former: { ...former, suspended: true } });
    expect(line.beatUntil(at("9:00:00")).orders).toEqual([]);
  });
});

describe("a change of policy", () => {
  test("does nothing about an end that lies before it", () => {
    const line = new Timeline().beatUntil(at("1:05:00"));
    expect(line.changePolicy(FRIDAY_HOUR).beatUntil(at("20:00:00")).orders).toEqual([]);
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", at: "2025-12-26T01:00:00Z" });
  });

  test("of something else changes nothing about the stop that is planned", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("50:00"));
    line.changePolicy({ ...FRIDAY_HOUR, keep_alive_minutes: 5 });
    expect(line.beatUntil(at("1:00:00")).orders).toEqual(["hibernate"]);
    expect(of(line, "stop_planned")).toHaveLength(1);
  });

  test("warns anew before an end that it moves, and calls off an order that it would not give", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("1:00:00"));
    expect(line.state.phase.status).toBe("hibernating");
    const later: PolicyOverrides = {
      schedule: { awake: [{ days: ["fri"], from: "00:00", to: "01:30" }], outside: "hibernate" },
    };
    line.changePolicy(later);
    expect(line.state.phase.status).toBe("running");
    line.beatUntil(at("1:30:00"));
    expect(of(line, "stop_planned").map((event) => event.at)).toEqual([at("45:00"), at("1:15:00")]);
    expect(line.state.phase.status).toBe("hibernating");
  });

  test("leaves an order that it would still give", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("1:00:00"));
    line.changePolicy({ schedule: { ...FRIDAY_HOUR.schedule, wake_at_start: true } });
    expect(line.state.phase.status).toBe("hibernating");
    line.fail();
    expect(of(line, "hibernate_failed")).toMatchObject([{ detail: { failures: 1 } }]);
  });

  test("gives the full warning before a longest time that is over already", () => {
    const line = new Timeline().beatUntil(at("10:00:00")).changePolicy({ max_runtime_hours: 2 });
    expect(of(line, "stop_planned")).toMatchObject([{ at: at("10:00:00") }]);
    expect(line.beatUntil(at("10:14:00")).orders).toEqual([]);
    expect(line.beatUntil(at("10:15:00")).orders).toEqual(["hibernate"]);
  });
});

describe("an alarm that comes late", () => {
  const lateBy = (ms: number) => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("40:00"));
    line.now = at("1:00:00") + ms;
    line.armedAt = null;
    line.apply({ type: "alarm", dueAt: at("45:00") });
    line.drain();
    return line;
  };

  test("by an hour still has the full warning before the stop", () => {
    const line = lateBy(HOUR_MS).beatUntil(at("2:14:00"));
    expect(of(line, "stop_planned").map((event) => event.at)).toEqual([at("2:00:00")]);
    expect(line.orders).toEqual([]);
    expect(line.beatUntil(at("2:15:00")).orders).toEqual(["hibernate"]);
  });

  test("by more than two hours leaves it to the next end", () => {
    const line = lateBy(2 * HOUR_MS + 1).beatUntil(at("12:00:00"));
    expect(line.kinds).not.toContain("stop_planned");
    expect(line.orders).toEqual([]);
  });
});

describe("after the longest time that it may run", () => {
  test("an instance is hibernated, counted from when it was first heard", () => {
    const line = new Timeline({ overrides: { max_runtime_hours: 2 } }).until(at("30:00"));
    line.beatUntil(at("2:29:00"));
    expect(of(line, "stop_planned")).toMatchObject([
      { at: at("2:15:00"), detail: { rule: "max_runtime_hours", running_since: "2025-12-19T00:30:00Z" } },
    ]);
    expect(line.orders).toEqual([]);
    line.beatUntil(at("2:30:00"));
    expect(of(line, "hibernating")).toMatchObject([
      { message: "Hibernating: it has run for 2h (max_runtime_hours)" },
    ]);
    line.succeed();
    expect(line.state.phase).toMatchObject({ reason: "owner", because: "max_runtime" });
    expect(line.state.runningSince).toBeUndefined();
  });

  test("counts anew once it is woken", () => {
    const line = new Timeline({ overrides: { max_runtime_hours: 2 } }).beatUntil(at("2:00:00")).succeed();
    line.until(at("5:00:00")).command({ type: "wake.requested" });
    line.succeed().beatUntil(at("6:59:00"));
    expect(line.orders).toEqual(["hibernate", "wake"]);
    expect(line.beatUntil(at("7:00:00")).orders).toEqual(["hibernate", "wake", "hibernate"]);
  });

  test("a keep-alive holds it back", () => {
    const line = new Timeline({ overrides: { max_runtime_hours: 2 } }).beatUntil(at("1:50:00"));
    line.command({ type: "keep_alive", durationMs: HOUR_MS });
    expect(line.beatUntil(at("2:49:00")).orders).toEqual([]);
    expect(line.beatUntil(at("2:50:00")).orders).toEqual(["hibernate"]);
  });

  test("counts from the next heartbeat where a former release has not noted it", () => {
    const line = new Timeline({ overrides: { max_runtime_hours: 2 } }).beatUntil(at("1:00:00"));
    line.state = { ...line.state, runningSince: undefined };
    line.until(at("1:01:00")).heartbeat();
    expect(line.state.runningSince).toBe(at("1:01:00"));
  });

  test("comes before the end of the awake hours where that is later", () => {
    const line = new Timeline({ overrides: { ...FRIDAY_HOUR, max_runtime_hours: 0.5 } }).beatUntil(
      at("5:00"),
    );
    expect(plannedStop(line.state, line.policy, line.now)).toMatchObject({
      because: "max_runtime",
      at: at("30:00"),
    });
  });
});

describe("two planned stops", () => {
  test("come each by itself, and neither forgets that it was warned of", () => {
    const overrides: PolicyOverrides = { ...FRIDAY_HOUR, max_runtime_hours: 0.8 };
    const line = new Timeline({ overrides }).beatUntil(at("48:00"));
    expect(line.state.phase).toMatchObject({ status: "hibernating", because: "max_runtime" });
    for (let minute = 48; minute < 180; minute++) {
      line.until(at(`${minute}:00`)).heartbeat();
      if (line.state.phase.status === "hibernating") line.fail();
    }
    expect(of(line, "stop_planned").map(({ detail }) => detail.because)).toEqual(["max_runtime", "schedule"]);
    expect(of(line, "hibernating").map(({ detail }) => detail.because)).toEqual(
      expect.arrayContaining(["max_runtime", "schedule"]),
    );
  });
});

describe("invariants", () => {
  test("a planned stop under a keep-alive, or without a warning, is withheld", () => {
    const line = new Timeline({ overrides: FRIDAY_HOUR }).beatUntil(at("59:00"));
    const { state } = decide(line.state, { type: "alarm", dueAt: at("1:00:00") }, line.policy, at("1:00:00"));
    expect(breachesOf(line.state, state, at("1:00:00"))).toEqual([]);
    const kept = { ...state, clock: { ...state.clock, keepAliveUntil: at("2:00:00") } };
    expect(breachesOf(line.state, kept, at("1:00:00"))).toContain("planned_stop_while_kept_alive");
    const unwarned = { ...state, plannedStops: undefined };
    expect(breachesOf(line.state, unwarned, at("1:00:00"))).toContain("planned_stop_unwarned");
  });
});
