import { describe, expect, it } from "vitest";
import { at, Timeline } from "./timeline.ts";

const IDLE = { gpu_utilization: 2 };
const MINUTE = 60_000;

/** Warns as ever, and hibernates late; silence is of no interest. */
const SLOW = { idle: { hibernate_after_seconds: 3600 }, orphan: { enabled: false } };

function silentFor(clock: string, options: ConstructorParameters<typeof Timeline>[0] = {}): Timeline {
  const line = new Timeline(options);
  line.heartbeat();
  return line.until(at(clock));
}

describe("a decision", () => {
  it("names the effects of its own event, and none that waited before", () => {
    const line = new Timeline();
    const { effects } = line.apply({ type: "token.rotated" });
    expect(effects.map(({ effect }) => effect.type)).toEqual(["event"]);
    expect(effects[0]?.effect).toMatchObject({ event: { kind: "token_rotated" } });
    expect(line.apply({ type: "alarm", dueAt: line.now }).effects).toEqual([]);
  });
});

describe("the silence of an instance", () => {
  it("is acted upon at once where the owner has no guard", () => {
    const line = silentFor("30:00", { overrides: { guard: { enabled: false } } });
    expect(line.guardQuestions).toEqual([]);
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("is acted upon when the guard opened before it began, or just then", () => {
    for (const openedAt of [at("0:00") - MINUTE, at("0:00")]) {
      const line = silentFor("30:00");
      line.permit(openedAt);
      expect(line.orders).toEqual(["hibernate"]);
      expect(line.kinds).not.toContain("guard_permitted");
    }
  });

  it("that the guard holds back at its last step is told by that step", () => {
    const line = silentFor("30:00");
    line.permit();
    line.fail();
    line.until(at("2:00:00")).defer();
    expect(line.events.at(-1)).toMatchObject({
      message: "The mass-outage guard holds back: force-hibernate",
      detail: { step: "force_hibernate" },
    });
  });

  it("while it is hibernated for good is told without a time to delete it", () => {
    const line = silentFor("30:00", { overrides: { orphan: { delete_after_days: null } } });
    line.permit();
    line.succeed().until(at("2:00:00"));
    expect(line.events.at(-1)?.message).toBe("No heartbeat for 2 hours. It is hibernated.");
  });

  it("ends with a heartbeat that comes while it is hibernated, and the registry hears of it", () => {
    const line = silentFor("30:00");
    line.permit();
    line.succeed();
    const projections = () => line.effects.filter((effect) => effect.type === "projection").length;
    const before = projections();
    line.until(at("31:00")).heartbeat();
    expect(line.view).toMatchObject({ status: "hibernated", orphaned_since: null });
    expect(projections()).toBe(before + 1);
  });

  it("counts from when the ladder was switched on again, though no step was due", () => {
    const line = silentFor("10:00");
    const on = line.policy;
    const off = new Timeline({ overrides: { orphan: { enabled: false } } }).policy;
    line.policy = off;
    line.command({ type: "policy.changed", former: on });
    line.until(at("15:00"));
    line.policy = on;
    line.command({ type: "policy.changed", former: off });
    line.until(at("44:59.999"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("45:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });
});

describe("an alarm that comes far too late", () => {
  it("means nothing for an instance that was heard meanwhile, or that nobody watches", () => {
    for (const overrides of [{}, { orphan: { enabled: false } }]) {
      const line = silentFor("4:00", { overrides });
      line.heartbeat();
      line.until(at("8:59"));
      line.apply({ type: "alarm", dueAt: at("1:00") });
      expect(line.view.status).toBe("running");
      line.apply({ type: "alarm", dueAt: at("3:58.999") });
      expect(line.view.status).toBe("running");
    }
  });

  it("tells of an instance that did not wake, and lets its ladder begin then", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
    line.command({ type: "wake.requested" });
    // Its provider says that it runs.
    line.succeed();
    line.now = at("3:00:00");
    line.armedAt = null;
    line.apply({ type: "alarm", dueAt: at("15:00") });
    line.drain();
    expect(line.view).toMatchObject({ status: "orphaned", orphaned_since: "2025-12-19T00:15:00Z" });
    line.until(at("3:29:59"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("3:30:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });
});

describe("an idle run", () => {
  it("that ends before its warning, or while its order is under way, is told by no event of its own", () => {
    const young = new Timeline().beatUntil(at("2:00"), IDLE);
    young.heartbeat();
    expect(young.kinds).toEqual(["registered", "first_heartbeat"]);
    const ordered = new Timeline().beatUntil(at("5:00"), IDLE);
    ordered.heartbeat();
    expect(ordered.kinds).not.toContain("busy");
  });

  it("that ends by missing heartbeats, or by a policy without idleness, says so", () => {
    const holes = new Timeline({ overrides: SLOW }).beatUntil(at("4:00"), IDLE);
    holes.until(at("7:00.001")).heartbeat(IDLE);
    expect(holes.events.at(-1)?.message).toBe("No longer idle (heartbeats were missing)");
    const off = new Timeline().beatUntil(at("4:00"), IDLE);
    off.policy = { ...off.policy, idle: { ...off.policy.idle, enabled: false } };
    off.heartbeat(IDLE);
    expect(off.events.at(-1)?.message).toBe("No longer idle (idle policy switched off)");
  });

  it("goes on over a hole of three intervals", () => {
    const line = new Timeline({ overrides: SLOW }).beatUntil(at("2:00"), IDLE);
    line.until(at("5:00")).heartbeat(IDLE);
    expect(line.state.phase).toMatchObject({ idle: { since: at("0:00"), heartbeats: 4 } });
  });

  it("takes nothing from a keep-alive for evidence", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "keep_alive", durationMs: 61 * MINUTE });
    line.until(at("1:00")).beatUntil(at("1:00:00"), { gpu_utilization: 4 });
    line.until(at("1:01:00")).beatUntil(at("1:04:00"), IDLE);
    expect(line.events.find((event) => event.kind === "idle")).toMatchObject({
      at: at("1:04:00"),
      detail: { highest_percent: 2, heartbeats: 3, idle_since: "2025-12-19T01:01:00Z" },
    });
  });

  it("is fresh evidence up to two intervals after its last heartbeat, and with 60 % of them", () => {
    const fresh = new Timeline();
    for (const clock of ["0:00", "0:30", "1:00"]) fresh.until(at(clock)).heartbeat(IDLE);
    fresh.until(at("3:00"));
    expect(fresh.view.health).toBe("idle");

    const dense = new Timeline({
      overrides: { idle: { warn_after_seconds: 300, hibernate_after_seconds: 600 } },
    });
    for (const clock of ["0:00", "2:00", "4:00"]) dense.until(at(clock)).heartbeat(IDLE);
    dense.until(at("5:00"));
    expect(dense.view.health).toBe("idle");
  });

  it("is warned of at its deadline though the alarm is a little late, and when it is told if it is later", () => {
    for (const [clock, warnedAt] of [
      ["3:06", "3:00"],
      ["3:06.001", "3:06.001"],
    ] as const) {
      const line = new Timeline().beatUntil(at("2:30"), IDLE);
      line.now = at(clock);
      line.apply({ type: "alarm", dueAt: at("3:00") });
      line.drain();
      expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at(warnedAt) });
    }
  });

  it("after the grace of a wake is held back by nothing", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
    line.command({ type: "wake.requested" });
    line.until(at("6:00")).heartbeat();
    line.beatUntil(at("14:00")).until(at("15:00")).heartbeat(IDLE);
    expect(line.view.lifecycle).toMatchObject({ next_step: "warn", blocked_by: null });
  });
});

describe("a change of the interval after heartbeats were missed", () => {
  it("counts those once", () => {
    const overrides = { orphan: { enabled: false } };
    const line = new Timeline({ overrides });
    line.heartbeat();
    line.until(at("3:00")).heartbeat();
    line.until(at("10:00"));
    expect(line.view.missed_heartbeats).toBe(8);
    const former = line.policy;
    line.policy = new Timeline({ overrides: { ...overrides, heartbeat_interval_seconds: 300 } }).policy;
    line.command({ type: "policy.changed", former });
    line.until(at("16:29"));
    expect(line.view.missed_heartbeats).toBe(8);
    line.until(at("16:30"));
    expect(line.view.missed_heartbeats).toBe(9);
  });
});

describe("an order of the owner to hibernate an orphan", () => {
  it("goes on when the instance is heard, which is no orphan any more should it fail", () => {
    const line = silentFor("10:00");
    line.command({ type: "hibernate.requested" });
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "hibernating", orphaned_since: null });
    expect(line.kinds.at(-1)).toBe("recovered");
    line.fail();
    expect(line.view.status).toBe("running");
  });
});

describe("a try", () => {
  it("that is refused while nobody called the order off leaves it as it was, and may fail after all", () => {
    const line = silentFor("30:00");
    line.permit();
    const { actionId } = line;
    line.command({ type: "action.tried", actionId });
    line.command({ type: "action.refused", actionId });
    expect(line.actionId).toBe(actionId);
    line.command({ type: "action.tried", actionId });
    line.command({ type: "action.failed", actionId, because: "503" });
    expect(line.view.status).toBe("orphaned");
    expect(line.kinds.at(-1)).toBe("hibernate_failed");
  });

  it("before which the machine was seen for the first time says nothing of its GPUs", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    const sighted = { at: 1, credentialsSetAt: 1, gpus: null };
    line.command({ type: "action.checked", actionId: line.actionId, sighted });
    expect(line.state.sighted).toEqual(sighted);
  });
});

describe("an instance that falls silent before it could be told to hibernate", () => {
  it("was not hibernated, and its owner is told why", () => {
    const line = new Timeline({ provider: "agent" }).beatUntil(at("4:30"), IDLE).until(at("10:00"));
    expect(line.events.find((event) => event.kind === "hibernate_failed")?.message).toBe(
      "Could not hibernate: the instance fell silent before it could be told",
    );
  });
});
