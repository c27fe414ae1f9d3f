import { type Costs, type Counters, emptyCounters, MAXIMUM_HOURLY_COST } from "./counters.ts";
import type { Machine, PendingEffect, Sighted } from "./effects.ts";
import type { GpuReading, Heartbeat } from "./heartbeat.ts";
import type { HookStage } from "./heartbeat-use.ts";
import { type Ledger, newLedger } from "./ledger.ts";
import {
  awaitHeartbeat,
  type IdleRun,
  type Orphan,
  type Phase,
  type PlannedStop,
  type Unheard,
} from "./phase.ts";
import type { EndedPreparation } from "./preparation.ts";
import type { ConnectedProvider } from "./provider.ts";
import type { Tags } from "./tags.ts";
import type { Trend } from "./trend.ts";
import type { UseSeen } from "./use.ts";

/** Everything that is known about one instance, as plain data that is stored in one JSON row. */
export interface InstanceState {
  readonly profile: Profile;
  readonly phase: Phase;
  readonly clock: Clock;
  readonly counters: Counters;
  /** What it costs. Absent in what a former release wrote: then it begins with the next event. */
  readonly ledger?: Ledger | undefined;
  /** What its fleet was last told of its costs, and goes on from. Absent before the first time. */
  readonly toldCosts?: ToldCosts | undefined;
  /** The newest heartbeats, oldest first. */
  readonly recent: readonly Heartbeat[];
  /** How many of the newest in `recent` have not been put into a chunk yet. */
  readonly unflushed: number;
  /** What its newest heartbeat showed of its use. Absent before, and in what a former release wrote. */
  readonly use?: UseSeen | undefined;
  /** GPU utilization of the last hour. */
  readonly gpuTrend: Trend;
  readonly outbox: readonly PendingEffect[];
  readonly nextEffectId: number;
  readonly flaps: Flaps;
  readonly agent: Agent;
  /** When and with which credentials the machine was last seen at its provider; null if it never was. */
  readonly sighted: Sighted | null;
  /** Dollars an hour that its machine costs while it runs, as its provider lists it; absent where it does not say. */
  readonly listedHourlyCost?: number | undefined;
  /** Dollars an hour that its machine costs while it is stopped, by its provider's word; absent where that was not said. */
  readonly stoppedHourlyCost?: number | undefined;
  /** When somebody last had it run on: woke it, kept it alive, or gave it another machine. Absent where nobody has. */
  readonly meantToRunSince?: number | undefined;
  /** Since when it runs, as far as is known. Absent while it does not, and before a former release's row is heard again. */
  readonly runningSince?: number | undefined;
  /** Windows and limits of the policy count from here: what lies before was decided by a former one. Absent: from ever. */
  readonly windowsFrom?: number | undefined;
  /** The last of each cause. Absent before its owner is warned of a first one. */
  readonly plannedStops?: readonly PlannedStop[] | undefined;
  /** The last preparation that is over. */
  readonly lastPreparation?: EndedPreparation | undefined;
  /** Its provider takes the machine back, as the machine said and has not withdrawn. */
  readonly reclaimed?: Reclaimed | undefined;
  /** The first of its notices that have come to nothing so far: they are believed for a while from then. */
  readonly noticedFrom?: number | undefined;
  /** When its owner was last told of such a notice. */
  readonly noticeToldAt?: number | undefined;
  /** When its dead-man switch hibernated it, as its owner was last told. */
  readonly deadManActedAt?: number | undefined;
  /** When that was. */
  readonly deadManToldAt?: number | undefined;
  /** When the owner was last told that a step is due which no provider can take. */
  readonly reminders: {
    readonly wouldHibernateAt: number | null;
    readonly wouldDeleteAt: number | null;
    /** The beginning of the window for which it would be woken. */
    readonly wouldWakeAt?: number | undefined;
  };
}

/** A provider's notice that it takes a spot machine back. */
export interface Reclaimed {
  readonly by: string | null;
  /** What it does with it, in its own word, such as `terminate`. */
  readonly action: string | null;
  readonly at: number;
  /** When it does so; null where that was not said. */
  readonly endsAt: number | null;
}

export interface ToldCosts {
  readonly at: number;
  /** In all, up to then. */
  readonly dollars: number;
  /** An hour, from then on; null while it is unknown. */
  readonly hourlyCost: number | null;
}

/** What the owner says about the instance. */
export interface Profile extends Costs {
  readonly name: string;
  readonly provider: ConnectedProvider;
  /** The provider's own id of the instance; null when it is the instance's id. */
  readonly providerRef: string | null;
  readonly registeredAt: number;
  /** Absent is none. */
  readonly tags?: Tags | undefined;
}

export interface Clock {
  readonly lastHeartbeatAt: number | null;
  readonly keepAliveUntil: number | null;
  /** A wake is under way: no step of a ladder is taken before this moment. */
  readonly graceUntil: number | null;
  /** Silence before this moment does not count, because the service was down or the instance was just woken. */
  readonly countsFrom: number | null;
  /** The end of the maintenance from which silence counts, which is no sign of life. Absent where it counts from none. */
  readonly maintainedUntil?: number | undefined;
  /** What was due was done later, and no event has said so yet. Absent where it was in time. */
  readonly late?: Late | undefined;
}

/** What was due at `from` was looked at no sooner than at `until`. */
export interface Late {
  readonly from: number;
  readonly until: number;
}

/** When in the last hour the instance became an orphan, and whether the owner was told that it is flapping. */
export interface Flaps {
  readonly turns: readonly number[];
  readonly told: boolean;
}

/** What is known of the agent, and its latest reading of each GPU. */
export interface Agent {
  /** Names one run of the agent; null for an agent that does not send it. */
  readonly bootId: string | null;
  /** The number of the newest heartbeat of this run. The same number again is a duplicate. */
  readonly sequence: number | null;
  readonly gpus: readonly GpuReading[];
  /** The stages for which it has hooks of its owner; absent where it has none. */
  readonly hooks?: readonly HookStage[] | undefined;
  /** Whether a GPU was ever reported. From then on a missing reading means unknown, not that there is no GPU. */
  readonly hasGpu: boolean;
  /** When a restart was last recorded. Those within an hour of it are not. */
  readonly rebootToldAt: number | null;
  /** When it last announced, unasked, that it hibernates. Further announcements soon after are ignored. */
  readonly lastWordAt: number | null;
  /** The number of the next heartbeat in the history, late readings included. */
  readonly nextInHistory: number;
}

/** Heartbeats travel to the history in chunks of this many. */
export const CHUNK_HEARTBEATS = 30;

/** So many of the newest heartbeats are kept to be shown. Those that are in no chunk yet are kept in any case. */
export const RECENT_HEARTBEATS = 20;

/** The newest of these heartbeats, of which the last `unflushed` are in no chunk yet: none of them is left out. */
export function recentOf(heartbeats: readonly Heartbeat[], unflushed: number): readonly Heartbeat[] {
  return heartbeats.slice(-Math.max(RECENT_HEARTBEATS, unflushed));
}

/**
 * `firstEffectId`: the time of registration, unless an earlier instance of the same id used ids beyond it. So no effect id is
 * ever used twice.
 */
export function newState(
  profile: Profile,
  firstEffectId = profile.registeredAt,
  because: Unheard["because"] = "registered",
): InstanceState {
  return {
    profile,
    phase: awaitHeartbeat(because, profile.registeredAt),
    clock: { lastHeartbeatAt: null, keepAliveUntil: null, graceUntil: null, countsFrom: null },
    counters: emptyCounters(),
    ledger: newLedger(profile.registeredAt),
    recent: [],
    unflushed: 0,
    gpuTrend: [],
    outbox: [],
    nextEffectId: firstEffectId,
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

/** The same state after its machine was seen. How many GPUs it had before counts where that was not said now. */
export function withSighted(state: InstanceState, sighted: Sighted | null): InstanceState {
  return sighted === null
    ? state
    : { ...state, sighted: { ...sighted, gpus: sighted.gpus ?? state.sighted?.gpus ?? null } };
}

/** The same state with what its provider says a stopped machine costs, if it says so. What can be no price is not said. */
export function withStoppedCost(state: InstanceState, hourlyCost: number | undefined): InstanceState {
  return hourlyCost === undefined || !isPrice(hourlyCost) || hourlyCost === state.stoppedHourlyCost
    ? state
    : { ...state, stoppedHourlyCost: hourlyCost };
}

/** Whether it can be a machine's price: what is added up over years stays a number. */
export function isPrice(hourlyCost: number): boolean {
  return hourlyCost >= 0 && hourlyCost <= MAXIMUM_HOURLY_COST;
}

/** The machine that the instance watches. */
export function machineOf({ provider, providerRef }: Profile): Machine {
  return { provider, providerRef };
}

export function isSameMachine(one: Machine, other: Machine): boolean {
  return one.provider === other.provider && one.providerRef === other.providerRef;
}

/** The same state with this place on the liveness ladder; unchanged where it can have none. */
export function withOrphan(state: InstanceState, orphan: Orphan): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "pending":
    case "orphaned":
    case "hibernated":
    case "deleting":
      return { ...state, phase: { ...phase, orphan } };
    case "hibernating":
      return phase.before.status === "running"
        ? state
        : { ...state, phase: { ...phase, before: { ...phase.before, orphan } } };
    case "running":
    case "waking":
    case "deleted":
      return state;
  }
}

/** The same state with this idle run; unchanged unless the instance runs, or ran when its hibernation was ordered. */
export function withIdleRun(state: InstanceState, idle: IdleRun | null): InstanceState {
  const { phase } = state;
  switch (phase.status) {
    case "running":
      return { ...state, phase: { ...phase, idle } };
    case "hibernating":
      return phase.before.status === "running"
        ? { ...state, phase: { ...phase, before: { ...phase.before, idle } } }
        : state;
    case "pending":
    case "orphaned":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return state;
  }
}

/** The moment from which silence counts; null for an instance that was never heard nor kept alive. */
export function seenAt(clock: Clock): number | null {
  return latest(clock.lastHeartbeatAt, clock.keepAliveUntil, clock.countsFrom);
}

/** Like `seenAt`, but without keep-alives, which do not show whether the instance obeyed an order. */
export function heardAt(clock: Clock): number | null {
  return latest(clock.lastHeartbeatAt, clock.countsFrom);
}

function latest(...moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.max(...known);
}
