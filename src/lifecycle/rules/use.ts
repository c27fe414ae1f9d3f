import { type IdleReading, idleReading } from "../model/heartbeat.ts";
import type { Policy } from "../model/policy.ts";
import { sourceKindOf, thresholdOfKind } from "../model/source-settings.ts";
import type { Evidence, Source } from "../model/use.ts";
import { phrase, together } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";

/**
 * Whether a heartbeat shows use. It shows none only where the reading that idleness goes by is known and under its threshold, and
 * no source of activity reaches its own. What cannot be read counts as use.
 */

export type Judgement =
  | { readonly verdict: "quiet"; readonly reading: IdleReading }
  | { readonly verdict: "active"; readonly reading: IdleReading | null; readonly because: Said }
  /** Nothing shows use, but for what cannot be read. */
  | {
      readonly verdict: "unknown";
      readonly reading: IdleReading | null;
      readonly because: Said;
      /** The metric, or names of sources. */
      readonly unread: readonly string[];
    };

/** What a source says by the policy. */
export const SOURCE_STATES = ["active", "quiet", "unknown", "ignored"] as const;

export type SourceState = (typeof SOURCE_STATES)[number];

/** From which value on the source counts as use; null: it is ignored. */
export function thresholdOf(name: string, { respectActivity, sources }: Policy["idle"]): number | null {
  return respectActivity ? thresholdOfKind(sourceKindOf(name), sources) : null;
}

export function stateOf({ name, value }: Pick<Source, "name" | "value">, idle: Policy["idle"]): SourceState {
  const threshold = thresholdOf(name, idle);
  if (threshold === null) return "ignored";
  if (value === null) return "unknown";
  return value >= threshold ? "active" : "quiet";
}

/** Whether something of this use may count by another policy that did not by the former. */
export function isStricter(use: Evidence | undefined, former: Policy["idle"], idle: Policy["idle"]): boolean {
  if (idle.respectActivity && !former.respectActivity) return true;
  return (use?.sources ?? []).some(({ name }) => {
    const [before, now] = [thresholdOf(name, former), thresholdOf(name, idle)];
    return now !== null && (before === null || now < before);
  });
}

/** Judges what a heartbeat shows. `hasGpu`: whether the instance ever reported a GPU. */
export function judge(evidence: Evidence, { idle }: Pick<Policy, "idle">, hasGpu: boolean): Judgement {
  const reading = readingOf(evidence, idle, hasGpu);
  if (reading !== null && reading.percent >= idle.thresholdPercent) {
    return {
      verdict: "active",
      reading,
      because: phrase("use.metric_at", { metric: reading.metric, percent: reading.percent }),
    };
  }
  const active: Source[] = [];
  const unread: string[] = [];
  for (const source of evidence.sources) {
    const state = stateOf(source, idle);
    if (state === "active") active.push(source);
    if (state === "unknown") unread.push(source.name);
  }
  const activity = idle.respectActivity ? evidence.activity : null;
  if (active.length > 0 || activity !== null) {
    const inUse = [...(activity === null ? [] : [activity]), ...named(active.map(saySource))];
    const because = joined(phrase("use.in_use", { what: together("commas", inUse) }), sayUnread(unread));
    return { verdict: "active", reading, because };
  }
  if (reading !== null && unread.length === 0) return { verdict: "quiet", reading };
  const because = joined(reading === null ? phrase("use.no_reading") : "", sayUnread(unread));
  const metric = reading === null ? [unreadMetric(idle, hasGpu)] : [];
  return { verdict: "unknown", reading, because, unread: [...metric, ...unread] };
}

/** The reading that idleness goes by; null where it is unknown. */
function readingOf(evidence: Evidence, idle: Policy["idle"], hasGpu: boolean): IdleReading | null {
  const reading = idleReading(evidence, idle.metric, hasGpu || evidence.hasUnreadGpu);
  const isInDoubt = evidence.hasUnreadGpu && reading?.metric === "GPU";
  return isInDoubt && reading.percent < idle.thresholdPercent ? null : reading;
}

function unreadMetric({ metric }: Policy["idle"], hasGpu: boolean): IdleReading["metric"] {
  return metric === "cpu" || (metric === "auto" && !hasGpu) ? "CPU" : "GPU";
}

/** This many are named; the rest are only counted. */
const NAMED = 8;

/** The first of these names, and how many more there are. */
export function named(names: readonly Said[]): readonly Said[] {
  const more = names.length - NAMED;
  return more > 0 ? [...names.slice(0, NAMED), phrase("use.more", { count: more })] : names;
}

/** `work_vllm cannot be read`; empty where everything can. */
export function sayUnread(names: readonly string[]): Said {
  return names.length === 0 ? "" : phrase("use.unread", { what: together("commas", named(names)) });
}

function joined(...parts: readonly Said[]): Said {
  return together("semicolons", parts);
}

/** `2 ssh_connections` of what is counted, `cpu_cores 3.1` of what is measured. */
function saySource({ name, value }: Source): Said {
  switch (name) {
    case "ssh_connections":
    case "notebook_connections":
    case "busy_kernels":
    case "compute_processes":
      return `${value} ${name}`;
    default:
      if (name.startsWith("script_")) return name;
      return phrase("use.source", { name, value: Math.round(10 * (value ?? 0)) / 10 });
  }
}
