import { describe, expect, it } from "vitest";
import type { InstanceEvent } from "../../../src/lifecycle/model/instance-event.ts";
import { orderOf } from "../../../src/lifecycle/rules/order.ts";
import { deleting, orphaned, silent, waking } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

const act = (of: "end_order" | "repeat_order", actionId: string): InstanceEvent => ({
  type: "operator.acted",
  act: of,
  actionId,
  operator: "the operator (Ada)",
  because: "its workflow is gone",
  requestId: "r-1",
});

const ORDERS = [
  ["hibernation for silence", silent, "orphaned", "hibernate_failed"],
  ["delete", deleting, "hibernated", "delete_failed"],
  ["wake", waking, "hibernated", "wake_failed"],
] as const;

describe.each(ORDERS)("a %s that is stuck", (_, ordered, status, failed) => {
  it("is ended by the operator as failed, with who did it; nothing is ordered for that", () => {
    const line = ordered();
    const { actionId } = line;
    const orders = line.orders.length;
    expect(line.command(act("end_order", actionId))).toBeNull();
    expect(line.view.status).toBe(status);
    expect(line.events.slice(-2)).toMatchObject([
      {
        kind: "operator_acted",
        detail: { act: "end_order", by: "the operator (Ada)", action_id: actionId, request_id: "r-1" },
      },
      { kind: failed, message: expect.stringContaining("ended by the operator (Ada): its workflow is gone") },
    ]);
    expect(line.orders).toHaveLength(orders);
  });

  it("is noted when it is carried out anew, and stands as before", () => {
    const line = ordered();
    const before = line.state.phase;
    expect(line.command(act("repeat_order", line.actionId))).toBeNull();
    expect(line.state.phase).toEqual(before);
    expect(line.kinds.at(-1)).toBe("operator_acted");
  });

  it("that is another one by now is left alone", () => {
    const line = ordered();
    const before = line.state;
    expect(line.command(act("end_order", "hibernate-0"))).toMatchObject({ code: "not_possible" });
    expect(line.state).toEqual(before);
  });
});

it("a wake that its provider may have heard, and that the operator ends, leaves a machine that is watched", () => {
  const line = waking();
  line.accept();
  expect(line.command(act("end_order", line.actionId))).toBeNull();
  expect(line.view.status).toBe("running");
  line.until(line.now + 6 * 60_000);
  expect(line.view.status).toBe("orphaned");
});

describe("the order that is carried out anew", () => {
  it("is none of a machine that was heard since its provider accepted it: nothing could call it off", () => {
    const line = silent();
    line.accept();
    line.until(line.now + 20 * 60_000);
    line.heartbeat({ gpu_utilization: 95 });
    expect(line.command(act("repeat_order", line.actionId))).toMatchObject({ code: "not_possible" });
  });

  it("is called off by a sign of life, though its first try had been accepted", () => {
    const line = silent();
    line.accept();
    expect(line.command(act("repeat_order", line.actionId))).toBeNull();
    line.heartbeat({ gpu_utilization: 95 });
    expect(line.view.status).toBe("running");
    expect(line.kinds).toContain("hibernate_cancelled");
  });

  it("is the one that was placed", () => {
    for (const [, ordered] of ORDERS) {
      const line = ordered();
      line.drain();
      const placed = line.effects.flatMap((effect) => (effect.type === "action" ? [effect.order] : []));
      expect(orderOf(line.state)).toEqual(placed.at(-1));
    }
  });

  it("is none without an order, and none that the instance carries out by itself", () => {
    expect(orderOf(orphaned().state)).toBeNull();
    const line = new Timeline({ provider: "agent" }).beatUntil(at("5:00"), { gpu_utilization: 2 });
    expect(line.view.status).toBe("hibernating");
    expect(orderOf(line.state)).toBeNull();
    expect(line.command(act("repeat_order", line.actionId))).toMatchObject({ code: "not_possible" });
    expect(line.command(act("end_order", line.actionId))).toBeNull();
    expect(line.view.status).toBe("running");
  });
});
