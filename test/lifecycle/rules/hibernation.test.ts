import { describe, expect, it } from "vitest";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

/** An instance that hibernates itself, five idle minutes on: the order waits for its next heartbeat. */
function idleAgent(): Timeline {
  return new Timeline({ provider: "agent" }).beatUntil(at("4:30"), IDLE).until(at("5:00"));
}

describe("an order that travels in the answer to a heartbeat", () => {
  it("is told by the next answer, and obeyed once the instance's last word is followed by silence", () => {
    const line = idleAgent();
    expect(line.view.status).toBe("hibernating");
    expect(line.orders).toEqual([]);
    line.until(at("5:10"));
    expect(line.heartbeat(IDLE).actions).toEqual([
      { type: "hibernating", message: "Hibernation is under way" },
      { type: "hibernate", message: "Hibernate now", action_id: line.actionId },
    ]);
    line.until(at("5:20"));
    line.heartbeat({ gpu_utilization: 0, status: "hibernating" });
    expect(line.view.status).toBe("hibernating");
    line.until(at("7:20"));
    expect(line.view).toMatchObject({ status: "hibernated", hibernated_since: "2025-12-19T00:07:20Z" });
    expect(line.events.at(-1)).toMatchObject({
      message: "Instance hibernated due to low usage",
      detail: { confirmed_by: "silence after the order" },
    });
    line.until(at("1:00:00"));
    expect(line.armedAt).toBeNull();
  });

  it("is told by the answer to the very heartbeat that decides it", () => {
    const line = new Timeline({ provider: "agent" }).beatUntil(at("4:00"), IDLE);
    line.now = at("5:00.050");
    expect(line.heartbeat(IDLE).actions.map((action) => action.type)).toEqual(["hibernating", "hibernate"]);
  });

  it("counts two intervals of silence after it was told as obedience, and no less", () => {
    const line = idleAgent();
    line.until(at("5:10"));
    line.heartbeat(IDLE);
    line.until(at("7:09.999"));
    expect(line.view.status).toBe("hibernating");
    line.until(at("7:10"));
    expect(line.view).toMatchObject({ status: "hibernated", hibernated_since: "2025-12-19T00:07:10Z" });
  });

  it("has failed when the instance beats on for two minutes", () => {
    const line = idleAgent();
    line.until(at("5:10")).beatUntil(at("7:09"), IDLE);
    expect(line.view.status).toBe("hibernating");
    line.until(at("7:10"));
    line.heartbeat(IDLE);
    expect(line.view).toMatchObject({ status: "running", health: "idle" });
    expect(line.events.at(-1)).toMatchObject({
      kind: "hibernate_failed",
      severity: "critical",
      message: "Could not hibernate: the instance beats on after it was told",
    });
  });

  it("is called off by a busy heartbeat, or a keep-alive, that comes before it was told", () => {
    const busy = idleAgent();
    expect(busy.heartbeat({ gpu_utilization: 60 })).toMatchObject({
      message: "Heartbeat received",
      actions: [],
    });
    expect(busy.view.status).toBe("running");
    expect(busy.kinds.at(-1)).toBe("hibernate_cancelled");

    const kept = idleAgent();
    expect(kept.command({ type: "keep_alive", durationMs: 3_600_000 })).toBeNull();
    expect(kept.view.status).toBe("running");

    const told = idleAgent();
    told.heartbeat(IDLE);
    expect(told.command({ type: "keep_alive", durationMs: 3_600_000 })).toMatchObject({
      code: "hibernating",
    });
  });

  it("has failed when the instance falls silent before it could be told", () => {
    const line = idleAgent();
    line.until(at("10:00"));
    expect(line.events.map((event) => event.kind).slice(-2)).toEqual(["hibernate_failed", "orphaned"]);
    expect(line.view).toMatchObject({ status: "orphaned", orphaned_since: "2025-12-19T00:09:00Z" });
  });

  it("takes no absence of the service for obedience", () => {
    const line = idleAgent();
    line.heartbeat(IDLE);
    line.now = at("3:00:00");
    line.armedAt = null;
    line.apply({ type: "alarm", dueAt: at("7:00") });
    expect(line.view.status).toBe("hibernating");
    line.until(at("3:02:00"));
    expect(line.view.status).toBe("hibernated");
  });
});

describe("a hibernated instance", () => {
  function hibernated(): Timeline {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.succeed();
    return line;
  }

  it("counts a late heartbeat without being woken by it, up to two minutes", () => {
    const line = hibernated();
    line.until(at("7:00"));
    expect(line.heartbeat(IDLE).actions).toEqual([
      { type: "hibernating", message: "The instance counts as hibernated" },
    ]);
    expect(line.view).toMatchObject({ status: "hibernated", total_heartbeats: 7 });
    line.until(at("7:00.001"));
    line.heartbeat(IDLE);
    expect(line.view).toMatchObject({ status: "running", total_heartbeats: 8 });
    expect(line.kinds.at(-1)).toBe("woken");
  });

  it("refuses a keep-alive and a second hibernation with the reason", () => {
    const line = hibernated();
    expect(line.command({ type: "keep_alive", durationMs: 1 })).toEqual({
      code: "hibernated",
      message: "The instance is hibernated: wake it first",
    });
    expect(line.command({ type: "hibernate.requested" })).toMatchObject({ code: "hibernated" });
  });

  it("wakes by its provider, with ten minutes in which no step fires", () => {
    const line = hibernated();
    line.until(at("1:00:00"));
    expect(line.command({ type: "wake.requested" })).toBeNull();
    expect(line.view.status).toBe("waking");
    expect(line.orders).toEqual(["hibernate", "wake"]);
    line.succeed();
    line.until(at("1:09:59.999"));
    expect(line.view.status).toBe("waking");
    line.until(at("1:10:00"));
    expect(line.view).toMatchObject({ status: "orphaned", orphaned_since: "2025-12-19T01:10:00Z" });
  });

  it("runs again at its first heartbeat after a wake, and idles only when the grace is over", () => {
    const line = hibernated();
    line.until(at("1:00:00")).command({ type: "wake.requested" });
    line.until(at("1:01:00")).beatUntil(at("1:09:59"), IDLE);
    expect(line.view).toMatchObject({ status: "running", health: "healthy" });
    expect(line.view.lifecycle).toMatchObject({ next_step: "warn", blocked_by: "wake_grace" });
    line.until(at("1:10:00"));
    expect(line.view.health).toBe("idle");
  });

  it("returns to hibernation when the wake fails, with a critical alert", () => {
    const line = hibernated();
    line.command({ type: "wake.requested" });
    line.fail("no capacity");
    expect(line.view.status).toBe("hibernated");
    expect(line.events.at(-1)).toMatchObject({
      severity: "critical",
      message: "Could not wake: no capacity. Wake it again later, or start it where it is rented",
    });
  });

  it("can't be woken by a provider that can't", () => {
    const line = idleAgent();
    line.heartbeat({ status: "hibernating" });
    line.until(at("10:00"));
    expect(line.command({ type: "wake.requested" })).toMatchObject({ code: "no_provider" });
  });
});

describe("an order to hibernate", () => {
  it("that fails returns the instance to what its heartbeats say, and is tried again by the ladder", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.fail("unauthorised");
    expect(line.view).toMatchObject({ status: "running", health: "idle" });
    line.until(at("6:00")).beatUntil(at("9:59"), IDLE);
    expect(line.orders).toEqual(["hibernate"]);
    line.until(at("10:00"));
    expect(line.orders).toEqual(["hibernate", "hibernate"]);
  });

  it("is answered once: a second or a foreign answer changes nothing", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    const { actionId } = line;
    line.command({
      type: "action.succeeded",
      actionId: "hibernate-other",
      snapshotId: null,
      confirmedBy: "webhook",
    });
    expect(line.view.status).toBe("hibernating");
    line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "webhook" });
    const { state } = line;
    line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "webhook" });
    line.command({ type: "action.failed", actionId, because: "late" });
    expect(line.state).toEqual(state);
  });

  it("of the owner is refused where nobody can carry it out", () => {
    const none = new Timeline({ provider: "none" });
    none.heartbeat();
    expect(none.command({ type: "hibernate.requested" })).toMatchObject({ code: "no_provider" });
    const silent = new Timeline({ provider: "agent" });
    silent.heartbeat();
    silent.until(at("6:00"));
    expect(silent.command({ type: "hibernate.requested" })).toMatchObject({ code: "no_provider" });
    const agent = new Timeline({ provider: "agent" });
    agent.heartbeat();
    expect(agent.command({ type: "hibernate.requested" })).toBeNull();
    expect(agent.view.status).toBe("hibernating");
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
