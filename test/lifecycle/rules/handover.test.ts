import { describe, expect, it } from "vitest";
import { isNotice } from "../../../src/lifecycle/model/history-event.ts";
import { at, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

/** Silent for half an hour, and let go by the guard: a hibernation is ordered. */
function silent(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  expect(line.view.status).toBe("hibernating");
  return line;
}

/** Hibernated for silence, seven days an orphan, and let go by the guard: a delete is ordered. */
function expired(): Timeline {
  const line = silent();
  line.command({
    type: "action.succeeded",
    actionId: line.actionId,
    snapshotId: null,
    confirmedBy: "webhook",
  });
  line.until(at("5:00") + 7 * DAY);
  line.command({ type: "cleanup" });
  line.permit();
  expect(line.view.status).toBe("deleting");
  return line;
}

const ORDERS: readonly (readonly [string, () => Timeline])[] = [
  ["hibernation for silence", silent],
  ["delete", expired],
];

describe.each(ORDERS)("a %s", (_, ordered) => {
  it("whose try the provider refused is called off by the next heartbeat, and by a keep-alive", () => {
    for (const sign of ["heartbeat", "keep-alive"] as const) {
      const line = ordered();
      const { actionId } = line;
      line.command({ type: "action.tried", actionId });
      line.command({ type: "action.refused", actionId });
      if (sign === "heartbeat") line.heartbeat();
      else expect(line.command({ type: "keep_alive", durationMs: 60_000 })).toBeNull();
      expect(line.view.orphaned_since).toBeNull();
      expect(["running", "hibernated"]).toContain(line.view.status);
      const before = line.state;
      line.command({ type: "action.tried", actionId });
      expect(line.state).toEqual(before);
    }
  });

  it("is called off by a sign of life during a try, as soon as that try has failed", () => {
    for (const end of ["action.refused", "action.tried", "action.failed"] as const) {
      const line = ordered();
      const { actionId } = line;
      line.command({ type: "action.tried", actionId });
      line.heartbeat();
      expect(line.actionId).toBe(actionId);
      line.command(
        end === "action.failed" ? { type: end, actionId, because: "503" } : { type: end, actionId },
      );
      expect(line.actionId).toBe("none");
      expect(line.view.orphaned_since).toBeNull();
      expect(line.kinds).not.toContain("hibernate_failed");
      expect(line.kinds).not.toContain("delete_failed");
    }
  });

  it("that was accepted while a sign of life came goes on, and its owner is told critically", () => {
    const line = ordered();
    const { actionId } = line;
    line.command({ type: "action.tried", actionId });
    line.heartbeat();
    line.command({ type: "action.accepted", actionId });
    line.command({ type: "action.accepted", actionId });
    expect(line.actionId).toBe(actionId);
    expect(line.events.filter((event) => event.kind === "accepted_too_late")).toMatchObject([
      { severity: "critical" },
    ]);
  });

  it("that fails after such a sign of life leaves no orphan behind", () => {
    for (const sign of ["heartbeat", "keep_alive"] as const) {
      const line = ordered();
      const { actionId } = line;
      line.command({ type: "action.tried", actionId });
      if (sign === "heartbeat") line.heartbeat();
      else line.command({ type: "keep_alive", durationMs: 60 * 60_000 });
      line.command({ type: "action.accepted", actionId });
      line.command({ type: "action.failed", actionId, because: "refused" });
      expect(line.view).toMatchObject({ orphaned_since: null });
      expect(line.kinds).toContain("recovered");
    }
  });

  it("whose carrier is never heard of again ends by its deadline, with a critical alert", () => {
    const line = ordered();
    const before = line.now;
    line.until(before + DAY);
    expect(["hibernating", "deleting"]).not.toContain(line.view.status);
    expect(line.events.find((event) => event.at > before && event.severity === "critical")?.message).toMatch(
      /nobody told how the order ended/,
    );
  });

  it("holds the machine for which it was decided, which cannot change meanwhile", () => {
    const line = ordered();
    expect(line.effects.findLast((effect) => effect.type === "action")).toMatchObject({
      order: { machine: { provider: "webhook", providerRef: null } },
    });
    for (const changes of [{ providerRef: "other" }, { provider: "none" as const }]) {
      expect(line.command({ type: "changed", changes, sighted: null })).toMatchObject({ code: "busy" });
    }
    expect(line.command({ type: "changed", changes: { name: "Rig 2" }, sighted: null })).toBeNull();
  });
});

describe("a wake", () => {
  it("whose carrier is never heard of again fails by its deadline", () => {
    const line = silent();
    line.command({
      type: "action.succeeded",
      actionId: line.actionId,
      snapshotId: null,
      confirmedBy: "webhook",
    });
    // Nobody watches for silence here, so nothing else ends the wake.
    line.policy = { ...line.policy, orphan: { ...line.policy.orphan, enabled: false } };
    line.command({ type: "wake.requested" });
    line.until(line.now + DAY);
    expect(line.view.status).toBe("hibernated");
    expect(line.kinds.at(-1)).toBe("wake_failed");
  });

  it.each(["action.accepted", "action.refused", "action.tried", "action.failed"] as const)(
    "that is on its way when the instance is heard ends with that try (%s), and nothing is ordered before",
    (end) => {
      const line = silent();
      line.command({
        type: "action.succeeded",
        actionId: line.actionId,
        snapshotId: null,
        confirmedBy: "webhook",
      });
      line.command({ type: "wake.requested" });
      const { actionId } = line;
      line.command({ type: "action.tried", actionId });
      line.heartbeat();
      expect(line.command({ type: "hibernate.requested" })).toMatchObject({ code: "busy" });
      line.command(
        end === "action.failed" ? { type: end, actionId, because: "503" } : { type: end, actionId },
      );
      expect(line.view.status).toBe("running");
      expect(line.events.filter(({ severity }) => severity === "critical")).toEqual([]);
      expect(line.kinds.filter((kind) => kind === "woken")).toHaveLength(1);
      expect(line.command({ type: "hibernate.requested" })).toBeNull();
    },
  );
});

describe("a delete that finds the machine running though it was hibernated", () => {
  it("is none: nothing more is done before the first heartbeat, and its owner is told critically", () => {
    const line = expired();
    line.command({ type: "action.found_running", actionId: line.actionId });
    expect(line.view).toMatchObject({
      status: "pending",
      orphaned_since: null,
      lifecycle: {
        next_step: null,
        because:
          "Not heard since its machine was started or changed: nothing happens before its next heartbeat",
      },
    });
    expect(line.events.at(-1)).toMatchObject({ kind: "found_running", severity: "critical" });
    const orders = line.orders.length;
    line.until(line.now + 30 * DAY);
    line.command({ type: "cleanup" });
    expect(line.orders).toHaveLength(orders);
    line.heartbeat();
    expect(line.view.status).toBe("running");
  });
});

describe("a change of provider or reference", () => {
  it("is a new machine: neither its silence nor its seven days are those of the former", () => {
    const line = silent();
    line.command({ type: "action.failed", actionId: line.actionId, because: "unauthorised" });
    line.until(at("6:00:00") + 7 * DAY);
    const orders = line.orders.length;
    expect(line.command({ type: "changed", changes: { providerRef: "i-new" }, sighted: null })).toBeNull();
    expect(line.view).toMatchObject({ status: "pending", orphaned_since: null, provider_ref: "i-new" });
    line.command({ type: "cleanup" });
    line.until(line.now + 60_000);
    line.heartbeat();
    line.until(line.now + 4 * 60_000);
    line.command({ type: "cleanup" });
    expect(line.orders).toHaveLength(orders);
    line.until(line.now + 60_000);
    expect(line.view.status).toBe("orphaned");
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).not.toContain("delete");
  });

  it("forgets that the former machine was seen, and its GPUs", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.heartbeat({ gpu_utilization: 50, cpu_utilization: 1 });
    line.command({
      type: "changed",
      changes: { providerRef: "cpu-only" },
      sighted: { at: line.now, credentialsSetAt: 1, gpus: null },
    });
    expect(line.state.sighted).toEqual({ at: line.now, credentialsSetAt: 1, gpus: null });
    line.beatUntil(line.now + 5 * 60_000, { cpu_utilization: 1 });
    expect(line.view.status).toBe("hibernating");
  });
});

describe("an order that keeps failing", () => {
  const fail = (line: Timeline) => {
    line.command({ type: "action.failed", actionId: line.actionId, because: "503" });
  };

  it("for idleness is tried ever more seldom, and its owner is told once, until the instance was busy", () => {
    const line = new Timeline().beatUntil(at("5:00"), { gpu_utilization: 1 });
    for (let minute = 6; minute <= 24 * 60; minute++) {
      if (line.view.status === "hibernating") fail(line);
      line.beatUntil(at("0:00") + minute * 60_000, { gpu_utilization: 1 });
    }
    // 5, 10, 20 … minutes, at last six hours apart.
    expect(line.orders.length).toBeGreaterThanOrEqual(8);
    expect(line.orders.length).toBeLessThanOrEqual(10);
    const told = line.events.filter(isNotice).map((event) => event.kind);
    expect(told.filter((kind) => kind === "idle")).toHaveLength(1);
    expect(told.filter((kind) => kind === "hibernate_failed")).toHaveLength(1);

    if (line.view.status === "hibernating") fail(line);
    line.heartbeat({ gpu_utilization: 90 });
    line.beatUntil(line.now + 6 * 60_000, { gpu_utilization: 1 });
    if (line.view.status === "hibernating") fail(line);
    const again = line.events.filter(isNotice).map((event) => event.kind);
    expect(again.filter((kind) => kind === "hibernate_failed")).toHaveLength(2);
  });

  it("of an agent that has no command to hibernate makes one alert of idleness a day, not hundreds", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("24:00:00"), { gpu_utilization: 1 });
    const told = line.events.filter(isNotice).map((event) => event.kind);
    expect(told).toEqual(["idle", "hibernate_failed"]);
    expect(line.kinds.filter((kind) => kind === "hibernating").length).toBeLessThanOrEqual(10);
  });

  it("to force-hibernate is given again until it is done, backing off", () => {
    const line = silent();
    fail(line);
    while (line.armedAt !== null && line.armedAt <= at("24:00:00")) {
      line.until(line.armedAt);
      line.permit();
      if (line.view.status === "hibernating") fail(line);
    }
    const forced = line.orders.filter((order) => order === "force_hibernate");
    expect(forced.length).toBeGreaterThanOrEqual(6);
    expect(forced.length).toBeLessThanOrEqual(9);
    expect(line.kinds.filter((kind) => kind === "abandoned")).toHaveLength(1);
    expect(line.events.filter(isNotice).filter((event) => event.kind === "hibernate_failed")).toHaveLength(1);
    line.until(line.armedAt ?? line.now);
    line.permit();
    line.command({
      type: "action.succeeded",
      actionId: line.actionId,
      snapshotId: null,
      confirmedBy: "webhook",
    });
    expect(line.view.status).toBe("hibernated");
    line.until(line.now + DAY);
    expect(line.orders.filter((order) => order === "force_hibernate")).toHaveLength(forced.length + 1);
  });

  it("to delete is told once", () => {
    const line = expired();
    for (let day = 0; day < 5; day++) {
      fail(line);
      line.until(line.now + DAY);
      line.command({ type: "cleanup" });
      line.permit();
    }
    expect(line.kinds.filter((kind) => kind === "delete_failed")).toHaveLength(5);
    expect(line.events.filter(isNotice).filter((event) => event.kind === "delete_failed")).toHaveLength(1);
  });
});

describe("a question to the guard that nobody answers", () => {
  it("is asked again, one at a time, and does not hold the delete up for good", () => {
    const line = silent();
    line.command({
      type: "action.succeeded",
      actionId: line.actionId,
      snapshotId: null,
      confirmedBy: "webhook",
    });
    line.until(at("5:00") + 7 * DAY);
    line.command({ type: "cleanup" });
    line.until(line.now + 10 * 60_000);
    expect(line.guardQuestions.filter((step) => step === "delete")).toHaveLength(2);
    line.permit();
    expect(line.view.status).toBe("deleting");
  });

  it("waits once in the outbox, however long nothing can be delivered", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    for (let minutes = 40; minutes < 120; minutes += 10) {
      line.now = at("0:00") + minutes * 60_000;
      line.apply({ type: "alarm", dueAt: line.now });
    }
    expect(line.state.outbox.filter(({ effect }) => effect.type === "guard")).toHaveLength(1);
  });

  it("is not answered by what was said of another step", () => {
    const line = silent();
    line.command({ type: "action.failed", actionId: line.actionId, because: "503" });
    line.until(at("2:00:00"));
    line.command({ type: "guard.permitted", step: "hibernate", openedAt: null });
    line.command({ type: "guard.deferred", step: "delete" });
    expect(line.orders).toEqual(["hibernate"]);
    line.command({ type: "guard.permitted", step: "force_hibernate", openedAt: null });
    expect(line.orders).toEqual(["hibernate", "force_hibernate"]);
  });
});
