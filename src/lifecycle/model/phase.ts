import type { ActionKind, ActionReason, GuardedStep, Machine, PlannedCause, StopCause } from "./effects.ts";
import type { Preparation } from "./preparation.ts";

/** The phase that an instance is in. Each variant holds only what that phase needs. */
export type Phase =
  | Awake
  | {
      readonly status: "hibernating";
      readonly action: Action;
      readonly reason: ActionReason;
      /** Absent where the reason says it all. */
      readonly because?: StopCause | undefined;
      /** The phase to return to if it is not hibernated. Heartbeats may change it while the order is under way. */
      readonly before: Awake;
    }
  | Hibernated
  | {
      readonly status: "waking";
      readonly action: Action;
      /** As it was hibernated, for a wake that fails. */
      readonly reason: ActionReason;
      readonly because?: StopCause | undefined;
      /** When the provider said that the machine runs; null before. The wake ends with the first heartbeat. */
      readonly confirmedAt: number | null;
      /** As it was when the wake was ordered, for a wake that fails. */
      readonly openLook?: OpenLook | undefined;
    }
  | {
      readonly status: "deleting";
      readonly action: Action;
      readonly orphan: Orphan;
      /** The phase to return to if it is not deleted; null for an orphan that was not hibernated. */
      readonly hibernated: Hibernated | null;
    }
  | { readonly status: "deleted"; readonly at: number };

/** No order is under way or done: the phase follows from heartbeats alone, or from their absence. */
export type Awake = Pending | Running | Orphaned;

/** Nothing was heard of the machine so far. */
export interface Pending {
  readonly status: "pending";
  /** Absent in what a former release wrote: nobody knows why nothing was heard. */
  readonly unheard?: Unheard | undefined;
  /** Its place on the ladder once its owner was told that it was never heard; absent before. */
  readonly orphan?: Orphan | undefined;
}

/** Why a first heartbeat is awaited, and since when. */
export interface Unheard {
  /**
   * - `registered`, `moved`: its owner chose this very machine, here.
   * - `imported`: it comes from an export, and may be heard where it was exported from.
   * - `started`: it was hibernated, and found running: somebody started it.
   * - `unknown`: it registered itself, or was registered because its provider lists it; or a former release does not say.
   */
  readonly because: "registered" | "moved" | "imported" | "started" | "unknown";
  readonly from: number;
}

export interface Running {
  readonly status: "running";
  readonly idle: IdleRun | null;
  /** It is to be hibernated once its hooks have run. A release that does not know of it hibernates for idleness at once. */
  readonly preparation?: Preparation | undefined;
}

export interface Orphaned {
  readonly status: "orphaned";
  readonly orphan: Orphan;
}

export interface Hibernated {
  readonly status: "hibernated";
  readonly since: number;
  /** The savings do not include the time from here on yet. A release without a ledger goes by it: here the ledger does. */
  readonly unsavedFrom: number;
  readonly reason: ActionReason;
  /** Absent where the reason says it all. */
  readonly because?: StopCause | undefined;
  readonly orphan: Orphan | null;
  /** Nobody knows whether it still is. A release that does not know of it asks nobody. */
  readonly openLook?: OpenLook | undefined;
  /** How its last wake failed; absent where it was not woken since it was hibernated. */
  readonly wakeFailed?: WakeFailed | undefined;
}

/** A wake that has failed. */
export interface WakeFailed {
  readonly at: number;
  readonly because: string;
  readonly actionId: string;
}

/** A question that nobody has answered yet: whether the machine still is hibernated. */
export interface OpenLook {
  /** When its provider is asked next. */
  readonly askAt: number;
  /** How often that was done. */
  readonly tries: number;
  /** Since when nobody could say; null before the first answer. */
  readonly failingSince: number | null;
  /** Whether the owner was told that nobody knows. */
  readonly isTold: boolean;
  /**
   * `wake`: a wake has failed, and it is not known whether its start was cancelled: whoever asks cancels it first. Absent: after
   * a restore or an import. A release that does not know of it only asks.
   */
  readonly because?: "wake" | undefined;
}

export type Status = Phase["status"];

/** Every status, in the order of a life. */
export const STATUSES = [
  "pending",
  "running",
  "orphaned",
  "hibernating",
  "hibernated",
  "waking",
  "deleting",
  "deleted",
] as const satisfies readonly Status[];

/** An unbroken run of heartbeats under the idle threshold. */
export interface IdleRun {
  readonly since: number;
  readonly metric: "GPU" | "CPU";
  readonly highestPercent: number;
  readonly heartbeats: number;
  readonly warnedAt: number | null;
  readonly failed: Failures | null;
}

/** A hibernation that was planned ahead, and how far it has come. */
export interface PlannedStop {
  readonly because: PlannedCause;
  /** When its window ended, or its longest time: what tells this stop from the next. */
  readonly dueAt: number;
  readonly warnedAt: number | null;
  /** When its owner was told that it would be hibernated, and is not. */
  readonly toldAt: number | null;
  readonly failed: Failures | null;
}

/** How far a silent instance has come on the liveness ladder. */
export interface Orphan {
  /** The exact moment at which it became an orphan. */
  readonly since: number;
  /** The ladder's times count from here. */
  readonly clockFrom: number;
  readonly step: "orphaned" | "hibernate" | "force_hibernate";
  readonly guard: GuardQuestion | null;
  readonly failed: Failures | null;
  readonly deleteFailed: Failures | null;
}

/** Consecutive failures of one kind of order. The owner is told once; the retries come at growing intervals. */
export interface Failures {
  readonly count: number;
  readonly retryAt: number;
}

/** A step that waits for the mass-outage guard's answer. */
export interface GuardQuestion {
  readonly step: GuardedStep;
  /** Since when the guard has held the step back; null while it has not answered. */
  readonly heldSince: number | null;
  /** When the guard is asked again, because it said no or never answered. */
  readonly askAgainAt: number;
}

/** An order under way. */
export interface Action {
  readonly id: string;
  readonly kind: ActionKind;
  readonly orderedAt: number;
  /** The machine for which it was decided; the order is never carried out on another one. */
  readonly machine: Machine;
  readonly handover: Handover;
  /** How often a try was begun; absent in what a former release wrote. */
  readonly tries?: number | undefined;
}

/**
 * How far an order has come on its way to whoever carries it out.
 * - `waiting`: nobody has it yet, so it can be called off at once.
 * - `trying`: a try is on its way and may be accepted at any moment. The order can be called off once that try has failed.
 * - `accepted`: it is being carried out and can no longer be called off.
 */
export type Handover =
  | { readonly state: "waiting" }
  | { readonly state: "trying"; readonly calledOffBecause: string | null }
  | { readonly state: "accepted"; readonly at: number };

/** A machine whose first heartbeat is awaited. */
export function awaitHeartbeat(because: Unheard["because"], from: number): Pending {
  return { status: "pending", unheard: { because, from } };
}

/** Whether it is hibernated, also while it is being woken. */
export function isAsleep({ status }: Phase): boolean {
  return status === "hibernated" || status === "waking";
}

/** Whether nothing was heard of the machine so far. Then it did not fall silent either. */
export function isUnheard(phase: Phase): boolean {
  return phase.status === "pending" || (phase.status === "hibernating" && phase.before.status === "pending");
}

/** When it became an orphan; null for an instance that is none, as one that was never heard. */
export function orphanedSince(phase: Phase): number | null {
  return isUnheard(phase) ? null : (orphanOf(phase)?.since ?? null);
}

/** The place on the liveness ladder, which outlives hibernation; null for an instance that has none. */
export function orphanOf(phase: Phase): Orphan | null {
  switch (phase.status) {
    case "orphaned":
    case "hibernated":
    case "deleting":
      return phase.orphan;
    case "hibernating":
      return orphanOf(phase.before);
    case "pending":
      return phase.orphan ?? null;
    case "running":
    case "waking":
    case "deleted":
      return null;
  }
}

/** The idle run, which goes on while an order to hibernate is under way; null when there is none. */
export function idleRunOf(phase: Phase): IdleRun | null {
  switch (phase.status) {
    case "running":
      return phase.idle;
    case "hibernating":
      return idleRunOf(phase.before);
    case "pending":
    case "orphaned":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return null;
  }
}

/** Whether an order under way stems from the instance's silence. */
export function stemsFromSilence(phase: Phase): boolean {
  return phase.status === "deleting" || (phase.status === "hibernating" && phase.reason === "silence");
}

/** The same phase, where the savings include what there is to include up to `at`. */
export function savedUntil(phase: Phase, at: number): Phase {
  switch (phase.status) {
    case "hibernated":
      return { ...phase, unsavedFrom: Math.max(phase.unsavedFrom, at) };
    case "deleting":
      return phase.hibernated === null
        ? phase
        : {
            ...phase,
            hibernated: { ...phase.hibernated, unsavedFrom: Math.max(phase.hibernated.unsavedFrom, at) },
          };
    case "pending":
    case "running":
    case "orphaned":
    case "hibernating":
    case "waking":
    case "deleted":
      return phase;
  }
}

/** The hibernation, also while it is to end in a delete; null for an instance that is not hibernated. */
export function hibernationOf(phase: Phase): Hibernated | null {
  if (phase.status === "hibernated") return phase;
  return phase.status === "deleting" ? phase.hibernated : null;
}

/** The preparation under way; null where there is none. */
export function preparationOf(phase: Phase): Preparation | null {
  return phase.status === "running" ? (phase.preparation ?? null) : null;
}
