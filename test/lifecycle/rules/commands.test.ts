import { describe, expect, it } from "vitest";
import type { Status } from "../../../src/lifecycle/model/phase.ts";
import { IN_STATUS, orphaned } from "../statuses.ts";
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

function silentFor(clock: string, options: ConstructorParameters<typeof Timeline>[0] = {}): Timeline {
  const line = new Timeline(options);
  line.heartbeat();
  return line.until(at(clock));
}

describe("a change of provider or reference", () => {
  it("is a new machine: neither its silence nor its seven days are those of the former", () => {
    const line = silent();
    line.fail("unauthorised");
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

  it.each(["hibernating", "waking", "deleting"] as const)("is refused while the instance is %s", (status) => {
    const line = IN_STATUS[status]();
    for (const changes of [{ provider: "ec2" as const }, { providerRef: "i-2" }]) {
      expect(line.command({ type: "changed", changes, sighted: null })).toEqual({
        code: "busy",
        message: `The provider and its reference cannot change while the instance is ${status}`,
      });
    }
    expect(line.command({ type: "changed", changes: { provider: "webhook" }, sighted: null })).toBeNull();
  });

  it("keeps what the hibernation of the former machine saved, and no longer saves", () => {
    const line = IN_STATUS.hibernated();
    line.until(at("1:05:00"));
    expect(line.command({ type: "changed", changes: { providerRef: "i-2" }, sighted: null })).toBeNull();
    expect(line.view).toMatchObject({ status: "pending", hibernated_since: null });
    line.until(at("9:00:00"));
    expect(line.state.counters.saved.totalMs).toBe(3_600_000);
  });

  it("counts no heartbeat as missed before the new machine is heard", () => {
    const line = orphaned();
    expect(line.view.missed_heartbeats).toBe(9);
    line.command({ type: "changed", changes: { providerRef: "i-2" }, sighted: null });
    line.until(at("5:00:00"));
    expect(line.view.missed_heartbeats).toBe(9);
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "running", missed_heartbeats: 9 });
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

it("a machine that its owner had hibernated is not deleted for the silence before", () => {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("10:00"));
  expect(line.view.status).toBe("orphaned");
  expect(line.command({ type: "hibernate.requested" })).toBeNull();
  line.accept();
  line.succeed();
  line.until(at("0:00") + 8 * 24 * 60 * 60_000);
  line.command({ type: "cleanup" });
  line.permit();
  expect(line.orders).not.toContain("delete");
});

describe("a request of the owner to hibernate", () => {
  const REFUSALS: Partial<Record<Status, readonly [code: string, message: string]>> = {
    hibernating: ["hibernating", "The instance is hibernating already"],
    hibernated: ["hibernated", "The instance is hibernated already"],
    waking: ["busy", "The instance is waking"],
    deleting: ["busy", "The instance is deleting"],
    deleted: ["deleted", "The instance is deleted"],
  };

  it.each(Object.entries(IN_STATUS))("of an instance that is %s", (status, arrange) => {
    const line = arrange();
    const [code, message] = REFUSALS[status as Status] ?? [];
    const { state } = line;
    const decision = line.apply({ type: "hibernate.requested" });
    if (code === undefined) {
      expect(decision.refusal).toBeNull();
      expect(line.view.status).toBe("hibernating");
      expect(line.state.phase).toMatchObject({ reason: "owner", action: { kind: "hibernate" } });
    } else {
      expect(decision).toMatchObject({ refusal: { code, message }, effects: [] });
      expect(decision.state).toBe(state);
    }
  });

  it("is refused with the reason where nobody can reach the instance, or hibernate it at all", () => {
    const silent = {
      code: "no_provider",
      message: "The instance is silent, and its provider (agent) cannot reach it",
    };
    const agent = new Timeline({ provider: "agent" });
    expect(agent.command({ type: "hibernate.requested" })).toEqual(silent);
    agent.heartbeat();
    agent.until(at("5:00"));
    expect(agent.command({ type: "hibernate.requested" })).toEqual(silent);
    const none = new Timeline({ provider: "none" });
    none.heartbeat();
    expect(none.command({ type: "hibernate.requested" })).toEqual({
      code: "no_provider",
      message: "The instance has no provider that could hibernate it",
    });
  });
});
