import { describe, expect, it } from "vitest";
import { decide } from "../../src/lifecycle/decide.ts";
import type { InstanceEvent } from "../../src/lifecycle/model/instance-event.ts";
import type { Status } from "../../src/lifecycle/model/phase.ts";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import {
  beginDelete,
  cancelDelete,
  confirmDelete,
  failDelete,
  findGone,
  findRunning,
} from "../../src/lifecycle/rules/deletion.ts";
import {
  acceptOrder,
  callOff,
  checkOrder,
  isTooLateToCallOff,
  recover,
  refuseOrder,
  tryOrder,
} from "../../src/lifecycle/rules/handover.ts";
import {
  answeredOrderDeadline,
  beginHibernation,
  cancelHibernation,
  confirmHibernation,
  endAnsweredOrder,
  failHibernation,
} from "../../src/lifecycle/rules/hibernation.ts";
import { isUnderWay } from "../../src/lifecycle/rules/order.ts";
import { failOrder, failOverdueOrder, orderDeadline } from "../../src/lifecycle/rules/order-end.ts";
import { beginWake, failWake } from "../../src/lifecycle/rules/waking.ts";
import { at, Timeline } from "./timeline.ts";

const IDLE = { gpu_utilization: 2 };
const DAY = 24 * 60 * 60_000;

function idle(): Timeline {
  return new Timeline().beatUntil(at("5:00"), IDLE);
}

function orphaned(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  return line.until(at("10:00"));
}

function deleting(): Timeline {
  const line = orphaned().until(at("30:00"));
  line.permit();
  line.succeed();
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  return line;
}

function waking(): Timeline {
  const line = idle().succeed();
  line.command({ type: "wake.requested" });
  return line;
}

/** One instance in each status. */
const IN_STATUS: Record<Status, () => Timeline> = {
  pending: () => new Timeline(),
  running: () => new Timeline().beatUntil(at("1:00")),
  orphaned,
  hibernating: idle,
  hibernated: () => idle().succeed(),
  waking,
  deleting,
  deleted: () => deleting().succeed(),
};

type Change = (state: InstanceState, line: Timeline) => InstanceState;

/** Changes, and the statuses in which each may change anything. */
const CHANGES: Record<string, readonly [belongsTo: readonly Status[], Change]> = {
  "an order to hibernate that begins": [
    ["pending", "running", "orphaned"],
    (state, { now }) =>
      beginHibernation(state, { kind: "hibernate", reason: "owner", at: now, message: "", detail: {} }),
  ],
  "a hibernation that is confirmed": [
    ["hibernating"],
    (state, { policy, now }) => confirmHibernation(state, policy, now, "webhook"),
  ],
  "a hibernation that fails": [["hibernating"], (state, { now }) => failHibernation(state, now, "503")],
  "a hibernation that is called off": [
    ["hibernating"],
    (state, { now }) => cancelHibernation(state, now, "x"),
  ],
  "a wake that begins": [["hibernated"], (state, { policy, now }) => beginWake(state, policy, now)],
  "a wake that fails": [["waking"], (state, { now }) => failWake(state, now, "503")],
  "a delete that begins": [["orphaned"], (state, { policy, now }) => beginDelete(state, policy, now)],
  "a delete that is confirmed": [
    ["deleting"],
    (state, { policy, now }) => confirmDelete(state, policy, now, null),
  ],
  "a delete that fails": [["deleting"], (state, { now }) => failDelete(state, now, "503")],
  "a delete that is called off": [["deleting"], (state, { now }) => cancelDelete(state, now, "x")],
  "a machine that is found running": [["deleting"], (state, { now }) => findRunning(state, now)],
  "a machine that is found gone": [
    ["hibernating", "waking", "deleting"],
    (state, { policy, now }) => findGone(state, policy, now),
  ],
  "an order that fails": [
    ["hibernating", "waking", "deleting"],
    (state, { now }) => failOrder(state, now, "503"),
  ],
  "an order that is called off": [
    ["hibernating", "waking", "deleting"],
    (state, { now }) => callOff(state, now, "x"),
  ],
  "an order whose end is never reported": [
    ["hibernating", "waking", "deleting"],
    (state, { now }) => failOverdueOrder(state, now + 30 * DAY),
  ],
  "a recovery": [["orphaned", "deleting"], (state, { now }) => recover(state, now, "x")],
  "an order by answer": [[], (state, { policy, now }) => endAnsweredOrder(state, policy, now + DAY)],
};

describe.each(Object.entries(CHANGES))("%s", (_, [belongsTo, change]) => {
  it.each(Object.entries(IN_STATUS))("and an instance that is %s", (status, arrange) => {
    const line = arrange();
    expect(line.view.status).toBe(status);
    const after = change(line.state, line);
    if ((belongsTo as readonly string[]).includes(status)) expect(after).not.toEqual(line.state);
    else expect(after).toBe(line.state);
  });
});

describe("a word about an order that is not the one under way", () => {
  const word = (line: Timeline, actionId: string): InstanceState[] => [
    checkOrder(line.state, actionId, { at: 1, credentialsSetAt: 1, gpus: 1 }, line.now),
    tryOrder(line.state, actionId, line.now),
    refuseOrder(line.state, actionId, line.now),
    acceptOrder(line.state, actionId, line.now),
  ];

  it.each(Object.entries(IN_STATUS))("changes nothing for an instance that is %s", (_, arrange) => {
    const line = arrange();
    for (const after of word(line, "hibernate-other")) expect(after).toBe(line.state);
    expect(isUnderWay(line.state, "hibernate-other")).toBe(false);
    const { state, policy, now } = line;
    for (const type of ["action.gone", "action.found_running"] as const) {
      expect(decide(state, { type, actionId: "hibernate-other" }, policy, now).state).toBe(state);
    }
    for (const event of [
      { type: "action.failed", actionId: "x", because: "503" },
      { type: "action.succeeded", actionId: "x", snapshotId: null, confirmedBy: "webhook" },
      { type: "guard.permitted", step: "delete", openedAt: null },
      { type: "guard.deferred", step: "delete" },
    ] satisfies InstanceEvent[]) {
      const decision = decide(state, event, policy, now);
      expect(decision.state).toBe(state);
      expect(decision.effects).toEqual([]);
      expect(decision.refusal).toBeNull();
    }
  });
});

describe("an order", () => {
  it("stands while nobody called it off, and no more once somebody did during a try", () => {
    const line = orphaned().until(at("30:00"));
    line.permit();
    const { actionId } = line;
    expect(isUnderWay(line.state, actionId)).toBe(true);
    line.command({ type: "action.tried", actionId });
    expect(isUnderWay(line.state, actionId)).toBe(true);
    line.heartbeat();
    expect(isUnderWay(line.state, actionId)).toBe(false);
    line.command({ type: "action.accepted", actionId });
    expect(isUnderWay(line.state, actionId)).toBe(true);
  });

  it("has an id of its kind that is never used again, by whichever way it goes", () => {
    for (const provider of ["webhook", "agent"] as const) {
      const line = new Timeline({ provider });
      line.heartbeat();
      const ids = new Set<string>();
      for (let turn = 0; turn < 3; turn++) {
        line.command({ type: "hibernate.requested" });
        ids.add(line.actionId);
        line.command({ type: "keep_alive", durationMs: 1 });
      }
      expect(ids.size).toBe(3);
      for (const id of ids) expect(id).toMatch(/^hibernate-[0-9a-z]+$/);
    }
    const forced = orphaned();
    forced.until(at("30:00")).permit();
    forced.fail();
    forced.until(at("2:00:00")).permit();
    expect(forced.actionId).toMatch(/^force-hibernate-[0-9a-z]+$/);
    // The effects of what goes by answer are nobody else's: none is emitted, and no number is used twice.
    const line = new Timeline({ provider: "agent" });
    line.heartbeat();
    line.apply({ type: "hibernate.requested" });
    const numbers = line.state.outbox.map(({ id }) => id);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBe(line.state.nextEffectId - 1);
    expect(line.actionId).not.toBe(`hibernate-${Math.max(...numbers).toString(36)}`);
  });

  it("says whether the machine counts as stopped", () => {
    const isHibernated = (line: Timeline) =>
      line.effects.flatMap((effect) => (effect.type === "action" ? [effect.order.isHibernated] : []));
    expect(isHibernated(idle())).toEqual([false]);
    expect(isHibernated(waking())).toEqual([false, true]);
    expect(isHibernated(deleting())).toEqual([false, true]);
  });

  it("says when the machine was last seen, and how many GPUs it had when that was known", () => {
    const line = idle();
    const { actionId } = line;
    const seen = (at: number, gpus: number | null) => ({ at, credentialsSetAt: 1, gpus });
    line.command({ type: "action.checked", actionId, sighted: seen(1, 4) });
    expect(line.state.sighted).toEqual(seen(1, 4));
    line.command({ type: "action.checked", actionId, sighted: seen(2, null) });
    expect(line.state.sighted).toEqual(seen(2, 4));
    line.command({ type: "action.checked", actionId, sighted: null });
    expect(line.state.sighted).toEqual(seen(2, 4));
    line.command({ type: "action.checked", actionId, sighted: seen(3, 2) });
    expect(line.state.sighted).toEqual(seen(3, 2));
    line.command({ type: "action.failed", actionId, because: "503" });
    line.until(at("6:00")).beatUntil(at("10:00"), IDLE);
    expect(line.effects.findLast((effect) => effect.type === "action")).toMatchObject({
      order: { sighted: seen(3, 2) },
    });
  });

  it("that was being tried when its carrier starts over is not being tried any more", () => {
    const line = orphaned().until(at("30:00"));
    line.permit();
    const { actionId } = line;
    line.command({ type: "action.tried", actionId });
    line.command({ type: "action.checked", actionId, sighted: null });
    line.heartbeat();
    expect(line.view.status).toBe("running");
  });

  it("that was accepted is tried no more, nor refused", () => {
    const line = orphaned().until(at("30:00"));
    line.permit();
    line.accept();
    expect(isTooLateToCallOff(line.state)).toBe(true);
    const { state, actionId } = line;
    expect(tryOrder(state, actionId, line.now)).toBe(state);
    expect(refuseOrder(state, actionId, line.now)).toBe(state);
    expect(callOff(state, line.now, "x")).toBe(state);
  });

  it("has two hours, a delete eighteen, and one that goes by answer none but its silence", () => {
    const HOUR = 3_600_000;
    const line = idle();
    expect(orderDeadline(line.state)).toBe(at("5:00") + 2 * HOUR);
    line.beatUntil(at("2:04:59"), IDLE).until(at("2:04:59.999"));
    expect(line.view.status).toBe("hibernating");
    line.until(at("2:05:00"));
    expect(line.view.status).toBe("running");
    expect(line.events.at(-1)).toMatchObject({
      kind: "hibernate_failed",
      at: at("2:05:00"),
      message: "Could not hibernate: nobody told how the order ended",
    });
    const gone = deleting();
    const ordered = gone.now;
    expect(orderDeadline(gone.state)).toBe(ordered + 18 * HOUR);
    gone.until(ordered + 18 * HOUR - 1);
    expect(gone.view.status).toBe("deleting");
    gone.until(ordered + 18 * HOUR);
    expect(gone.events.at(-1)).toMatchObject({
      kind: "delete_failed",
      message: "Not deleted: nobody told how the order ended",
    });
    expect(orderDeadline(waking().state)).toBe(at("5:00") + 2 * HOUR);
    const agent = new Timeline({ provider: "agent" }).beatUntil(at("4:30"), IDLE).until(at("5:00"));
    expect(agent.view.status).toBe("hibernating");
    expect(orderDeadline(agent.state)).toBeNull();
    expect(answeredOrderDeadline(agent.state, agent.policy)).toBe(at("10:00"));
    expect(answeredOrderDeadline(line.state, line.policy)).toBeNull();
  });
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

describe("a change of provider or reference", () => {
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
