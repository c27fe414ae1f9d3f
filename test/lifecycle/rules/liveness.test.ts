import { describe, expect, it } from "vitest";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

const MINUTE = 60_000;

function silentFor(clock: string, options: ConstructorParameters<typeof Timeline>[0] = {}): Timeline {
  const line = new Timeline(options);
  line.heartbeat();
  return line.until(at(clock));
}

describe("the liveness ladder", () => {
  it("makes an orphan at 5:00 of silence and not at 4:59", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("4:59.999"));
    expect(line.view).toMatchObject({ status: "running", health: "late" });
    line.until(at("5:00"));
    expect(line.view).toMatchObject({
      status: "orphaned",
      health: "unhealthy",
      orphaned_since: "2025-12-19T00:05:00Z",
      gpu_utilization: null,
    });
    expect(line.events.at(-1)).toMatchObject({
      kind: "orphaned",
      severity: "warning",
      message: "Instance Rig may be stuck: no heartbeat for 5 minutes",
    });
  });

  it("takes the deadline for the time of the step though the alarm comes late", () => {
    const line = new Timeline();
    line.heartbeat();
    line.now = at("5:42");
    line.apply({ type: "alarm", dueAt: at("5:00") });
    expect(line.view.orphaned_since).toBe("2025-12-19T00:05:00Z");
  });

  it("hibernates at 30 min, not before, once the guard permits", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("29:59.999"));
    expect(line.guardQuestions).toEqual([]);
    expect(line.kinds).not.toContain("silent");
    line.until(at("30:00"));
    expect(line.events.at(-1)).toMatchObject({
      kind: "silent",
      message: "No heartbeat for 30 minutes. Hibernating it.",
    });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    expect(line.orders).toEqual([]);
    line.permit();
    line.permit();
    expect(line.orders).toEqual(["hibernate"]);
    expect(line.view.status).toBe("hibernating");
  });

  it("force-hibernates at 2 h, not before, when the first attempt failed", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    line.permit();
    line.fail("no such host");
    expect(line.view.status).toBe("orphaned");
    expect(line.events.at(-1)).toMatchObject({ kind: "hibernate_failed", severity: "critical" });
    line.until(at("1:59:59.999"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("2:00:00"));
    expect(line.events.at(-1)).toMatchObject({
      kind: "abandoned",
      severity: "critical",
      message: "No heartbeat for 2 hours. Force-hibernating it.",
    });
    line.permit();
    expect(line.orders).toEqual(["hibernate", "force_hibernate"]);
  });

  it("skips the force at 2 h when the first succeeded, and says that it is hibernated and when it will be deleted", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    line.permit();
    line.succeed();
    expect(line.view).toMatchObject({
      status: "hibernated",
      orphaned_since: "2025-12-19T00:05:00Z",
    });
    line.until(at("3:00:00"));
    expect(line.orders).toEqual(["hibernate"]);
    expect(line.events.at(-1)?.message).toBe(
      "No heartbeat for 2 hours. It is hibernated, and will be deleted after 2025-12-26T00:05:00Z.",
    );
    expect(line.events.at(-1)).toMatchObject({ kind: "abandoned", severity: "warning", at: at("2:00:00") });
    expect(line.armedAt).toBeNull();
  });

  it("stays an orphan whose alerts say that nobody can act, for the kinds agent and none", () => {
    for (const provider of ["agent", "none"] as const) {
      const line = new Timeline({ provider });
      line.heartbeat();
      line.until(at("70:30"));
      expect(line.view).toMatchObject({
        status: "orphaned",
        seconds_since_heartbeat: 4230,
        health: "unhealthy",
        alert: "No heartbeat for 70 minutes. May be stuck.",
      });
      expect(line.view.lifecycle).toMatchObject({ next_step: "force_hibernate", blocked_by: "no_provider" });
      line.until(at("3:00:00"));
      expect(line.kinds).toEqual(["registered", "first_heartbeat", "orphaned", "silent", "abandoned"]);
      expect(line.events.map((event) => event.message).slice(-2)).toEqual([
        `No heartbeat for 30 minutes. No provider can act on a silent instance (provider: ${provider}).`,
        `No heartbeat for 2 hours. No provider can act on a silent instance (provider: ${provider}).`,
      ]);
      expect(line.orders).toEqual([]);
      expect(line.guardQuestions).toEqual([]);
    }
  });

  it("recovers at a heartbeat, and tells it", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("12:00"));
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "running", health: "healthy", orphaned_since: null });
    expect(line.events.at(-1)).toMatchObject({
      kind: "recovered",
      message: "Recovered: heartbeat received after 7 minutes as an orphan",
    });
  });

  it("is moved by a keep-alive: both clocks start when it ends", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("6:00"));
    line.command({ type: "keep_alive", durationMs: 60 * 60_000 });
    expect(line.view).toMatchObject({ status: "running", health: "healthy", orphaned_since: null });
    expect(line.view.lifecycle).toMatchObject({ next_step: "orphan", blocked_by: "keep_alive" });
    line.until(at("1:10:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("1:11:00"));
    expect(line.view).toMatchObject({ status: "orphaned", orphaned_since: "2025-12-19T01:11:00Z" });
    line.until(at("1:35:59.999"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("1:36:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("3:06:00"));
    expect(line.kinds.at(-1)).toBe("abandoned");
  });

  it("waits while the guard holds, asks again every 5 min, and counts silence anew when it opens", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    line.defer();
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", blocked_by: "guard" });
    line.until(at("35:00"));
    expect(line.guardQuestions).toEqual(["hibernate", "hibernate"]);
    line.defer();
    line.until(at("40:00"));
    line.permit();
    expect(line.orders).toEqual([]);
    expect(line.kinds.at(-1)).toBe("guard_permitted");
    line.until(at("1:09:59.999"));
    expect(line.guardQuestions).toHaveLength(3);
    line.until(at("1:10:00"));
    expect(line.guardQuestions).toHaveLength(4);
    line.permit();
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("lets an absence of the service itself move nobody along", () => {
    const line = new Timeline();
    line.heartbeat();
    // The service was away from 1:00 to two hours later: its alarm of 5:00 comes then.
    line.now = at("2:01:00");
    line.armedAt = null;
    line.apply({ type: "alarm", dueAt: at("5:00") });
    line.drain();
    expect(line.view).toMatchObject({ status: "orphaned", orphaned_since: "2025-12-19T00:05:00Z" });
    expect(line.guardQuestions).toEqual([]);
    line.until(at("2:30:59.999"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("2:31:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });

  it("deletes only by the daily clean-up, after 7 days, snapshot first, and a heartbeat calls it off", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    line.permit();
    line.succeed();
    const due = at("5:00") + 7 * 86_400_000;
    line.until(due - 1).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(due).command({ type: "cleanup" });
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
    line.permit();
    expect(line.view.status).toBe("deleting");
    expect(line.effects.findLast((effect) => effect.type === "action")).toMatchObject({
      order: { kind: "delete", snapshotFirst: true },
    });

    const beaten = new Timeline();
    Object.assign(beaten, { state: line.state, now: line.now });
    beaten.heartbeat();
    expect(beaten.view).toMatchObject({ status: "running", orphaned_since: null });

    line.succeed("snap-1");
    expect(line.view.status).toBe("deleted");
    expect(line.events.at(-1)?.message).toBe(
      "Instance auto-deleted after 7 days orphaned. Snapshot saved: snap-1",
    );
  });

  it("never deletes what it could not, nor what was hibernated for idleness", () => {
    const failed = new Timeline();
    failed.heartbeat();
    failed.until(at("30:00"));
    failed.permit();
    failed.succeed();
    failed.until(at("5:00") + 8 * 86_400_000).command({ type: "cleanup" });
    failed.permit();
    failed.fail("snapshot failed");
    expect(failed.view).toMatchObject({ status: "hibernated", orphaned_since: "2025-12-19T00:05:00Z" });
    expect(failed.events.at(-1)).toMatchObject({ kind: "delete_failed", severity: "critical" });

    const idle = new Timeline();
    idle.beatUntil(at("5:00"), { gpu_utilization: 1 });
    idle.succeed();
    idle.until(at("5:00") + 30 * 86_400_000).command({ type: "cleanup" });
    expect(idle.view.status).toBe("hibernated");
    expect(idle.guardQuestions).toEqual([]);
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
      message: "Held back until a mass outage can be ruled out: force-hibernate",
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
