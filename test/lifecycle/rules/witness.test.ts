import { describe, expect, it } from "vitest";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import { witnessListed } from "../../../src/lifecycle/rules/witness.ts";
import { IN_STATUS, idle, orphaned, silent } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A list that began `ago` shows the machine. */
function listed(
  line: Timeline,
  shown: "running" | "stopped" | null,
  more: { ago?: number; credentialsSetAt?: number; stoppedUntil?: number } = {},
): Timeline {
  const { ago = 0, credentialsSetAt = 1, stoppedUntil = null } = more;
  const sighted = { at: line.now - ago, credentialsSetAt, gpus: 2 };
  line.command({ type: "machine.listed", shown, stoppedUntil, sighted });
  return line;
}

const lastEvent = (line: Timeline) => line.events.at(-1);

describe("a machine that is listed as stopped", () => {
  it("counts as hibernated without an order, once its heartbeats ended well before", () => {
    const line = new Timeline().beatUntil(at("10:00")).until(at("14:30"));
    expect(listed(line, "stopped").state.phase).toMatchObject({ status: "running" });
    line.until(at("16:00"));
    expect(line.state.phase.status).toBe("orphaned");
    expect(listed(line, "stopped", { ago: 2 * MINUTE }).state.phase.status).toBe("orphaned");
    listed(line, "stopped");
    expect(line.state.phase).toEqual({
      status: "hibernated",
      since: line.now,
      unsavedFrom: line.now,
      reason: "owner",
      orphan: null,
    });
    expect(lastEvent(line)).toMatchObject({
      kind: "hibernated",
      severity: "warning",
      detail: { by_hand: true },
    });
    expect(line.effects.filter(({ type }) => type === "action")).toEqual([]);
  });

  it("is not deleted, nor told of again, and comes back by a heartbeat", () => {
    const line = listed(orphaned(), "stopped");
    line.until(at("0:00") + 30 * DAY).command({ type: "cleanup" });
    expect(line.state.phase.status).toBe("hibernated");
    const events = line.events.length;
    expect(listed(line, "stopped").events).toHaveLength(events);
    line.heartbeat();
    expect(line.state.phase.status).toBe("running");
  });

  it("whose heartbeat is later than the list runs", () => {
    const line = orphaned();
    line.heartbeat();
    expect(listed(line, "stopped", { ago: 4 * MINUTE }).state.phase.status).toBe("running");
  });

  it("waits for two intervals of a slow agent", () => {
    const line = new Timeline({
      overrides: { heartbeat_interval_seconds: 600, orphan: { orphan_after_seconds: 1800 } },
    });
    line.heartbeat();
    expect(listed(line.until(at("19:00")), "stopped").state.phase.status).toBe("running");
    expect(listed(line.until(at("20:00")), "stopped").state.phase.status).toBe("hibernated");
  });
});

describe("a machine that is listed as running", () => {
  it("and counts as hibernated is told to its owner, and nothing is ordered for it", () => {
    for (const line of [idle().succeed(), silent().succeed()]) {
      const since = line.now;
      listed(line.until(since + 4 * MINUTE), "running");
      expect(line.state.phase.status).toBe("hibernated");
      listed(line.until(since + 20 * MINUTE), "running", { stoppedUntil: since + 15 * MINUTE });
      expect(line.state.phase).toMatchObject({ status: "pending" });
      expect(lastEvent(line)).toMatchObject({ kind: "found_running", severity: "critical" });
      expect(line.state.counters.saved.totalMs).toBe(15 * MINUTE);
      const orders = line.effects.filter(({ type }) => type === "action").length;
      line.until(since + 2 * DAY);
      expect(line.state.phase.status).toBe("pending");
      expect(line.effects.filter(({ type }) => type === "action")).toHaveLength(orders);
    }
  });

  it("saves nothing where nobody knows how long it was stopped", () => {
    const line = idle().succeed();
    listed(line.until(line.now + 20 * MINUTE), "running");
    expect(line.state.counters.saved.totalMs).toBe(0);
  });
});

describe("a list", () => {
  it("changes nothing in any other status, nor during an order, nor for a suspended user", () => {
    const changing: Partial<Record<string, readonly (string | null)[]>> = {
      running: ["stopped"],
      orphaned: ["stopped"],
      hibernated: ["running"],
    };
    for (const status of STATUSES) {
      for (const shown of ["running", "stopped", null] as const) {
        const { state, policy, now } = IN_STATUS[status]();
        const later = now + 20 * MINUTE;
        const event = {
          type: "machine.listed",
          shown,
          stoppedUntil: null,
          sighted: { at: later, credentialsSetAt: 1, gpus: 2 },
        } as const;
        const { phase, outbox } = witnessListed(state, event, policy, later);
        const isChanged = changing[status]?.includes(shown) ?? false;
        expect([status, shown, phase !== state.phase, outbox !== state.outbox]).toEqual([
          status,
          shown,
          isChanged,
          isChanged,
        ]);
        const suspended = compilePolicy(DEFAULT_POLICY, 1, true);
        expect(witnessListed(state, event, suspended, later)).toBe(state);
      }
    }
  });

  it("is proof that these credentials show the machine, noted once", () => {
    const line = IN_STATUS.running();
    listed(line, null);
    expect(line.state.sighted).toEqual({ at: line.now, credentialsSetAt: 1, gpus: 2 });
    const { state } = line;
    listed(line.until(line.now + MINUTE / 2), null);
    expect(line.state.sighted).toBe(state.sighted);
    listed(line, null, { credentialsSetAt: 2 });
    expect(line.state.sighted).toMatchObject({ credentialsSetAt: 2 });
    expect(line.events.filter(isAlert)).toEqual([]);
  });
});
