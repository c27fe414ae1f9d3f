import { type Costs, type Counters, emptyCounters } from "./counters.ts";
import type { ActionKind, ActionReason, GuardedStep, Machine, PendingEffect, Sighted } from "./effects.ts";
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
  /** When and with which credentials the machine was last seen at its provider; null for one that never was. */
  readonly sighted: Sighted | null;
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
  | Awake
  | {
      readonly status: "hibernating";
      readonly action: Action;
      readonly reason: ActionReason;
      /** How it stands if it is not hibernated: a heartbeat may change that while the order is under way. */
      readonly before: Awake;
    }
  | Hibernated
  | {
      readonly status: "waking";
      readonly action: Action;
      readonly reason: ActionReason;
      /** When its provider said that it runs; null while the order is under way. It still has to be heard. */
      readonly confirmedAt: number | null;
    }
  | {
      readonly status: "deleting";
      readonly action: Action;
      readonly orphan: Orphan;
      /** How it stood before, to return to if it is not deleted; null for an orphan that was not hibernated. */
      readonly hibernated: Hibernated | null;
    }
  | { readonly status: "deleted"; readonly at: number };

/** An instance that nothing is being done to: as its heartbeats, or their absence, have it. */
export type Awake = { readonly status: "pending" } | Running | Orphaned;

export interface Running {
  readonly status: "running";
  readonly idle: IdleRun | null;
}

export interface Orphaned {
  readonly status: "orphaned";
  readonly orphan: Orphan;
}

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

/** Orders of one kind that failed, one after the other: told once, and tried again ever more seldom. */
export interface Failures {
  readonly count: number;
  readonly retryAt: number;
}

/** A step that waits for the mass-outage guard's answer. */
export interface GuardQuestion {
  readonly step: GuardedStep;
  /** Since when the guard has held the step back; null while it has not answered. */
  readonly heldSince: number | null;
  /** When it is asked again: the answer was no, or never came. */
  readonly askAgainAt: number;
}

/** An order under way. */
export interface Action {
  readonly id: string;
  readonly kind: ActionKind;
  readonly orderedAt: number;
  /** The machine for which it was decided, and no other. */
  readonly machine: Machine;
  readonly handover: Handover;
}

/**
 * How far an order has come to whoever carries it out.
 * - `waiting`: nobody has it. It can be called off.
 * - `trying`: a try is on its way, and may be accepted at any moment. It is called off as soon as that try has failed.
 * - `accepted`: it is being obeyed and can't be called off.
 */
export type Handover =
  | { readonly state: "waiting" }
  | { readonly state: "trying"; readonly calledOffBecause: string | null }
  | { readonly state: "accepted"; readonly at: number };

/** Moments of the last hour at which the instance became an orphan, and whether it was told of as flapping. */
export interface Flaps {
  readonly turns: readonly number[];
  readonly told: boolean;
}

/** What is known of the agent itself, and the last that it said of each GPU. */
export interface Agent {
  /** Names one run of the agent; null for an agent that does not say. */
  readonly bootId: string | null;
  /** The number of the newest heartbeat of this run: one that comes again is a repeat. */
  readonly sequence: number | null;
  readonly gpus: readonly GpuReading[];
  /** Whether a GPU was ever reported: from then on one that can't be read is unknown, not absent. */
  readonly hasGpu: boolean;
  /** When its last restart was told; those within the hour after it are not. */
  readonly rebootToldAt: number | null;
  /** When it last said by itself that it hibernates: such a word counts once in a while. */
  readonly lastWordAt: number | null;
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
    agent: {
      bootId: null,
      sequence: null,
      gpus: [],
      hasGpu: false,
      rebootToldAt: null,
      lastWordAt: null,
      nextInHistory: 1,
    },
    sighted: null,
    reminders: { wouldHibernateAt: null, wouldDeleteAt: null },
  };
}

/** The orphan's standing, which outlives hibernation, or null. */
export function orphanOf(phase: Phase): Orphan | null {
  switch (phase.status) {
    case "orphaned":
    case "hibernated":
    case "deleting":
      return phase.orphan;
    case "hibernating":
      return orphanOf(phase.before);
    case "pending":
    case "running":
    case "waking":
    case "deleted":
      return null;
  }
}

/** The idle run, which an order to hibernate does not end, or null. */
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

/** The machine that the instance stands for. */
export function machineOf({ provider, providerRef }: Profile): Machine {
  return { provider, providerRef };
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
