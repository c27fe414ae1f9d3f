import { type Heartbeat, idleReading } from "../lifecycle/model/heartbeat.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { PolicySettings } from "../lifecycle/model/policy-settings.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { evidenceOfKept } from "../lifecycle/model/use.ts";
import { judge } from "../lifecycle/rules/use.ts";
import type { Replayed } from "./outcome.ts";
import type { Frontier, ProposalPoint } from "./proposal-points.ts";
import type { Story } from "./story.ts";

/**
 * Replays an instance's past by each setting of the grid. What no reading tells apart is replayed once: thresholds between which
 * no reading lies, and windows that are longer than all that was ever quiet.
 */

export const THRESHOLDS_PERCENT = [3, 5, 10, 20] as const;
export const WINDOWS_MINUTES = [5, 10, 15, 20, 30, 45, 60, 90, 120] as const;

/** Its owner is warned after this share of the window. */
const WARNING_SHARE = 0.6;

export interface Base {
  /** What the points change: all else of a policy stays as it is here. */
  readonly settings: PolicySettings;
  /** What the instance sets itself, and no policy of its user changes. */
  readonly own?: { readonly threshold: boolean; readonly window: boolean } | undefined;
}

export interface Tools {
  readonly compile: (settings: PolicySettings) => Policy;
  readonly replay: (story: Story, policy: Policy) => Replayed;
  /** By which `compile` divides every duration. */
  readonly speed?: number;
}

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
    mode: "act",
    idle: {
      ...settings.idle,
      enabled: true,
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
  tools: Tools,
): readonly ProposalPoint[] {
  const known = new Map<string, Replayed>();
  return toldApart(story, base, tools).flatMap(({ thresholdPercent, sameAs, longestQuietMs }) =>
    windows.map((minutes) => {
      const tried = shortest(windows, minutes, base.own?.window ? 0 : longestQuietMs);
      const key = `${sameAs}:${tried}`;
      const replayed = known.get(key) ?? tools.replay(story, tools.compile(settingsAt(base, sameAs, tried)));
      known.set(key, replayed);
      return pointOf(thresholdPercent, minutes, replayed);
    }),
  );
}

/** The shortest of the windows that cannot be told from this one. */
function shortest(windows: readonly number[], minutes: number, longestQuietMs: number): number {
  return minutes * MINUTE_MS <= longestQuietMs
    ? minutes
    : (windows.find((other) => other * MINUTE_MS > longestQuietMs) ?? minutes);
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

interface Told {
  readonly thresholdPercent: number;
  /** The lowest threshold by which every reading is judged the same. */
  readonly sameAs: number;
  /** From a reading that shows use to the next that does, in the policies' time: no idle run is longer. */
  readonly longestQuietMs: number;
}

function toldApart(story: Story, base: Base, { compile, speed = 1 }: Tools): readonly Told[] {
  const percents = base.own?.threshold ? [] : percentsOf(story, base.settings);
  const told: Told[] = [];
  for (const thresholdPercent of THRESHOLDS_PERCENT) {
    const below = told.at(-1);
    const isSame =
      below !== undefined &&
      !percents.some((percent) => percent >= below.thresholdPercent && percent < thresholdPercent);
    const policy = compile(settingsAt(base, thresholdPercent, WINDOWS_MINUTES[0]));
    told.push(
      isSame
        ? { ...below, thresholdPercent }
        : { thresholdPercent, sameAs: thresholdPercent, longestQuietMs: longestQuiet(story, policy) * speed },
    );
  }
  return told;
}

/** Each once, as idleness goes by them. */
function percentsOf({ readings, hasGpu }: Story, { idle }: PolicySettings): readonly number[] {
  const percents = new Set<number>();
  for (const heartbeat of readings) {
    const evidence = evidenceOfKept(heartbeat);
    const reading = idleReading(evidence, idle.metric, hasGpu || evidence.hasUnreadGpu);
    if (reading !== null) percents.add(reading.percent);
  }
  return [...percents];
}

/** Where only hours are kept, it is not told. */
function longestQuiet(story: Story, policy: Policy): number {
  if (story.hours.length > 0) return Number.POSITIVE_INFINITY;
  let [longest, from] = [0, story.from];
  for (const heartbeat of story.readings) {
    if (!endsIdleRuns(heartbeat, policy, story.hasGpu)) continue;
    longest = Math.max(longest, heartbeat.at - from);
    from = Math.max(from, heartbeat.at);
  }
  return Math.max(longest, story.to - from);
}

/** What came late, and what the owner's hooks do, may be overlooked. */
function endsIdleRuns(heartbeat: Heartbeat, policy: Policy, hasGpu: boolean): boolean {
  if (heartbeat.isLate === true || heartbeat.use?.preparation === "running") return false;
  return judge(evidenceOfKept(heartbeat), policy, hasGpu).verdict !== "quiet";
}

function knownMsOf({ readings, hours, to }: Story): number {
  const from = hours.find(({ heartbeats }) => heartbeats > 0)?.at ?? readings[0]?.at ?? to;
  return Math.max(0, (readings.at(-1)?.at ?? hours.at(-1)?.at ?? to) - from);
}
