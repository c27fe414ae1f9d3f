import { describe, expect, it } from "vitest";
import type { HistoryEvent } from "../../../src/lifecycle/model/history-event.ts";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { orphanOf } from "../../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { lookOrder } from "../../../src/lifecycle/rules/look.ts";
import { withoutPast } from "../../../src/lifecycle/rules/resumption.ts";
import { IN_STATUS, silent } from "../statuses.ts";
import { START, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LATER = START + 3 * DAY;

/** Its storage was set back: its state of then is all that is left. */
function setBack(line: Timeline): Timeline {
  line.drain();
  line.now = LATER;
  line.armedAt = null;
  line.state = withoutPast(line.state, 0, LATER);
  line.effects.length = 0;
  line.apply({ type: "resumed", origin: "restore", knownUntil: null });
  line.drain();
  return line;
}

function hibernated(provider: ProviderKind = "webhook"): Timeline {
  const line = new Timeline({ provider }).beatUntil(START + 5 * MINUTE, { gpu_utilization: 2 });
  return provider === "agent" ? line.until(START + 20 * MINUTE) : line.succeed();
}

const eventsIn = (line: Timeline): HistoryEvent[] =>
  line.effects.flatMap((effect) => (effect.type === "event" ? [effect.event] : []));
const alertsIn = (line: Timeline) => eventsIn(line).filter(isAlert);
const ordersIn = (line: Timeline) =>
  line.effects.filter(({ type }) => type === "action" || type === "guard" || type === "forget");

/** The look that its provider is asked for. */
function asked(line: Timeline): string {
  line.until(LATER + MINUTE);
  const order = lookOrder(line.state);
  if (order === null) throw new Error("nobody is asked");
  expect(order.kind).toBe("look");
  return order.actionId;
}

describe("a hibernated instance that was set back", () => {
  it("is looked at by its provider: one that runs counts as running, and is watched from then on", () => {
    for (const line of [setBack(hibernated()), setBack(silent().succeed())]) {
      const actionId = asked(line);
      line.command({ type: "action.found_running", actionId });
      expect(line.state.phase).toEqual({ status: "running", idle: null });
      expect(alertsIn(line)).toMatchObject([{ kind: "woken", severity: "warning" }]);
      expect(ordersIn(line)).toEqual([]);
      line.until(LATER + 6 * MINUTE);
      expect(orphanOf(line.state.phase)).toMatchObject({ since: LATER + 6 * MINUTE });
    }
  });

  it("stays hibernated if its provider says so, and nobody is told", () => {
    const line = setBack(hibernated());
    const actionId = asked(line);
    line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "webhook" });
    expect(line.state.phase).toMatchObject({ status: "hibernated", orphan: null, reason: "idle" });
    expect(lookOrder(line.state)).toBeNull();
    line.until(LATER + 30 * DAY).command({ type: "cleanup" });
    expect(alertsIn(line)).toEqual([]);
    expect(ordersIn(line)).toEqual([]);
  });

  it("is its owner's to look after where the provider can't tell, or has it no more, or nobody answers", () => {
    const ends = [
      (line: Timeline, actionId: string) => line.command({ type: "action.failed", actionId, because: "503" }),
      (line: Timeline, actionId: string) => line.command({ type: "action.gone", actionId }),
      (line: Timeline) => line.until(LATER + 2 * HOUR + MINUTE),
    ];
    for (const end of ends) {
      const line = setBack(hibernated());
      const actionId = asked(line);
      end(line, actionId);
      expect(line.state.phase).toMatchObject({ status: "hibernated" });
      expect(alertsIn(line)).toMatchObject([{ kind: "unwatched", severity: "warning" }]);
      // Once, whatever is said later.
      line.command({ type: "action.found_running", actionId });
      line.until(LATER + 30 * DAY).command({ type: "cleanup" });
      expect(alertsIn(line)).toHaveLength(1);
      expect(ordersIn(line)).toEqual([]);
      expect(line.state.phase).toMatchObject({ status: "hibernated" });
    }
  });

  it("is its owner's to look after at once where nobody can be asked", () => {
    const line = setBack(hibernated("agent"));
    expect(line.state.phase).toMatchObject({ status: "hibernated" });
    expect(alertsIn(line)).toMatchObject([
      { kind: "unwatched", severity: "warning", message: expect.stringContaining("costs money") },
    ]);
    expect(lookOrder(line.state)).toBeNull();
    line.heartbeat();
    expect(line.state.phase).toMatchObject({ status: "running" });
  });

  it("is asked for no more once it is heard, woken or another machine", () => {
    for (const happen of [
      (line: Timeline) => line.heartbeat(),
      (line: Timeline) => line.command({ type: "wake.requested" }),
      (line: Timeline) =>
        line.command({ type: "changed", changes: { providerRef: "another" }, sighted: null }),
    ]) {
      const line = setBack(hibernated());
      const actionId = asked(line);
      happen(line);
      const { phase } = line.state;
      expect(lookOrder(line.state)).toBeNull();
      line.command({ type: "action.found_running", actionId });
      line.command({ type: "action.failed", actionId, because: "503" });
      expect(line.state.phase).toEqual(phase);
    }
  });

  it("is asked for no more by a service that takes it in: the first one may go on", () => {
    const line = setBack(hibernated());
    asked(line);
    line.apply({ type: "resumed", origin: "import", knownUntil: null });
    expect(lookOrder(line.state)).toBeNull();
    line.until(LATER + 30 * DAY);
    expect(alertsIn(line)).toEqual([]);
  });

  it("of a suspended user is asked for when the suspension ends", () => {
    const line = hibernated();
    const active = line.policy;
    line.policy = compilePolicy(DEFAULT_POLICY, 1, true);
    setBack(line);
    line.until(LATER + DAY);
    expect(lookOrder(line.state)).toBeNull();
    const former = line.policy;
    line.policy = active;
    line.apply({ type: "policy.changed", former });
    line.until(LATER + DAY + MINUTE);
    expect(lookOrder(line.state)).not.toBeNull();
    expect(alertsIn(line)).toEqual([]);
  });
});

describe("an instance that was set back to while it was being hibernated", () => {
  it("is watched as it was before", () => {
    const line = setBack(IN_STATUS.hibernating());
    line.until(LATER + 5 * MINUTE);
    expect(alertsIn(line)).toContainEqual(expect.objectContaining({ kind: "orphaned" }));
  });

  it("is its owner's to look after if it was never heard then: nobody watches it", () => {
    const line = new Timeline();
    line.command({ type: "hibernate.requested" });
    expect(line.state.phase.status).toBe("hibernating");
    setBack(line);
    expect(line.state.phase.status).toBe("pending");
    expect(alertsIn(line)).toContainEqual(
      expect.objectContaining({ kind: "unwatched", severity: "warning" }),
    );
  });
});
