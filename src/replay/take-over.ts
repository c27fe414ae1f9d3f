import {
  awaitHeartbeat,
  type IdleRun,
  isAsleep,
  type Orphan,
  orphanOf,
  type Phase,
} from "../lifecycle/model/phase.ts";
import { type InstanceState, withIdleRun, withOrphan } from "../lifecycle/model/state.ts";
import { openLook } from "../lifecycle/rules/look.ts";
import { noteRunning } from "../lifecycle/rules/running-since.ts";
import { askedBy, momentIn, numberIn, textIn } from "./detail.ts";
import type { PastEvent } from "./story.ts";
import { action, asleep, hibernated, hibernating } from "./take-over-orders.ts";

/** How an instance stands once an event has happened, whatever was decided before: what the event says is true. */

/** The state after this event. What the event leaves open stays as it was. */
export function takeOver(state: InstanceState, event: PastEvent): InstanceState {
  const next = noteRunning(state, afterEvent(state, event), null, event.at);
  const isWoken = isAsleep(state.phase) && !isAsleep(next.phase);
  return isWoken ? { ...next, meantToRunSince: event.at } : next;
}

function afterEvent(state: InstanceState, event: PastEvent): InstanceState {
  const { at, detail } = event;
  const { phase, clock } = state;
  switch (event.kind) {
    case "first_heartbeat":
    case "woken":
      return { ...inPhase(state, RUNNING), clock: { ...clock, graceUntil: null } };
    case "idle":
      return withIdleRun(phase.status === "running" ? state : inPhase(state, RUNNING), idleRun(event));
    case "busy":
      return withIdleRun(state, null);
    case "kept_alive": {
      const woken =
        phase.status === "pending" || phase.status === "orphaned" ? inPhase(state, RUNNING) : state;
      const until = momentIn(detail, "keep_alive_until") ?? at;
      return {
        ...withIdleRun(woken, null),
        clock: { ...clock, keepAliveUntil: until },
        plannedStops: undefined,
        meantToRunSince: at,
      };
    }
    case "never_heard":
      return inPhase(state, {
        ...awaitHeartbeat("registered", momentIn(detail, "awaited_from") ?? at),
        orphan: orphan(at, momentIn(detail, "awaited_from") ?? at, "orphaned"),
      });
    case "orphaned":
      return becomeOrphan(state, event);
    case "silent":
    case "abandoned":
      return climb(state, event);
    case "recovered":
      return recovered(state);
    case "guard_deferred":
      return guarded(state, event, at);
    case "guard_permitted":
      return restarted(state, momentIn(detail, "counts_from") ?? at);
    case "preparing":
      return preparing(state, event);
    case "prepared":
    case "preparation_failed":
    case "preparation_overdue":
      return state;
    case "preparation_cancelled":
      return phase.status === "running" ? inPhase(state, { ...phase, preparation: undefined }) : state;
    case "hibernating":
      return hibernating(state, event);
    case "hibernate_cancelled":
    case "hibernate_failed":
      return phase.status === "hibernating" ? inPhase(state, phase.before) : state;
    case "hibernated":
      return hibernated(state, event);
    case "would_hibernate":
      return { ...state, reminders: { ...state.reminders, wouldHibernateAt: at } };
    case "would_delete":
      return { ...state, reminders: { ...state.reminders, wouldDeleteAt: at } };
    case "would_wake":
      return { ...state, reminders: { ...state.reminders, wouldWakeAt: momentIn(detail, "began_at") ?? at } };
    case "waking":
      return {
        ...inPhase(state, {
          status: "waking",
          action: action(state, event, "wake"),
          reason: phase.status === "hibernated" ? phase.reason : "owner",
          because: phase.status === "hibernated" ? phase.because : undefined,
          confirmedAt: null,
        }),
        clock: { ...clock, graceUntil: momentIn(detail, "grace_until"), countsFrom: at },
        reclaimed: undefined,
        noticedFrom: undefined,
      };
    case "wake_failed":
      return {
        ...inPhase(state, asleep(at, phase.status === "waking" ? phase : { reason: "owner" })),
        clock: { ...clock, graceUntil: null },
      };
    case "deleting":
      return inPhase(state, {
        status: "deleting",
        action: action(state, event, "delete"),
        orphan: orphanOf(phase) ?? orphan(momentIn(detail, "orphaned_since") ?? at, at, "force_hibernate"),
        hibernated: phase.status === "hibernated" ? phase : null,
      });
    case "delete_cancelled":
    case "delete_failed":
      if (phase.status !== "deleting") return state;
      return inPhase(
        state,
        phase.hibernated === null
          ? { status: "orphaned", orphan: phase.orphan }
          : { ...phase.hibernated, orphan: phase.orphan },
      );
    case "deleted":
    case "gone":
      return inPhase(state, { status: "deleted", at });
    case "found_running":
      return inPhase(state, { ...awaitHeartbeat("started", at), orphan: orphan(at, at, "orphaned") });
    case "resumed":
      return resumed(state, event);
    case "changed":
      return detail.moved === true
        ? {
            ...inPhase(state, awaitHeartbeat("moved", at)),
            clock: { ...clock, graceUntil: null, countsFrom: at },
            use: undefined,
          }
        : state;
    case "looked":
      return phase.status === "hibernated" ? inPhase(state, { ...phase, openLook: undefined }) : state;
    case "reclaimed":
      return {
        ...state,
        reclaimed: {
          by: textIn(detail, "by"),
          action: textIn(detail, "action"),
          at,
          endsAt: momentIn(detail, "ends_at"),
        },
        noticedFrom: at,
        noticeToldAt: at,
      };
    default:
      return state;
  }
}

const RUNNING: Phase = { status: "running", idle: null };

function inPhase(state: InstanceState, phase: Phase): InstanceState {
  return { ...state, phase };
}

function idleRun({ at, detail }: PastEvent): IdleRun {
  return {
    since: momentIn(detail, "idle_since") ?? at,
    metric: detail.metric === "CPU" ? "CPU" : "GPU",
    highestPercent: numberIn(detail, "highest_percent") ?? 0,
    heartbeats: numberIn(detail, "heartbeats") ?? 0,
    warnedAt: at,
    failed: null,
  };
}

function orphan(since: number, clockFrom: number, step: Orphan["step"]): Orphan {
  return { since, clockFrom, step, guard: null, failed: null, deleteFailed: null };
}

/** Since when it is silent, as an event says. */
function seenIn({ at, detail }: PastEvent): number {
  return (
    Math.max(
      ...["last_heartbeat", "keep_alive_until", "counts_from"].map((name) => momentIn(detail, name) ?? 0),
    ) || at
  );
}

function becomeOrphan(state: InstanceState, event: PastEvent): InstanceState {
  const clockFrom = seenIn(event);
  return {
    ...inPhase(state, { status: "orphaned", orphan: orphan(event.at, clockFrom, "orphaned") }),
    clock: {
      ...state.clock,
      lastHeartbeatAt: momentIn(event.detail, "last_heartbeat") ?? state.clock.lastHeartbeatAt,
      graceUntil: null,
    },
  };
}

function climb(state: InstanceState, event: PastEvent): InstanceState {
  const known = orphanOf(state.phase) === null ? becomeOrphan(state, event) : state;
  const place = orphanOf(known.phase);
  const step = event.kind === "silent" ? "hibernate" : "force_hibernate";
  return place === null
    ? known
    : withOrphan(known, {
        ...place,
        step,
        clockFrom: momentIn(event.detail, "counts_from") ?? place.clockFrom,
      });
}

function recovered(state: InstanceState): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "orphaned":
      return inPhase(state, RUNNING);
    case "hibernated":
      return inPhase(state, { ...phase, orphan: null });
    case "hibernating":
      return inPhase(state, { ...phase, before: { status: "running", idle: null } });
    case "pending":
      return inPhase(state, { ...phase, orphan: undefined });
    case "running":
    case "waking":
    case "deleting":
    case "deleted":
      return state;
  }
}

function guarded(state: InstanceState, { detail }: PastEvent, heldSince: number): InstanceState {
  const place = orphanOf(state.phase);
  const step = (["hibernate", "force_hibernate", "delete"] as const).find((each) => each === detail.step);
  if (place === null || step === undefined) return state;
  return withOrphan(state, { ...place, guard: { step, heldSince, askAgainAt: heldSince } });
}

function restarted(state: InstanceState, from: number): InstanceState {
  const place = orphanOf(state.phase);
  return place === null
    ? state
    : withOrphan(state, { ...place, clockFrom: from, step: "orphaned", guard: null });
}

function preparing(state: InstanceState, event: PastEvent): InstanceState {
  const asked = askedBy(event);
  const running = state.phase.status === "running" ? state.phase : { status: "running" as const, idle: null };
  if (asked?.because == null || asked.reason === "silence" || asked.reason === "instance") return state;
  return inPhase(state, {
    ...running,
    preparation: {
      id: textIn(event.detail, "preparation_id") ?? event.id,
      beganAt: event.at,
      limitAt: momentIn(event.detail, "limit_at") ?? event.at,
      order: { reason: asked.reason, because: asked.because, message: "Hibernating", detail: {} },
      isFailureTold: false,
    },
  });
}

/** An order of before is called off, and silence counts from here. */
function resumed(state: InstanceState, event: PastEvent): InstanceState {
  const next = { ...state.clock, graceUntil: null, countsFrom: event.at };
  return openLook({ ...inPhase(state, phaseResumed(state, event)), clock: next }, event.at);
}

function phaseResumed({ phase }: InstanceState, { at, detail }: PastEvent): Phase {
  const { status, origin } = detail;
  if (status === "deleted") return { status, at };
  if (status === "hibernated" || status === "deleting") {
    return phase.status === "hibernated" ? phase : asleep(at, { reason: "owner" });
  }
  if (origin === "import") return awaitHeartbeat("imported", at);
  if (status === "pending") return awaitHeartbeat("unknown", at);
  return status === "orphaned" ? { status, orphan: orphan(at, at, "orphaned") } : RUNNING;
}
