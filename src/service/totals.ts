import { z } from "zod";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";

/**
 * What a fleet reports to the service, and when a report of it counts.
 *
 * Reports are numbered by a counter that their sender keeps, since its clock may be behind the one by which it reported before.
 * A report that is not above the newest one known comes to nothing, and the answer says so: the sender goes on above that
 * number, and reports how things are once more. So its report counts at the second try at the latest, whatever became of its
 * counter: its state may have been lost or put back.
 */

/** What a fleet reports to the service of itself: totals now, never increments, so that a report lost or repeated changes nothing. */
export interface FleetTotals {
  readonly userId: string;
  /** Grows with each report; an older one that arrives late changes nothing. */
  readonly number: number;
  readonly instancesByStatus: Readonly<Record<string, number>>;
  readonly isGuardClosed: boolean;
  readonly hibernations: readonly HibernationCount[];
  /** How many of its instances are awake and heard. */
  readonly awake: number;
  /** Its vote on the service-wide guard: the outage that it sees of its own; null when it sees none. */
  readonly vote: Vote | null;
}

export interface HibernationCount {
  readonly reason: string;
  readonly hibernations: number;
  readonly regretted: number;
}

export interface Vote {
  /** Since when the fleet votes "silent". */
  readonly closedAt: number;
  /** The last sign of life of the instance that tipped it. */
  readonly seenAt: number;
}

/** The answer to totals. How the service-wide guard stands is said only of totals that were taken. */
export type TotalsAnswer =
  | { readonly isTaken: true; readonly guard: Guard }
  /** The number of the newest report that is known. */
  | { readonly isTaken: false; readonly newest: number };

/** Totals that are sent so often are taken: after the first try the sender knows which number to go beyond. */
export const TRIES_IN_ORDER = 2;

/** What counts of a report. */
export type FleetFigures = Omit<FleetTotals, "userId" | "number">;

/** The figures of a fleet without instances. */
export const NO_FIGURES: FleetFigures = {
  instancesByStatus: {},
  isGuardClosed: false,
  hibernations: [],
  awake: 0,
  vote: null,
};

/** Its fields always come in the same order, so equal figures are equal texts. */
export const figuresSchema: z.ZodType<FleetFigures> = z.object({
  instancesByStatus: z.record(z.string(), z.number()),
  isGuardClosed: z.boolean(),
  hibernations: z.array(z.object({ reason: z.string(), hibernations: z.number(), regretted: z.number() })),
  awake: z.number(),
  vote: z.object({ closedAt: z.number(), seenAt: z.number() }).nullable(),
});

/** What a shard keeps of one fleet. */
export interface FleetRow {
  /** Of its report. */
  readonly number: number;
  /** The shard's day on which the fleet last reported. */
  readonly day: number;
  readonly figures: FleetFigures;
}

/** The row after a report; null if one of the number `newest` or above is known. */
export function rowAfter(newest: number, totals: FleetTotals, day: number): FleetRow | null {
  const { number } = totals;
  return number <= newest ? null : { number, day, figures: figuresSchema.parse(totals) };
}

/**
 * A shard counts its days by its own daily alarm, so however long the service was away, that is one day: its absence
 * silences no vote.
 *
 * A fleet that did not report for two whole days counts on neither side of the service-wide guard: five users who left must
 * not hold it closed for good. Two, because the daily cleanup has every fleet report, at a moment that drifts: a single
 * day may hold no report of a fleet that is well. A vote that still stands comes back with the next report.
 */
const VOTE_LASTS_DAYS = 2;

/** After this long nothing is left of a fleet but its hibernations, since a counter must not fall. */
const ROW_LASTS_DAYS = 30;

/** What is left of a row after so many whole days without a report; null when nothing is. */
export function agedRow(row: FleetRow, silentDays: number): FleetRow | null {
  const { figures } = row;
  const asleep = silentDays < VOTE_LASTS_DAYS ? figures : { ...figures, awake: 0, vote: null };
  const left =
    silentDays < ROW_LASTS_DAYS ? asleep : { ...asleep, instancesByStatus: {}, isGuardClosed: false };
  // Kept for a day, so that it refuses an older report that is still under way.
  return silentDays >= 1 && countsNothing(left) ? null : { ...row, figures: left };
}

function countsNothing(figures: FleetFigures): boolean {
  return (
    Object.values(figures.instancesByStatus).every((instances) => instances === 0) &&
    figures.hibernations.every(({ hibernations, regretted }) => hibernations === 0 && regretted === 0) &&
    !figures.isGuardClosed &&
    figures.awake === 0 &&
    figures.vote === null
  );
}
