import { describe, expect, it } from "vitest";
import { decide } from "../../../src/lifecycle/decide.ts";
import type { InstanceEvent } from "../../../src/lifecycle/model/instance-event.ts";
import type { Status } from "../../../src/lifecycle/model/phase.ts";
import type { InstanceState } from "../../../src/lifecycle/model/state.ts";
import {
  beginDelete,
  cancelDelete,
  confirmDelete,
  failDelete,
  findGone,
  findRunning,
} from "../../../src/lifecycle/rules/deletion.ts";
import {
  acceptOrder,
  callOff,
  checkOrder,
  recover,
  refuseOrder,
  tryOrder,
} from "../../../src/lifecycle/rules/handover.ts";
import {
  beginHibernation,
  cancelHibernation,
  confirmHibernation,
  endAnsweredOrder,
  failHibernation,
} from "../../../src/lifecycle/rules/hibernation.ts";
import { isUnderWay } from "../../../src/lifecycle/rules/order.ts";
import { endOverdueOrder, failOrder } from "../../../src/lifecycle/rules/order-end.ts";
import { beginWake, failWake } from "../../../src/lifecycle/rules/waking.ts";
import { IN_STATUS } from "../statuses.ts";
import type { Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

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
  "a wake that begins": [
    ["hibernated"],
    (state, { policy, now }) => beginWake(state, policy, now, { by: "owner" }),
  ],
  "a wake that fails": [["waking"], (state, { now }) => failWake(state, now, { because: "503" })],
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
    (state, { now }) => failOrder(state, now, { because: "503" }),
  ],
  "an order that is called off": [
    ["hibernating", "waking", "deleting"],
    (state, { now }) => callOff(state, now, "x"),
  ],
  "an order whose end is never reported": [
    ["hibernating", "waking", "deleting"],
    (state, { now }) => endOverdueOrder(state, now + 30 * DAY),
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
