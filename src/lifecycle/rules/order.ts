import type { ActionKind, ActionOrder, ActionReason, Machine } from "../model/effects.ts";
import { emit } from "../model/outbox.ts";
import { type Action, isUnheard, type Phase } from "../model/phase.ts";
import { abilitiesOf } from "../model/provider.ts";
import { type InstanceState, machineOf } from "../model/state.ts";

/** An order: how it is placed, and whether it still stands. */

/**
 * Places an order for the machine that the instance watches now. An order by the answer to a heartbeat needs no effect,
 * but takes an id all the same.
 */
export function placeOrder(
  state: InstanceState,
  kind: ActionKind,
  reason: ActionReason,
  at: number,
  snapshotFirst = false,
): { state: InstanceState; action: Action } {
  const machine = machineOf(state.profile);
  const id = `${kind.replace("_", "-")}-${state.nextEffectId.toString(36)}`;
  const order = {
    actionId: id,
    kind,
    reason,
    machine,
    sighted: state.sighted,
    isHibernated: state.phase.status === "hibernated",
    snapshotFirst,
    ...markOfNeverHeard(state.phase, reason),
  };
  return {
    state: takesOrdersByAnswer(machine)
      ? { ...state, nextEffectId: state.nextEffectId + 1 }
      : emit(state, { type: "action", order }),
    action: { id, kind, orderedAt: at, machine, handover: { state: "waiting" }, tries: 0 },
  };
}

/** Whether the machine takes orders in the answer to its heartbeat, and no provider is called. */
export function takesOrdersByAnswer({ provider }: Pick<Machine, "provider">): boolean {
  return abilitiesOf(provider).hibernates === "by answer";
}

/** The order under way, or null. */
export function actionOf(state: InstanceState): Action | null {
  return "action" in state.phase ? state.phase.action : null;
}

/**
 * The order under way, as whoever carries it out is told; null without one, or for one by answer. Whether its delete was to
 * take a snapshot first is not kept, so it does.
 */
export function orderOf(state: InstanceState): ActionOrder | null {
  const { phase } = state;
  if (!("action" in phase) || takesOrdersByAnswer(phase.action.machine)) return null;
  const { id, kind, machine } = phase.action;
  const reason = reasonOf(phase);
  return {
    actionId: id,
    kind,
    machine,
    reason,
    sighted: state.sighted,
    isHibernated: phase.status === "waking" || (phase.status === "deleting" && phase.hibernated !== null),
    snapshotFirst: kind === "delete",
    ...markOfNeverHeard(phase, reason),
  };
}

function markOfNeverHeard(phase: Phase, reason: ActionReason): Pick<ActionOrder, "neverHeard"> {
  return reason === "silence" && isUnheard(phase) ? { neverHeard: true } : {};
}

function reasonOf(phase: Extract<Phase, { readonly action: Action }>): ActionReason {
  switch (phase.status) {
    case "hibernating":
      return phase.reason;
    // Its phase keeps why it was hibernated.
    case "waking":
      return "owner";
    case "deleting":
      return "silence";
  }
}

/** Whether the order still stands. Only then may it be carried out. */
export function isUnderWay(state: InstanceState, actionId: string): boolean {
  const action = actionOf(state);
  if (action?.id !== actionId) return false;
  return action.handover.state !== "trying" || action.handover.calledOffBecause === null;
}
