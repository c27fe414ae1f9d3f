import type { GuardedStep } from "../lifecycle/model/effects.ts";
import { registeredCost } from "../lifecycle/model/hibernated-cost.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { toKept } from "../lifecycle/model/observed-overrides.ts";
import type { PolicyOverrides } from "../lifecycle/model/policy-settings.ts";
import { type ConnectedProvider, connectedBy, connectionOf, kindOf } from "../lifecycle/model/provider.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import type { GuardAnswer } from "../lifecycle/rules/outage-guard.ts";
import { type CostsBasis, UNTOLD_COSTS } from "../lifecycle/views/costs.ts";
import { type LineWords, type LiveView, type Shown, shown } from "../lifecycle/views/instance-view.ts";
import type { SavingsBasis } from "../lifecycle/views/savings.ts";
import type { Standings } from "../providers/connections.ts";
import type { WatchedMachine } from "../providers/machines.ts";

/** How an instance and its user's fleet speak to each other. */

/** A call of an instance to its fleet waits for the answer at most this long. */
export const REPORT_LIMIT_MS = 30 * SECOND_MS;

/** After a report that failed, an instance waits at most this long, and at least half of it once that has happened often. */
export const REPORT_BACKOFF_MS = 2 * MINUTE_MS;

/**
 * The longest time between two tries of an instance that has something to report, from the start of one to the start of the
 * next: a try may hang for the limit of a call, be repeated piece by piece for as long, and is followed by the backoff.
 * A silent instance reports from its alarm, which the platform repeats at once should the object crash on the way.
 */
export const LONGEST_REPORT_BACKOFF_MS = 2 * REPORT_LIMIT_MS + REPORT_BACKOFF_MS;

/** An instance as its fleet knows it. */
export interface InstanceRow extends Reading {
  /** Grows with each change, over registrations too; an older row changes nothing. */
  readonly revision: number;
  readonly registeredAt: number;
  readonly savings: SavingsBasis;
  /** Absent in what the former release reports: what the instance costs is then unknown. */
  readonly costs?: CostsBasis | undefined;
  /** The instance's own overrides of the policy. */
  readonly overrides: PolicyOverrides;
  readonly orphanedSince: number | null;
  /** Its last sign of life while it is silent, else null. One that was never heard is silent without being an orphan. */
  readonly silentSince: number | null;
}

/** All that an instance has to tell its fleet, in one call. Repeating a report changes nothing. */
export interface Report {
  readonly instanceId: string;
  readonly row: InstanceRow;
  readonly events: readonly HistoryEvent[];
  /** The steps that need the outage guard's word. */
  readonly questions: readonly GuardedStep[];
  /** The user's policy that the instance goes by. */
  readonly policyVersion: number;
  /** Since when the instance has tried in vain to reach its fleet; null if its last try succeeded. */
  readonly unreachedSince: number | null;
}

export interface UserPolicy {
  readonly overrides: PolicyOverrides;
  readonly version: number;
  /** The operator has suspended the user: absent is no. It goes with the policy, since all instances hear of that. */
  readonly suspended?: boolean | undefined;
}

/** As an instance is told it, whose object may still run the former release. */
export function toldPolicy(policy: UserPolicy): UserPolicy {
  return { ...policy, overrides: toKept(policy.overrides) };
}

/** What an instance begins with that is about to be registered. */
export interface Admission {
  readonly policy: UserPolicy;
  /** A former instance of this id may have used ids of effects and generations of tokens up to here. */
  readonly idsAfter: number;
  /**
   * What it is withdrawn by; null where it must stay, since another registration of this id may be under way. A fleet of the
   * former release does not say.
   */
  readonly withdrawBy?: number | null;
  /** When an earlier one was admitted, which comes back with a withdrawal; null where there was none. As above. */
  readonly formerAt?: number | null;
}

/**
 * What an actor answers whoever visits it. One that leaves, or can't be read, is still known. A version before this answer
 * gives none, which counts as known.
 */
export type Presence = "known" | "unknown";

/** An instance as the registry listed it before it was visited. */
export interface Listed {
  readonly instanceId: string;
  /** Null: it was admitted, and has not reported yet. */
  readonly revision: number | null;
}

/** A row of the registry, for its instance to compare with itself: `says` is what it says of the instance, as JSON. */
export interface ComparedRow extends Listed {
  readonly revision: number;
  readonly says: string;
}

/** What a view says of the machine. An instance of the former release leaves out by which connection it is called. */
type SaysMachine = Pick<LiveView, "provider" | "provider_ref"> & Partial<Pick<LiveView, "connection">>;

/** As the instance has it: with its connection. */
export function providerIn({ provider, connection }: SaysMachine): ConnectedProvider {
  return connectedBy(provider, connection ?? null);
}

export function machineIn(view: SaysMachine, instanceId: string): WatchedMachine {
  return { provider: providerIn(view), ref: view.provider_ref ?? instanceId };
}

/** A view with the fields that an instance of the former release left out, or could not tell apart. */
export function completeView<View extends LiveView>(view: View): View {
  const provider = providerIn(view);
  const partial: Partial<LiveView> = view;
  const told = view.rate_source === undefined ? { ...view, ...UNTOLD_COSTS } : view;
  const { hourly, source } = registeredCost(view.hibernated_hourly_cost);
  return {
    ...told,
    ...(partial.running_cost === undefined ? { running_cost: view.hourly_cost } : {}),
    ...(partial.hibernated_cost === undefined
      ? { hibernated_cost: hourly, hibernated_cost_source: source }
      : {}),
    tags: partial.tags ?? {},
    mode: partial.mode ?? "act",
    provider: kindOf(provider),
    connection: connectionOf(provider),
  };
}

/** How an instance is right now, for whoever looks at it. Nothing is decided by it. */
export interface Reading {
  readonly view: LiveView;
  /** What the view says in words, for any reader. Absent in what the former release reports. */
  readonly words?: LineWords | undefined;
  /** The time for which it is true. Durations in it have grown since. */
  readonly asOf: number;
}

/** A view as it is answered. */
export function shownView<View extends LiveView>(view: View, standings: Standings): Shown<View> {
  const complete = completeView(view);
  return shown(complete, standings(complete.connection));
}

/** What a row says of an instance that stays true while nothing happens to it. */
export function saidBy({ registeredAt, view, orphanedSince, silentSince, overrides }: InstanceRow): string {
  const { name, provider_ref, status } = view;
  return JSON.stringify([
    registeredAt,
    name,
    providerIn(view),
    provider_ref,
    status,
    orphanedSince,
    silentSince,
    overrides,
  ]);
}

export interface ReportAnswer {
  /** The user's policy, if it is newer than the instance's. */
  readonly policy: UserPolicy | null;
  /**
   * The revision that the fleet has seen of this instance, where it is above the reported one: then the instance's storage was
   * set back. A version before this answer leaves it out.
   */
  readonly laterRevision?: number | null;
  /** For each question, in its order. */
  readonly answers: readonly { readonly step: GuardedStep; readonly answer: GuardAnswer }[];
  /** The user was deleted: the instance is to erase itself. Absent is no. */
  readonly isUserDeleted?: boolean;
}

/** The revision that was seen, if it is later than the reported one. */
export function laterThan({ row }: Report, seen: number): number | null {
  return seen > row.revision ? seen : null;
}

export const USER_DELETED: ReportAnswer = { policy: null, answers: [], isUserDeleted: true };

/** Of two rows of the same revision the later one shows more heartbeats. */
export function isNewer(row: InstanceRow, known: Pick<InstanceRow, "revision" | "asOf"> | null): boolean {
  if (known === null || row.revision > known.revision) return true;
  return row.revision === known.revision && row.asOf > known.asOf;
}
