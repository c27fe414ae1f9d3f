import { describe, expect, it } from "vitest";
import { deleting, silent } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

const ORDERS: readonly (readonly [string, () => Timeline])[] = [
  ["hibernation for silence", silent],
  ["delete", deleting],
];

const IDLE = { gpu_utilization: 2 };

function silentFor(clock: string, options: ConstructorParameters<typeof Timeline>[0] = {}): Timeline {
  const line = new Timeline(options);
  line.heartbeat();
  return line.until(at(clock));
}

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

describe("an order to a provider", () => {
  it("that stems from silence is called off by a heartbeat that comes before a try", () => {
    const line = silent();
    expect(line.view.status).toBe("hibernating");
    line.until(at("30:10"));
    line.heartbeat();
    expect(line.view.status).toBe("running");
    expect(line.kinds.slice(-2)).toEqual(["hibernate_cancelled", "recovered"]);
    // Whoever carries it out asks first, and hears that it does not stand.
    const before = line.state;
    line.command({ type: "action.tried", actionId: "hibernate-1" });
    expect(line.state).toEqual(before);
  });

  it("stands once the provider has accepted it, whatever is heard, and ends as the provider says", () => {
    const line = silent();
    const { actionId } = line;
    line.accept();
    line.until(at("30:10"));
    expect(line.heartbeat().actions.map((action) => action.type)).toEqual(["hibernating"]);
    line.until(at("35:00"));
    line.heartbeat();
    expect(line.view.status).toBe("hibernating");
    line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "webhook" });
    expect(line.view.status).toBe("hibernated");
  });

  it("for idleness is called off by a busy heartbeat before the provider accepts it, and by none after", () => {
    const untold = new Timeline().beatUntil(at("5:00"), IDLE);
    expect(untold.view.status).toBe("hibernating");
    untold.heartbeat({ gpu_utilization: 90 });
    expect(untold.view.status).toBe("running");

    const told = new Timeline().beatUntil(at("5:00"), IDLE);
    told.accept();
    told.heartbeat({ gpu_utilization: 90 });
    expect(told.view.status).toBe("hibernating");
    expect(told.command({ type: "keep_alive", durationMs: 60_000 })).toMatchObject({ code: "hibernating" });
  });

  it("finds the instance gone: it counts as deleted, and its owner is told", () => {
    const line = silent();
    const { actionId } = line;
    line.command({ type: "action.gone", actionId });
    expect(line.view.status).toBe("deleted");
    expect(line.events.at(-1)).toMatchObject({
      kind: "gone",
      severity: "warning",
      message: "webhook has no such instance any more: it counts as deleted",
    });
    line.command({ type: "action.gone", actionId });
    expect(line.kinds.filter((kind) => kind === "gone")).toHaveLength(1);
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
