import type { Policy } from "../lifecycle/model/policy.ts";
import type { PolicySettings } from "../lifecycle/model/policy-settings.ts";
import type { Replayed } from "./outcome.ts";
import type { Frontier, ProposalPoint } from "./proposal-points.ts";
import { quietRuns, saidOf } from "./quiet-runs.ts";
import type { Story } from "./story.ts";

/**
 * Replays an instance's past by each setting of the grid. Settings by which the same is quiet for long enough are replayed once: the
 * windows that are longer than all that was ever quiet, and the thresholds that only tell shorter runs apart.
 */

export const THRESHOLDS_PERCENT = [3, 5, 10, 20] as const;
export const WINDOWS_MINUTES = [5, 10, 15, 20, 30, 45, 60, 90, 120] as const;

/** Its owner is warned after this share of the window. */
const WARNING_SHARE = 0.6;

export interface Base {
  /** What the points change: all else of a policy stays as it is here. */
  readonly settings: PolicySettings;
  /** What the instance sets itself, and no policy of its user changes. */
  readonly own?: Own | undefined;
}

export interface Own {
  readonly threshold?: boolean;
  readonly window?: boolean;
  /** Whether it observes or acts. */
  readonly mode?: boolean;
  /** Whether idleness counts at all. */
  readonly idleness?: boolean;
}

export interface Tools {
  readonly compile: (settings: PolicySettings) => Policy;
  readonly replay: (story: Story, policy: Policy) => Replayed;
  /** By which `compile` divides every duration. */
  readonly speed?: number;
}

/** What each setting of the grid would have made of the story. */
export function frontierOf(story: Story, base: Base, tools: Tools): Frontier {
  const points = WINDOWS_MINUTES.filter((minutes) => isPossible(minutes, base.settings));
  return {
    points: pointsOf(story, base, points, tools),
    instances: 1,
    knownMs: knownMsOf(story) * (tools.speed ?? 1),
  };
}

/** The policy of one point. Its owner asks what idleness would save: so that acts. */
export function settingsAt(
  { settings, own }: Base,
  thresholdPercent: number,
  hibernateAfterMinutes: number,
): PolicySettings {
  const window = {
    warn_after_seconds: warnAfterSeconds(hibernateAfterMinutes, settings),
    hibernate_after_seconds: hibernateAfterMinutes * 60,
  };
  return {
    ...settings,
    ...(own?.mode ? {} : { mode: "act" }),
    idle: {
      ...settings.idle,
      ...(own?.idleness ? {} : { enabled: true }),
      ...(own?.threshold ? {} : { threshold_percent: thresholdPercent }),
      ...(own?.window ? {} : window),
    },
  };
}

function warnAfterSeconds(hibernateAfterMinutes: number, settings: PolicySettings): number {
  return Math.max(WARNING_SHARE * hibernateAfterMinutes * 60, settings.heartbeat_interval_seconds);
}

/** A window that is no longer than the heartbeats are apart cannot be set. */
function isPossible(hibernateAfterMinutes: number, settings: PolicySettings): boolean {
  return warnAfterSeconds(hibernateAfterMinutes, settings) < hibernateAfterMinutes * 60;
}

function pointsOf(
  story: Story,
  base: Base,
  windows: readonly number[],
  { compile, replay }: Tools,
): readonly ProposalPoint[] {
  const known = new Map<string, Replayed>();
  return THRESHOLDS_PERCENT.flatMap((thresholdPercent) => {
    const runs = quietRuns(story, compile(settingsAt(base, thresholdPercent, WINDOWS_MINUTES[0])));
    return windows.map((minutes) => {
      const policy = compile(settingsAt(base, thresholdPercent, minutes));
      const { hibernateAfterMs } = policy.idle;
      const key = runs === null ? `${thresholdPercent}:${hibernateAfterMs}` : saidOf(runs, hibernateAfterMs);
      const replayed = known.get(key) ?? replay(story, policy);
      known.set(key, replayed);
      return pointOf(thresholdPercent, minutes, replayed);
    });
  });
}

function pointOf(
  thresholdPercent: number,
  hibernateAfterMinutes: number,
  { outcome }: Replayed,
): ProposalPoint {
  return {
    thresholdPercent,
    hibernateAfterMinutes,
    saved: outcome.saved,
    hibernatedMs: outcome.hibernatedMs,
    hibernations: outcome.hibernations,
    interruptions: outcome.interruptions,
    delayedMs: outcome.delayedMs,
    workCutMs: outcome.workCutMs,
  };
}

function knownMsOf({ readings, hours, to }: Story): number {
  const from = hours.find(({ heartbeats }) => heartbeats > 0)?.at ?? readings[0]?.at ?? to;
  return Math.max(0, (readings.at(-1)?.at ?? hours.at(-1)?.at ?? to) - from);
}
