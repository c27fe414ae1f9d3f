import { type Costs, type Counters, emptyCounters } from "./counters.ts";
import type { ActionKind, ActionReason, GuardedStep, PendingEffect } from "./effects.ts";
import type { GpuReading, Heartbeat } from "./heartbeat.ts";
import type { ProviderKind } from "./provider.ts";
import type { Trend } from "./trend.ts";

/** Everything that is known about one instance: plain data, so that it can be stored as one JSON row. */
export interface InstanceState {
  readonly profile: Profile;
  readonly phase: Phase;
  readonly clock: Clock;
  readonly counters: Counters;
  /** The newest heartbeats, oldest first. */
  readonly recent: readonly Heartbeat[];
  /** How many of the newest in `recent` are in no chunk yet. */
  readonly unflushed: number;
  /** GPU utilization of the last hour. */
  readonly gpuTrend: Trend;
  readonly outbox: readonly PendingEffect[];
  readonly nextEffectId: number;
  readonly flaps: Flaps;
  readonly agent: Agent;
  /** When the owner was last told of a step that nobody can take. */
  readonly reminders: {
    readonly wouldHibernateAt: number | null;
    readonly wouldDeleteAt: number | null;
  };
}

/** What the owner says about the instance. */
export interface Profile extends Costs {
  readonly name: string;
  readonly provider: ProviderKind;
  /** The provider's own id of the instance; null when it is the instance's id. */
  readonly providerRef: string | null;
  readonly registeredAt: number;
}

export interface Clock {
  readonly lastHeartbeatAt: number | null;
  readonly keepAliveUntil: number | null;
  /** No ladder step before this moment: a wake is under way. */
  readonly graceUntil: number | null;
  /** Silence before this moment does not count: the service itself was away, or the instance was just woken. */
  readonly countsFrom: number | null;
}

/** Where the instance stands. Each variant holds just what that standing needs. */
export type Phase =
  | { readonly status: "pending" }
  | { readonly status: "running"; readonly idle: IdleRun | null }
  | { readonly status: "orphaned"; readonly orphan: Orphan }
  | {
      readonly status: "hibernating";
      readonly action: Action;
      readonly reason: ActionReason;
      readonly orphan: Orphan | null;
    }
  | Hibernated
  | { readonly status: "waking"; readonly action: Action; readonly reason: ActionReason }
  | {
      readonly status: "deleting";
      readonly action: Action;
      readonly orphan: Orphan;
      /** How it stood before, to return to if it is not deleted; null for an orphan that was not hibernated. */
      readonly hibernated: Hibernated | null;
    }
  | { readonly status: "deleted"; readonly at: number };

export interface Hibernated {
  readonly status: "hibernated";
  readonly since: number;
  /** From here on the hibernation is not in the savings yet. */
  readonly unsavedFrom: number;
  readonly reason: ActionReason;
  readonly orphan: Orphan | null;
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

/** An unbroken row of heartbeats under the threshold. */
export interface IdleRun {
  readonly since: number;
  readonly metric: "GPU" | "CPU";
  readonly highestPercent: number;
  readonly heartbeats: number;
  readonly warnedAt: number | null;
}

/** How far a silent instance has come on the liveness ladder. */
export interface Orphan {
  /** The exact moment at which it became an orphan. */
  readonly since: number;
  /** The ladder's times count from here. */
  readonly clockFrom: number;
  readonly step: "orphaned" | "hibernate" | "force_hibernate";
  readonly guard: GuardQuestion | null;
}

/** A step that waits for the mass-outage guard's answer. */
export interface GuardQuestion {
  readonly step: GuardedStep;
  /** Since when the guard has held the step back; null while it has not answered. */
  readonly heldSince: number | null;
  readonly askAgainAt: number | null;
}

/** An order under way. */
export interface Action {
  readonly id: string;
  readonly kind: ActionKind;
  readonly orderedAt: number;
  /** When the instance itself or its provider was told; until then the order can be called off. */
  readonly toldAt: number | null;
}

/** Moments of the last hour at which the instance became an orphan, and whether it was told of as flapping. */
export interface Flaps {
  readonly turns: readonly number[];
  readonly told: boolean;
}

/** What is known of the agent itself, and the last that it said of each GPU. */
export interface Agent {
  readonly bootId: string | null;
  /** The newest heartbeat of this boot: what is not newer was heard before. */
  readonly sequence: number | null;
  readonly gpus: readonly GpuReading[];
  /** The number of the next heartbeat in the history, late readings included. */
  readonly nextInHistory: number;
}

/** How many of the newest heartbeats the live state keeps. */
export const RECENT_HEARTBEATS = 20;

export function newState(profile: Profile): InstanceState {
  return {
    profile,
    phase: { status: "pending" },
    clock: { lastHeartbeatAt: null, keepAliveUntil: null, graceUntil: null, countsFrom: null },
    counters: emptyCounters(),
    recent: [],
    unflushed: 0,
    gpuTrend: [],
    outbox: [],
    // Ids start at the time of registration, so that an instance registered anew under the same id never
    // repeats an id of its former life.
    nextEffectId: profile.registeredAt,
    flaps: { turns: [], told: false },
    agent: { bootId: null, sequence: null, gpus: [], nextInHistory: 1 },
    reminders: { wouldHibernateAt: null, wouldDeleteAt: null },
  };
}

/** The orphan's standing, which outlives hibernation, or null. */
export function orphanOf(phase: Phase): Orphan | null {
  switch (phase.status) {
    case "orphaned":
    case "hibernating":
    case "hibernated":
    case "deleting":
      return phase.orphan;
    case "pending":
    case "running":
    case "waking":
    case "deleted":
      return null;
  }
}

/** From when silence counts, or null for an instance that was never heard nor kept alive. */
export function seenAt(clock: Clock): number | null {
  return latest(clock.lastHeartbeatAt, clock.keepAliveUntil, clock.countsFrom);
}

/** As `seenAt`, but by the instance's own heartbeats alone: a keep-alive says nothing about an order obeyed. */
export function heardAt(clock: Clock): number | null {
  return latest(clock.lastHeartbeatAt, clock.countsFrom);
}

function latest(...moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.max(...known);
}
