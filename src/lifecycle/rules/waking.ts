import type { EventDetail } from "../model/history-event.ts";
import type { InstanceEvent } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { exactly, toIso } from "../model/time.ts";
import { sayWaysOn } from "../model/ways-on.ts";
import { phrase } from "../model/words/phrase.ts";
import { summarizeHibernation } from "./hibernation.ts";
import { lookAfterWake } from "./look.ts";
import { placeOrder } from "./order.ts";

/**
 * An order to wake: how it begins, is confirmed, succeeds or fails. It succeeds with the first heartbeat, or, once the
 * provider has confirmed it, at the end of the grace period.
 */

/** Who has it woken: a person, or its schedule, whose awake hours have begun at `begunAt`. */
export type WakeCause = { readonly by: "owner" } | { readonly by: "schedule"; readonly begunAt: number };

export function beginWake(state: InstanceState, policy: Policy, at: number, cause: WakeCause): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated") return state;
  const ordered = placeOrder(state, "wake", "owner", at);
  return record(
    {
      ...ordered.state,
      phase: {
        status: "waking",
        action: ordered.action,
        reason: phase.reason,
        because: phase.because,
        confirmedAt: null,
        openLook: phase.openLook,
      },
      clock: { ...state.clock, graceUntil: at + policy.wakeGraceMs, countsFrom: at },
      reclaimed: undefined,
      noticedFrom: undefined,
    },
    {
      at,
      kind: "waking",
      severity: "info",
      message: cause.by === "owner" ? phrase("wake.as_asked") : phrase("wake.schedule"),
      detail: {
        ...(cause.by === "owner" ? {} : { rule: "schedule", began_at: toIso(cause.begunAt) }),
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
  if (due === null || now < due || state.phase.status !== "waking") return state;
  return record(
    { ...state, phase: { status: "running", idle: null }, clock: { ...state.clock, graceUntil: null } },
    {
      at: due,
      kind: "woken",
      severity: "info",
      message: phrase("wake.by_provider"),
      detail: exactly("confirmed_at", state.phase.confirmedAt ?? due),
    },
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
      message: phrase("wake.presumed"),
      detail: { action_id: phase.action.id },
    },
  );
}

/** The first heartbeat came: the wake has succeeded. */
export function finishWake(state: InstanceState, at: number, detail: EventDetail = {}): InstanceState {
  return record(
    { ...state, phase: { status: "running", idle: null } },
    { at, kind: "woken", severity: "info", message: phrase("wake.done"), detail },
  );
}

/** How a wake fails: see the event `action.failed`. */
export type FailedWake = Pick<
  Extract<InstanceEvent, { type: "action.failed" }>,
  "because" | "notCancelled" | "isRefused"
>;

/**
 * The wake has failed, and the owner is told what can be done. Where its start may still come through, the instance counts as
 * hibernated, but saves nothing, and its provider is asked until it is known.
 */
export function failWake(state: InstanceState, at: number, failed: FailedWake): InstanceState {
  const { phase } = state;
  if (phase.status !== "waking") return state;
  const { because, notCancelled, isRefused = false } = failed;
  const { id: actionId, machine, tries } = phase.action;
  const kind = kindOf(machine.provider);
  const isNeverTaken = tries === 0 || (tries === 1 && isRefused);
  const mayStart = notCancelled !== undefined && !isNeverTaken;
  // The stop that ended this start has ended any before it.
  const isOver = notCancelled === undefined && phase.openLook?.because === "wake";
  const fate = mayStart ? phrase("wake.may_start", { because: notCancelled, provider: kind }) : "";
  return record(
    {
      ...state,
      phase: {
        status: "hibernated",
        since: at,
        unsavedFrom: at,
        reason: phase.reason,
        because: phase.because,
        orphan: null,
        openLook: mayStart ? lookAfterWake(at) : isOver ? undefined : phase.openLook,
        wakeFailed: { at, because, actionId },
      },
      clock: { ...state.clock, graceUntil: null },
    },
    {
      at,
      kind: "wake_failed",
      severity: "critical",
      message: phrase("wake.failed", { because, fate, ways: sayWaysOn(kind) }),
      detail: { action_id: actionId, ...(mayStart ? { may_start: true } : {}) },
    },
  );
}
