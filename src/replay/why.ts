import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { idleRunOf, type Status } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { kindOf } from "../lifecycle/model/provider.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import { type Evidence, evidenceOfKept } from "../lifecycle/model/use.ts";
import type { Language, Reader } from "../lifecycle/model/words/said.ts";
import { say } from "../lifecycle/model/words/say.ts";
import { IN_TIME_INTERVALS } from "../lifecycle/rules/heard-in-time.ts";
import { type Judgement, judge, type SourceState, stateOf, thresholdOf } from "../lifecycle/rules/use.ts";
import { controlOf, withoutImpossible } from "../lifecycle/views/control.ts";
import type { Explanation } from "../lifecycle/views/explained-step.ts";
import { explain } from "../lifecycle/views/explanation.ts";
import { healthOf } from "../lifecycle/views/health.ts";
import { askedBy } from "./detail.ts";
import type { Difference } from "./differences.ts";
import { retrace } from "./retrace.ts";
import type { PastEvent, PastHour, PolicyInForce, Span, Story } from "./story.ts";
import { quieted, saysPreparing } from "./work.ts";

/** What the policy saw and thought at a moment of the past. */

export interface Why {
  readonly at: number;
  readonly status: Status;
  readonly verdict: Verdict;
  /** Since when nothing had shown use, by the idle run at that moment; null without one. */
  readonly idleSince: number | null;
  /** It may have been idle for longer: the readings begin there. */
  readonly isIdleLonger: boolean;
  readonly lifecycle: Explanation;
  /** Null where the story has none. */
  readonly policy: PolicyInForce | null;
  /** The newest reading that was heard by then; null without one. */
  readonly heard: JudgedReading | null;
  /** Around the moment, oldest first, each judged by the policy of its time. */
  readonly readings: readonly JudgedReading[];
  /** The hour of the moment, where no single reading of it is kept. */
  readonly hour: PastHour | null;
  /** What happened in the hours before the moment and does not follow from what is kept, or the other way round; oldest first. */
  readonly differences: readonly Difference[];
}

export const VERDICTS = [
  /** Nothing showed use. */
  "idle",
  "in_use",
  /** Nothing showed use but what could not be read. */
  "unknown",
  /** The policy did not judge it. */
  "not_judged",
  /** Nothing fresh was heard. */
  "silent",
  /** It was hibernated, deleted, or on its way there or back. */
  "off",
  /** Single readings of that time are no longer kept. */
  "not_kept",
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** A reading, and what the policy of its time made of it. */
export interface JudgedReading {
  readonly at: number;
  readonly verdict: Judgement["verdict"];
  /** Null where it is quiet. */
  readonly because: string | null;
  readonly metric: "GPU" | "CPU" | null;
  readonly percent: number | null;
  readonly thresholdPercent: number;
  readonly sources: readonly JudgedSource[];
  /** In the words of an agent that knows no sources. */
  readonly activity: string | null;
  readonly isLate: boolean;
  readonly isPreparing: boolean;
}

export interface JudgedSource {
  readonly name: string;
  readonly value: number | null;
  /** Null: it is ignored. */
  readonly threshold: number | null;
  readonly state: SourceState;
}

/** So many readings are shown up to the moment, and so many after it. */
const BEFORE = 40;
const AFTER = 20;

const DIFFERENCES_FROM_MS = 6 * HOUR_MS;
const DIFFERENCES_AT_MOST = 10;

/** How far a story must reach back: what was quiet for longer is only said to be so. */
export const LOOKED_BACK_MS = 24 * HOUR_MS;

/** The past is retraced up to the moment. `compile`: as its service does it. */
export function whyAt(
  story: Story,
  at: number,
  compile: (inForce: PolicyInForce) => Policy,
  to: Language | Reader = "en",
): Why {
  const { standing, differences } = retrace(story, { until: at, policyOf: compile });
  const { state, policy } = standing;
  const policies = story.policies.map((inForce) => ({ inForce, policy: compile(inForce) }));
  const inForceAt = (moment: number) =>
    policies.findLast(({ inForce }) => inForce.from <= moment) ?? policies[0];
  const preparing = preparingForIdleness(story.events);
  const judged = (heartbeat: Heartbeat) =>
    judgedReading(heartbeat, inForceAt(heartbeat.at)?.policy ?? policy, story.hasGpu, preparing);
  const sorted = story.readings.toSorted((a, b) => a.at - b.at);
  const next = sorted.findIndex((heartbeat) => heartbeat.at > at);
  const until = next === -1 ? sorted.length : next;
  const newest = sorted.slice(0, until).findLast(({ isLate }) => isLate !== true);
  const heard = newest === undefined ? null : judged(newest);
  const hour = newest === undefined ? hourOf(story, at) : null;
  const run = idleRunOf(state.phase);
  return {
    at,
    status: state.phase.status,
    verdict: verdictOf(state, policy, heard, hour === null && at >= story.from, at),
    idleSince: run?.since ?? null,
    isIdleLonger: run !== null && isAtBeginning(run.since, story, policy),
    lifecycle: explained(state, policy, at, to),
    policy: inForceAt(at)?.inForce ?? null,
    heard,
    readings: sorted.slice(Math.max(0, until - BEFORE), until + AFTER).map(judged),
    hour,
    differences: differences
      .filter((difference) => difference.at >= at - DIFFERENCES_FROM_MS && difference.at <= at)
      .slice(-DIFFERENCES_AT_MOST),
  };
}

function judgedReading(
  heartbeat: Heartbeat,
  policy: Policy,
  hasGpu: boolean,
  preparing: readonly Span[],
): JudgedReading {
  const evidence = evidenceOfKept(heartbeat);
  const isSaving =
    saysOfHooks(heartbeat) && preparing.some(({ from, to }) => heartbeat.at > from && heartbeat.at <= to);
  const judgement = judge(isSaving ? whileSaving(heartbeat) : evidence, policy, hasGpu);
  const metric = judgement.reading?.metric ?? null;
  return {
    at: heartbeat.at,
    verdict: judgement.verdict,
    because: judgement.verdict === "quiet" ? null : say("en", judgement.because),
    metric,
    percent: metric === null ? null : metric === "GPU" ? evidence.gpuPercent : evidence.cpuPercent,
    thresholdPercent: policy.idle.thresholdPercent,
    sources: evidence.sources.map(({ name, value }) => ({
      name,
      value,
      threshold: thresholdOf(name, policy.idle),
      state: stateOf({ name, value }, policy.idle),
    })),
    activity: heartbeat.activity,
    isLate: heartbeat.isLate === true,
    isPreparing: saysPreparing(heartbeat),
  };
}

/** When a hibernation for idleness was being prepared: what the hooks did then was no sign of use to the policy. */
function preparingForIdleness(events: readonly PastEvent[]): readonly Span[] {
  return events.flatMap((event, index) => {
    if (event.kind !== "preparing" || askedBy(event)?.reason !== "idle") return [];
    const end = events.slice(index + 1).find(({ kind }) => ENDS_PREPARATION.has(kind));
    return [{ from: event.at, to: end?.at ?? Number.POSITIVE_INFINITY }];
  });
}

const ENDS_PREPARATION: ReadonlySet<string> = new Set([
  "hibernating",
  "preparation_cancelled",
  "hibernated",
  "orphaned",
  "resumed",
]);

function saysOfHooks({ status, use }: Heartbeat): boolean {
  return status === "preparing" || status === "prepared" || (use?.preparation ?? null) !== null;
}

/** As it is judged while hooks save its work: by what people do there alone. */
function whileSaving(heartbeat: Heartbeat): Evidence {
  return { ...evidenceOfKept(quieted(heartbeat)), gpuPercent: 0, cpuPercent: 0, hasUnreadGpu: false };
}

function verdictOf(
  { phase }: InstanceState,
  policy: Policy,
  heard: JudgedReading | null,
  isKept: boolean,
  at: number,
): Verdict {
  switch (phase.status) {
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return "off";
    case "pending":
    case "running":
    case "orphaned":
    case "hibernating":
      if (!isKept) return "not_kept";
      if (heard === null || at - heard.at > IN_TIME_INTERVALS * policy.intervalMs) return "silent";
      return policy.idle.enabled ? HEARD[heard.verdict] : "not_judged";
  }
}

const HEARD = { quiet: "idle", active: "in_use", unknown: "unknown" } as const;

/** What came next, as its page showed it then, where its provider could be called. */
function explained(state: InstanceState, policy: Policy, at: number, to: Language | Reader): Explanation {
  const standing = {
    provider: kindOf(state.profile.provider),
    status: state.phase.status,
    health: healthOf(state, policy, at),
  };
  return withoutImpossible(explain(state, policy, at, to), controlOf(standing, "active"));
}

function hourOf({ hours }: Story, at: number): PastHour | null {
  return hours.findLast((hour) => hour.at <= at && at < hour.at + HOUR_MS) ?? null;
}

/** Whether the run began with the story, and perhaps before it. */
function isAtBeginning(since: number, { from, profile }: Story, { intervalMs }: Policy): boolean {
  return profile.registeredAt < from && since <= from + IN_TIME_INTERVALS * intervalMs;
}
