import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { endSavings, summarizeHibernation } from "./hibernation.ts";
import { placeOrder } from "./order.ts";

/**
 * An order to wake: how it begins, is confirmed, succeeds or fails. It succeeds with the first heartbeat, or, once the
 * provider has confirmed it, at the end of the grace period.
 */

export function beginWake(state: InstanceState, policy: Policy, at: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated") return state;
  const ordered = placeOrder(state, "wake", "owner", at);
  return record(
    {
      ...endSavings(ordered.state, phase, at),
      phase: {
        status: "waking",
        action: ordered.action,
        reason: phase.reason,
        confirmedAt: null,
        openLook: phase.openLook,
      },
      clock: { ...state.clock, graceUntil: at + policy.wakeGraceMs, countsFrom: at },
    },
    {
      at,
      kind: "waking",
      severity: "info",
      message: "Waking as you asked",
      detail: {
        action_id: ordered.action.id,
        grace_until: toIso(at + policy.wakeGraceMs),
        ...summarizeHibernation(phase, policy, at),
      },
    },
  );
}

/** The provider shows the machine running. From here on it must send heartbeats like any other. */
export function confirmWake(state: InstanceState, at: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "waking" || phase.confirmedAt !== null) return state;
  return { ...state, phase: { ...phase, confirmedAt: at }, clock: { ...state.clock, countsFrom: at } };
}

/** When a machine that its provider shows running counts as running without a heartbeat; null for any other. */
export function wakeGraceDeadline({ phase, clock }: InstanceState): number | null {
  if (phase.status !== "waking" || phase.confirmedAt === null) return null;
  return Math.max(phase.confirmedAt, clock.graceUntil ?? 0);
}

/** The grace period after the wake is over: the instance is watched like any other. */
export function endWakeGrace(state: InstanceState, now: number): InstanceState {
  const due = wakeGraceDeadline(state);
  if (due === null || now < due) return state;
  return record(
    { ...state, phase: { status: "running", idle: null }, clock: { ...state.clock, graceUntil: null } },
    { at: due, kind: "woken", severity: "info", message: "Woken by its provider's word; not heard yet" },
  );
}

/**
 * Nobody told how the start ended, and the provider may have heard it. So the machine may run and cost money: it is watched
 * like any other, rather than taken for asleep.
 */
export function presumeWoken(state: InstanceState, at: number): InstanceState {
  const { phase, clock } = state;
  if (phase.status !== "waking") return state;
  // After a downtime of the service silence counts from its end, and the deadline may have passed long before.
  const countsFrom = Math.max(at, clock.countsFrom ?? 0);
  return record(
    {
      ...state,
      phase: { status: "running", idle: null },
      clock: { ...clock, graceUntil: null, countsFrom },
    },
    {
      at,
      kind: "woken",
      severity: "warning",
      message: "Nobody reported how the start ended: the machine may be running, and is watched from now on",
      detail: { action_id: phase.action.id },
    },
  );
}

/** The first heartbeat came: the wake has succeeded. */
export function finishWake(state: InstanceState, at: number, detail: EventDetail = {}): InstanceState {
  return record(
    { ...state, phase: { status: "running", idle: null } },
    { at, kind: "woken", severity: "info", message: "Woken: heartbeats are back", detail },
  );
}

export function failWake(state: InstanceState, at: number, because: string): InstanceState {
  const { phase } = state;
  if (phase.status !== "waking") return state;
  return record(
    {
      ...state,
      phase: {
        status: "hibernated",
        since: at,
        unsavedFrom: at,
        reason: phase.reason,
        orphan: null,
        openLook: phase.openLook,
      },
      clock: { ...state.clock, graceUntil: null },
    },
    {
      at,
      kind: "wake_failed",
      severity: "critical",
      message: `Could not wake: ${because}. Wait and wake it again, start it where it is rented, or fetch its data and recreate it`,
      detail: { action_id: phase.action.id },
    },
  );
}
