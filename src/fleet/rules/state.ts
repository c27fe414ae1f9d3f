import { z } from "zod";
import { storedOverridesSchema } from "../../lifecycle/model/stored.ts";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { NEVER_CLOSED, OPEN_GUARD } from "../../lifecycle/rules/outage-guard.ts";
import { storedAddresseeSchema } from "./addressee.ts";
import { NO_BUDGET } from "./budget.ts";
import { NOTHING_TO_TELL } from "./digest-window.ts";
import { NO_MONTHS } from "./months.ts";
import { budgetSchema, NO_ROUNDS, roundsSchema } from "./stored-budget.ts";
import { closedDaysSchema, NO_DAYS_CLOSED } from "./stored-costs.ts";
import { countedMonthsSchema, NONE_REPORTED, reportsSchema } from "./stored-reports.ts";

/**
 * What a fleet knows as a whole, kept as one row: its instances, events and alerts stand in tables of their own.
 *
 * To keep more, add a field with a default (`.default`), which says what its absence means in a row of before. So each release
 * reads what the former one wrote. The former one also reads what this one writes, passing over what it does not know: that
 * is then absent again. A field is never removed, and never takes on another meaning. What can't be said so needs a new
 * version, and one release before it that reads both.
 */

const moment = z.number();
const guard = z.object({ closedAt: moment.nullable(), openedAt: moment.nullable() });
const keptGuard = guard.extend({ seenFrom: moment });

const fleetStateSchema = z.object({
  version: z.literal(1),
  /** The user's overrides of the service's default policy. The version grows with each change. */
  policy: z.object({
    overrides: storedOverridesSchema,
    version: z.number(),
    /** The operator has suspended the user. */
    suspended: z.boolean().optional(),
  }),
  /** Since when the user is being deleted; null while that is not so. */
  leavingSince: moment.nullable().default(null),
  /** The outage guard goes by the policy from then on; 0: before this was noted. It says nothing of who has set it. */
  policySetAt: moment.default(0),
  /** Its owner, or an import, has set the policy, and be it to the service's own. Before this was noted only overrides tell. */
  isPolicySet: z.boolean().default(false),
  /** The user's outage guard. `silentFrom`: when the first instance of its last outage became an orphan; null if it never closed. */
  guard: keptGuard.extend({ silentFrom: moment.nullable() }),
  /** The user's vote on the service's guard. `seenAt`: the last sign of life of the instance that tipped it. */
  vote: keptGuard.extend({ seenAt: moment }),
  /** Grow whenever the guard, or the vote, opens: silences of an outage that is over count no more. */
  epochs: z.object({ guard: z.number(), vote: z.number() }),
  /** How many instances are awake and heard. */
  awake: z.number(),
  instancesByStatus: z.record(z.string(), z.number()),
  /** By reason: how often an instance was hibernated, and how often it was woken within ten minutes. */
  hibernations: z.record(z.string(), z.object({ hibernations: z.number(), regretted: z.number() })),
  digest: z.object({
    criticalAt: moment.nullable(),
    quietUntil: moment.nullable(),
    ordinary: z.object({ at: moment, latestAt: moment }).nullable(),
  }),
  /** Digests told so far: each has an id of its own. */
  digests: z.number(),
  /** The service's guard as last known; null before the first time. */
  service: z.object({ guard, answeredAt: moment }).nullable(),
  /** Since when every call to the service has failed; null when the last one did not. */
  serviceSilentFrom: moment.nullable().default(null),
  /** The number of the newest change of a row, or of the newest event. */
  revision: z.number(),
  /** How the connections stand, which all rows show, and the revision at which that last changed. */
  standings: z.object({ are: z.string(), changed: z.number() }).default({ are: "", changed: 0 }),
  rounds: roundsSchema,
  budget: budgetSchema,
  /** Dollars that instances saved which were removed since this is noted: what was saved never falls. */
  savedByRemoved: z.number().default(0),
  /** The number of the last totals reported to the service. */
  totalsNumber: z.number(),
  /** Since when the fleet could be reached, as far as it has noticed. */
  reachableSince: moment,
  /** Events of the fleet itself up to this number are in the history. */
  historyUpTo: z.number(),
  /** How the days of costs are closed. */
  costs: closedDaysSchema.default(NO_DAYS_CLOSED),
  /** Whether the tables say which alerts are open: a release that knows nothing of that leaves this out. */
  areAlertsCurrent: z.boolean().default(false),
  /** Hibernations of each month, whatever their reason. */
  hibernationsByMonth: countedMonthsSchema.default(NO_MONTHS),
  /** The monthly report of costs. */
  reports: reportsSchema.default(NONE_REPORTED),
  addressee: storedAddresseeSchema,
  /** What waits for the alarm; null where nothing does. */
  due: z.object({
    deliveriesAt: moment.nullable(),
    totalsAt: moment.nullable(),
    historyAt: moment.nullable(),
    /** The policy is brought to the instances after `after`; null: all were tried, and some were out of reach. */
    policy: z.object({ at: moment, after: z.string().nullable() }).nullable(),
    pruneAt: moment.nullable(),
    /** The fleet was set back, or may have been, and has yet to ask D1 whether its user is suspended. */
    standingAt: moment.nullable().default(null),
    /** A connection's machines are to be listed. */
    inventoryAt: moment.nullable().default(null),
    /** Instances are to be asked to hibernate: see `tasks/hibernation-round.ts`. */
    hibernationsAt: moment.nullable().default(null),
    /** The money is to be held against the budget. */
    budgetAt: moment.nullable().default(null),
    /** Days of costs are to be closed, or brought to the history. */
    costsAt: moment.nullable().default(null),
    /** The month that is over is to be reported. */
    reportAt: moment.nullable().default(null),
    /** After a new silence, until all who may have fallen silent with it have reported. */
    awaiting: z.object({ at: moment, until: moment }).nullable(),
  }),
});

export type FleetState = Readonly<z.infer<typeof fleetStateSchema>>;

export type Rounds = FleetState["rounds"];

/** What waits for the alarm. */
export type Due = FleetState["due"];

export function newFleet(): FleetState {
  return {
    version: 1,
    policy: { overrides: {}, version: 0 },
    leavingSince: null,
    policySetAt: 0,
    isPolicySet: false,
    guard: { ...NEVER_CLOSED, silentFrom: null },
    vote: { ...NEVER_CLOSED, seenAt: 0 },
    epochs: { guard: 0, vote: 0 },
    awake: 0,
    instancesByStatus: {},
    hibernations: {},
    digest: NOTHING_TO_TELL,
    digests: 0,
    service: null,
    serviceSilentFrom: null,
    revision: 0,
    standings: { are: "", changed: 0 },
    rounds: NO_ROUNDS,
    budget: NO_BUDGET,
    savedByRemoved: 0,
    totalsNumber: 0,
    reachableSince: 0,
    historyUpTo: 0,
    costs: NO_DAYS_CLOSED,
    areAlertsCurrent: false,
    hibernationsByMonth: NO_MONTHS,
    reports: NONE_REPORTED,
    addressee: null,
    due: {
      deliveriesAt: null,
      totalsAt: null,
      historyAt: null,
      policy: null,
      pruneAt: null,
      standingAt: null,
      inventoryAt: null,
      hibernationsAt: null,
      budgetAt: null,
      costsAt: null,
      reportAt: null,
      awaiting: null,
    },
  };
}

/** Reads the stored row. Throws when this version of the service cannot read it: then nothing is done. */
export function parseFleet(json: string): FleetState {
  return fleetStateSchema.parse(JSON.parse(json));
}

export function withDue(state: FleetState, due: Partial<Due>): FleetState {
  return { ...state, due: { ...state.due, ...due } };
}

/**
 * Whether it is known that the policy says truly whether the user is suspended. Until then no instance hears of it: a fleet that was
 * set back would undo a suspension.
 */
export function isPolicySure({ due }: FleetState): boolean {
  return due.standingAt === null;
}

/** Nothing is done for a user who is suspended, or on the way out, from which there is no way back. */
export function isSuspended({ policy, leavingSince }: FleetState): boolean {
  return policy.suspended === true || leavingSince !== null;
}

/** If bringing a policy to the instances is cut off, the alarm goes on after this long. */
export const BRINGING_RESUMES_MS = 30 * SECOND_MS;

/** A fleet reports its totals to the service at most this often. */
export const TOTALS_EVERY_MS = 15 * SECOND_MS;

/** Old and surplus events are deleted so long after so many changes of rows or events, and no more often than that. */
const PRUNE_EVERY = 1000;
export const PRUNE_AFTER_MS = 5 * MINUTE_MS;

/** The totals have changed. */
export function withTotalsDue(state: FleetState, now: number): FleetState {
  const totalsAt = Math.min(state.due.totalsAt ?? Number.POSITIVE_INFINITY, now + TOTALS_EVERY_MS);
  return withDue(state, { totalsAt });
}

/** What has changed since the revision `before` may call for events to be deleted. */
export function withPruneDue(state: FleetState, before: number, now: number): FleetState {
  const turn = (revision: number) => Math.floor(revision / PRUNE_EVERY);
  if (turn(state.revision) === turn(before)) return state;
  const at = now + PRUNE_AFTER_MS;
  return withDue(state, { pruneAt: Math.min(state.due.pruneAt ?? at, at) });
}

/** The service's guard as far as it is known. */
export function serviceGuard({ service }: FleetState) {
  return service?.guard ?? OPEN_GUARD;
}

/** Updates the counts when an instance changes from `before` to `after`; null means that it is not in the fleet. */
export function countMove(state: FleetState, before: CountedAs | null, after: CountedAs | null): FleetState {
  if (before?.status === after?.status && isAwake(before) === isAwake(after)) return state;
  const instancesByStatus = { ...state.instancesByStatus };
  const add = (one: CountedAs | null, by: 1 | -1) => {
    if (one === null) return;
    const count = (instancesByStatus[one.status] ?? 0) + by;
    if (count > 0) instancesByStatus[one.status] = count;
    else delete instancesByStatus[one.status];
  };
  add(before, -1);
  add(after, 1);
  const awake = state.awake + Number(isAwake(after)) - Number(isAwake(before));
  return { ...state, instancesByStatus, awake };
}

/** The same counts from all rows: of each status, how many there are, and how many of them are not silent. */
export function countAll(
  groups: readonly { readonly status: string; readonly instances: number; readonly heard: number }[],
): Pick<FleetState, "instancesByStatus" | "awake"> {
  return {
    instancesByStatus: Object.fromEntries(groups.map(({ status, instances }) => [status, instances])),
    awake: groups.reduce((sum, { status, heard }) => sum + (AWAKE.has(status) ? heard : 0), 0),
  };
}

export function countInstances({ instancesByStatus }: FleetState): number {
  return Object.values(instancesByStatus).reduce((sum, instances) => sum + instances, 0);
}

/** What of an instance the fleet's counts go by. */
export interface CountedAs {
  readonly status: string;
  readonly silentSince: number | null;
}

const AWAKE: ReadonlySet<string> = new Set(["running", "waking", "hibernating"]);

function isAwake(one: CountedAs | null): boolean {
  return one !== null && one.silentSince === null && AWAKE.has(one.status);
}

/**
 * When the fleet must do something at the latest; null when only a report or a request can change anything. `outageEndsAt`:
 * when the guard or the vote ends by time alone.
 */
export function fleetAlarmAt({ digest, due }: FleetState, outageEndsAt: number | null): number | null {
  const moments = [
    digest.criticalAt,
    digest.ordinary?.at ?? null,
    due.deliveriesAt,
    due.totalsAt,
    due.historyAt,
    // They wait until D1 has said whether the user is suspended.
    due.standingAt === null ? (due.policy?.at ?? null) : null,
    due.standingAt === null ? due.inventoryAt : null,
    due.standingAt === null ? due.hibernationsAt : null,
    due.standingAt === null ? due.budgetAt : null,
    due.standingAt === null ? due.reportAt : null,
    due.pruneAt,
    due.costsAt,
    due.standingAt,
    due.awaiting?.at ?? null,
    outageEndsAt,
  ].filter((at) => at !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}
