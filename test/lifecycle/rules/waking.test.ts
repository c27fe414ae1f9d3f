import { describe, expect, it } from "vitest";
import { isUnderWay } from "../../../src/lifecycle/rules/order.ts";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

const HOUR = 60 * 60_000;

/** Hibernated for idleness at 5:00. */
function hibernated(): Timeline {
  const line = new Timeline().beatUntil(at("5:00"), IDLE);
  line.succeed();
  return line;
}

const DAY = 24 * 60 * 60_000;

/** Silent for half an hour, and let go by the guard: a hibernation is ordered. */
function silent(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  expect(line.view.status).toBe("hibernating");
  return line;
}

/** Hibernated as its owner asked, then woken: the provider confirms that the machine runs. No agent beats. */
function woken(overrides = {}): Timeline {
  const line = new Timeline({ overrides });
  line.heartbeat();
  line.command({ type: "hibernate.requested" });
  line.accept();
  line.succeed();
  line.until(at("1:00:00"));
  line.command({ type: "wake.requested" });
  line.accept();
  line.succeed();
  return line;
}

describe("a wake", () => {
  it("that fails leaves no grace: whoever starts the machine by hand finds the ladder as it always is", () => {
    const line = hibernated();
    line.until(at("1:00:00")).command({ type: "wake.requested" });
    line.until(at("1:00:30"));
    line.fail("no capacity");
    expect(line.view).toMatchObject({ status: "hibernated", hibernated_since: "2025-12-19T01:00:30Z" });
    line.until(at("1:03:00")).beatUntil(at("1:05:59.999"), IDLE);
    expect(line.kinds).not.toContain("would_hibernate");
    expect(line.view).toMatchObject({
      health: "healthy",
      lifecycle: { next_step: "warn", blocked_by: null },
    });
    line.until(at("1:06:00"));
    expect(line.view.health).toBe("idle");
  });

  it("that fails saves nothing for the time of the try, and goes on saving after it", () => {
    const line = hibernated();
    line.until(at("1:00:00")).command({ type: "wake.requested" });
    const saved = () => savingsView(line.state, line.now).hibernated_seconds_total;
    expect(saved()).toBe(55 * 60);
    line.until(at("1:04:00"));
    expect(saved()).toBe(55 * 60);
    line.fail("no capacity");
    line.until(at("2:04:00"));
    expect(saved()).toBe(55 * 60 + 3600);
  });

  it("is told with its grace, why the instance was hibernated, for how long, and whether that was regretted", () => {
    for (const [clock, regretted] of [
      ["15:00", true],
      ["15:01", false],
    ] as const) {
      const line = hibernated();
      line.until(at(clock)).command({ type: "wake.requested" });
      expect(line.events.at(-1)).toMatchObject({
        id: expect.any(String),
        at: at(clock),
        kind: "waking",
        severity: "info",
        message: "Waking as you asked",
        detail: {
          action_id: line.actionId,
          grace_until: regretted ? "2025-12-19T00:25:00Z" : "2025-12-19T00:25:01Z",
          reason: "idle",
          hibernated_seconds: regretted ? 600 : 601,
          regretted,
        },
      });
      expect(line.effects.findLast((effect) => effect.type === "action")).toMatchObject({
        order: { kind: "wake", reason: "owner", isHibernated: true, snapshotFirst: false, sighted: null },
      });
    }
  });

  it("without the owner tells the same of the hibernation that it ends", () => {
    const line = hibernated();
    line.until(at("9:00")).heartbeat();
    expect(line.events.at(-1)).toMatchObject({
      id: expect.any(String),
      at: at("9:00"),
      kind: "woken",
      severity: "info",
      message: "Woken: heartbeats are back",
      detail: { reason: "idle", hibernated_seconds: 240, regretted: true },
    });
    expect(savingsView(line.state, line.now).hibernated_seconds_total).toBe(240);
    line.until(line.now + HOUR);
    expect(savingsView(line.state, line.now).hibernated_seconds_total).toBe(240);
  });

  it("is over once the instance is heard, whatever its provider says afterwards", () => {
    const line = hibernated();
    line.until(at("1:00:00")).command({ type: "wake.requested" });
    const { actionId } = line;
    line.accept();
    line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "webhook" });
    expect(line.view.status).toBe("waking");
    line.until(at("1:02:00")).heartbeat();
    expect(line.view.status).toBe("running");
    expect(line.events.at(-1)).toMatchObject({ kind: "woken", detail: {} });
    const { state } = line;
    line.command({ type: "action.failed", actionId, because: "late" });
    expect(line.state).toEqual(state);
  });

  it("of an orphan ends its standing as one", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    expect(line.command({ type: "wake.requested" })).toBeNull();
    expect(line.kinds.slice(-2)).toEqual(["recovered", "waking"]);
    expect(line.events.at(-2)?.message).toBe("Recovered: woken after 25 minutes as an orphan");
    line.fail("no capacity");
    expect(line.view).toMatchObject({ status: "hibernated", orphaned_since: null });
    line.until(line.now + 30 * 24 * HOUR).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });

  it("is refused for an instance that is not hibernated, or that nobody can wake, with the reason", () => {
    const line = new Timeline();
    line.heartbeat();
    expect(line.command({ type: "wake.requested" })).toEqual({
      code: "not_possible",
      message: "The instance is running, not hibernated",
    });
    const agent = new Timeline({ provider: "agent" });
    agent.heartbeat();
    agent.until(at("1:00")).heartbeat({ status: "hibernating" });
    agent.until(at("3:00"));
    expect(agent.view.status).toBe("hibernated");
    expect(agent.command({ type: "wake.requested" })).toEqual({
      code: "no_provider",
      message:
        "Its provider (agent) cannot wake it: start it where it is rented, and its first heartbeat will be noticed",
    });
  });

  it("whose carrier is never heard of again fails by its deadline", () => {
    const line = silent();
    line.succeed();
    // Nobody watches for silence here, so nothing else ends the wake.
    line.policy = { ...line.policy, orphan: { ...line.policy.orphan, enabled: false } };
    line.command({ type: "wake.requested" });
    line.until(line.now + DAY);
    expect(line.view.status).toBe("hibernated");
    expect(line.kinds.at(-1)).toBe("wake_failed");
  });

  it.each(["action.tried", "action.accepted"] as const)(
    "that its provider may have heard (%s), and whose carrier is never heard of again, leaves a machine that is watched",
    (last) => {
      const line = hibernated();
      line.until(at("1:00:00")).command({ type: "wake.requested" });
      line.command({ type: last, actionId: line.actionId });
      line.until(at("3:00:00"));
      expect(line.view).toMatchObject({ status: "running", hibernated_since: null });
      expect(line.events.at(-1)).toMatchObject({ kind: "woken", severity: "warning", at: at("3:00:00") });
      line.until(at("3:05:00"));
      expect(line.view.status).toBe("orphaned");
      line.until(at("3:30:00")).permit();
      expect(line.view.status).toBe("hibernating");
    },
  );

  it.each(["action.accepted", "action.refused", "action.tried", "action.failed"] as const)(
    "that is on its way when the instance is heard ends with that try (%s), and nothing is ordered before",
    (end) => {
      const line = silent();
      line.succeed();
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

it("a wake that hangs at its provider is told of as failed, and still stands when it is time to cancel it", () => {
  const line = new Timeline();
  line.heartbeat();
  line.command({ type: "hibernate.requested" });
  line.accept();
  line.succeed();
  line.until(at("1:00:00"));
  line.command({ type: "wake.requested" });
  const { actionId } = line;
  line.accept();
  // The workflow looks for half an hour, in vain: the start waits in a queue.
  line.until(at("1:31:00"));
  expect(isUnderWay(line.state, actionId)).toBe(true);
  line.command({
    type: "action.failed",
    actionId,
    because: "it is still shown as starting after half an hour",
  });
  expect(line.kinds).toContain("wake_failed");
});

describe("a wake that the provider confirmed, of a machine that sends no heartbeat", () => {
  it("under a keep-alive is not taken for a failed wake, nor the machine for hibernated", () => {
    const line = woken();
    expect(line.command({ type: "keep_alive", durationMs: 24 * 60 * 60_000 })).toBeNull();
    line.until(at("5:00:00"));
    expect(line.kinds).not.toContain("wake_failed");
    expect(line.view.status).not.toBe("hibernated");
  });

  it("is watched again once the keep-alive is over: its ladder comes to hibernate it", () => {
    const line = woken();
    line.command({ type: "keep_alive", durationMs: 3 * 60 * 60_000 });
    line.until(at("24:00:00"));
    expect(line.kinds).toContain("orphaned");
  });

  for (const overrides of [
    { orphan: { enabled: false } },
    {
      orphan: {
        orphan_after_seconds: 10_800,
        hibernate_after_seconds: 14_400,
        force_hibernate_after_seconds: 18_000,
      },
    },
  ]) {
    it(`with ${JSON.stringify(overrides)} is not taken for hibernated`, () => {
      const line = woken(overrides);
      line.until(at("3:30:00"));
      expect(line.view.status).not.toBe("hibernated");
    });
  }
});
