import type { PolicySettings } from "../lifecycle/model/policy-settings.ts";
import type { Outcome } from "./outcome.ts";

/** What each setting of a grid came to, of one instance or of several together. */

/** What a proposal changes in a policy. */
export interface IdleSetting {
  readonly thresholdPercent: number;
  readonly hibernateAfterMinutes: number;
}

/**
 * What the policy in force says of idleness, as a proposal names it. Null where it hibernates nothing for that, and where it is in
 * force beside something else than what was tried: then no point tells what it came to.
 */
export function presentSetting(inForce: PolicySettings, tried: PolicySettings): IdleSetting | null {
  const { mode, idle } = inForce;
  if (mode === "observe" || !idle.enabled || besides(inForce) !== besides(tried)) return null;
  return {
    thresholdPercent: idle.threshold_percent,
    hibernateAfterMinutes: idle.hibernate_after_seconds / 60,
  };
}

/** All by which a replay goes, but for what the points set. */
function besides(settings: PolicySettings): string {
  const { metric, respect_activity, sources, prepare_max_seconds } = settings.idle;
  const { heartbeat_interval_seconds, orphan, schedule, maintenance, max_runtime_hours } = settings;
  const others = [heartbeat_interval_seconds, orphan, schedule, maintenance, max_runtime_hours];
  return JSON.stringify([metric, respect_activity, sources, prepare_max_seconds, others]);
}

/** What a setting would have come to, of one instance or of several. */
export interface ProposalPoint
  extends IdleSetting,
    Pick<Outcome, "saved" | "hibernatedMs" | "hibernations" | "interruptions" | "delayedMs" | "workCutMs"> {}

/** Every setting that was tried on the same past. */
export interface Frontier {
  readonly points: readonly ProposalPoint[];
  readonly instances: number;
  /** From the first reading to the last, of the instance of which that is longest. */
  readonly knownMs: number;
}

/** Of no instance. Whatever is added to it stays as it is. */
export const NO_FRONTIER: Frontier = { points: [], instances: 0, knownMs: 0 };

/** Both together. A setting that was not tried on both is left out: its sum would be of other machines. */
export function addFrontiers(one: Frontier, other: Frontier): Frontier {
  if (one.instances === 0) return other;
  if (other.instances === 0) return one;
  return {
    points: addPoints(one.points, other.points),
    instances: one.instances + other.instances,
    knownMs: Math.max(one.knownMs, other.knownMs),
  };
}

/** Both together, where both have the setting. */
function addPoints(
  some: readonly ProposalPoint[],
  others: readonly ProposalPoint[],
): readonly ProposalPoint[] {
  const known = new Map(others.map((point) => [keyOf(point), point]));
  return some.flatMap((point) => {
    const other = known.get(keyOf(point));
    return other === undefined ? [] : [add(point, other)];
  });
}

function add(point: ProposalPoint, other: ProposalPoint): ProposalPoint {
  return {
    thresholdPercent: point.thresholdPercent,
    hibernateAfterMinutes: point.hibernateAfterMinutes,
    saved: point.saved + other.saved,
    hibernatedMs: point.hibernatedMs + other.hibernatedMs,
    hibernations: point.hibernations + other.hibernations,
    interruptions: point.interruptions + other.interruptions,
    delayedMs: point.delayedMs + other.delayedMs,
    workCutMs: point.workCutMs + other.workCutMs,
  };
}

function keyOf({ thresholdPercent, hibernateAfterMinutes }: IdleSetting): string {
  return `${thresholdPercent}:${hibernateAfterMinutes}`;
}

export function isSameSetting(one: IdleSetting, other: IdleSetting): boolean {
  return keyOf(one) === keyOf(other);
}

export interface RatedPoint extends ProposalPoint {
  /** Of the most that any setting saves, in whole percent: settings of the same share count as equally good. */
  readonly sharePercent: number;
  /** No other setting saves as much with fewer interruptions, nor more with as many. */
  readonly isOnFrontier: boolean;
}
