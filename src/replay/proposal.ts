import { DAY_MS } from "../lifecycle/model/time.ts";
import type { Frontier, IdleSetting, ProposalPoint, RatedPoint } from "./proposal-points.ts";
import { type Measure, type Said, sayProposal } from "./say-proposal.ts";

/**
 * Which setting of a grid is proposed: dollars saved against interruptions. Pure over what each setting came to; `frontier.ts`
 * has the replays.
 */

export interface Proposal {
  /** By threshold, then by window. */
  readonly points: readonly RatedPoint[];
  readonly measure: Measure;
  /** The one that saves the most of those that interrupt nobody; null where those save nothing. */
  readonly proposed: RatedPoint | null;
  /** What half of the savings would cost in interruptions, where no setting spares everybody and saves as much. */
  readonly trade: RatedPoint | null;
  readonly says: Said;
}

/** Of less no week can be told. */
export const KNOWN_AT_LEAST_MS = DAY_MS;

/**
 * What is proposed; null where too little is known. `present`: what is in force now.
 *
 * Settings whose shares are the same whole percent save the same. Of those that also interrupt as often, the one that cuts less
 * work is better, and then the more careful one: it costs nothing on this past, and spares more of another.
 */
export function proposalOf(frontier: Frontier, present: IdleSetting | null = null): Proposal | null {
  if (frontier.points.length === 0 || frontier.knownMs < KNOWN_AT_LEAST_MS) return null;
  const measure = frontier.points.some(({ saved }) => saved > 0) ? "dollars" : "hours";
  const points = rated(frontier.points, measure);
  const best = points.filter(({ isOnFrontier }) => isOnFrontier);
  const proposed = mostSaved(best.filter((point) => point.interruptions === 0 && point.sharePercent > 0));
  const isEnough = proposed !== null && proposed.sharePercent >= HALF;
  const trade = isEnough ? null : fewestInterruptions(best.filter((point) => point.sharePercent >= HALF));
  return {
    points,
    measure,
    proposed,
    trade,
    says: sayProposal({ points, measure, proposed, trade }, present),
  };
}

const HALF = 50;

function rated(points: readonly ProposalPoint[], measure: Measure): readonly RatedPoint[] {
  const saved = (point: ProposalPoint) => (measure === "dollars" ? point.saved : point.hibernatedMs);
  const most = Math.max(...points.map(saved));
  const shared = points.map((point) => ({
    ...point,
    sharePercent: most > 0 ? Math.max(0, Math.round((100 * saved(point)) / most)) : 0,
  }));
  return shared
    .map((point) => ({ ...point, isOnFrontier: !shared.some((other) => dominates(other, point)) }))
    .sort(
      (a, b) => a.thresholdPercent - b.thresholdPercent || a.hibernateAfterMinutes - b.hibernateAfterMinutes,
    );
}

type Shared = Omit<RatedPoint, "isOnFrontier">;

/** Whether nobody would take the other one. */
function dominates(point: Shared, other: Shared): boolean {
  if (point.sharePercent < other.sharePercent || point.interruptions > other.interruptions) return false;
  if (point.sharePercent > other.sharePercent || point.interruptions < other.interruptions) return true;
  return tieOf(point, other) < 0;
}

/** Negative: `point` is the better of two that save and interrupt alike. */
function tieOf(point: Shared, other: Shared): number {
  return (
    point.workCutMs - other.workCutMs ||
    other.hibernateAfterMinutes - point.hibernateAfterMinutes ||
    point.thresholdPercent - other.thresholdPercent
  );
}

function mostSaved(points: readonly RatedPoint[]): RatedPoint | null {
  return points.reduce<RatedPoint | null>(
    (best, point) => (best === null || point.sharePercent > best.sharePercent ? point : best),
    null,
  );
}

function fewestInterruptions(points: readonly RatedPoint[]): RatedPoint | null {
  return points.reduce<RatedPoint | null>(
    (best, point) => (best === null || point.interruptions < best.interruptions ? point : best),
    null,
  );
}
