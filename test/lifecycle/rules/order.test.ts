import { describe, expect, it } from "vitest";
import { callOff, isTooLateToCallOff, refuseOrder, tryOrder } from "../../../src/lifecycle/rules/handover.ts";
import { answeredOrderDeadline } from "../../../src/lifecycle/rules/hibernation.ts";
import { isUnderWay } from "../../../src/lifecycle/rules/order.ts";
import { orderDeadline } from "../../../src/lifecycle/rules/order-end.ts";
import { deleting, idle, orphaned, waking } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

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
