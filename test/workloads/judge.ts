import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { expandPreset, type Preset } from "../../src/lifecycle/model/presets.ts";
import { START, Timeline } from "../lifecycle/timeline.ts";
import type { Workload } from "./machine.ts";
import { type Replay, replay } from "./sampling.ts";

/** Plays a workload's heartbeats to the real rules, and holds what they do against the truth. */

/** What happened to one machine in one day. */
export interface Day {
  /** When it was hibernated, in seconds. */
  readonly stoppedAt: number | null;
  /** How long before that it had last worked; null: it never was stopped, or never worked. */
  readonly quietSeconds: number | null;
  readonly told: readonly string[];
}

const DAY_SECONDS = 86_400;
/** As many days as the chance of a seed makes. */
export const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

export type Agent = "before" | "after";

/** The same days under the rules, as this agent reports them. */
export function daysOf(
  workload: Workload,
  replays: readonly Replay[],
  agent: Agent,
  preset: Preset,
): readonly Day[] {
  return replays.map((each) => dayOf(workload, each, agent, preset));
}

export function replaysOf(workload: Workload): readonly Replay[] {
  return SEEDS.map((seed) => replay(workload, seed, DAY_SECONDS));
}

function dayOf(workload: Workload, { beats, workedAt }: Replay, agent: Agent, preset: Preset): Day {
  const timeline = new Timeline({ overrides: overridesOf(workload, preset) });
  for (const beat of beats) {
    timeline.until(START + 1000 * beat.second);
    if (isStopped(timeline)) return stopped(timeline, workedAt);
    timeline.heartbeat(beat[agent] satisfies HeartbeatReport);
    if (isStopped(timeline)) return stopped(timeline, workedAt);
  }
  // The former release told of nothing that it saw.
  return { stoppedAt: null, quietSeconds: null, told: agent === "before" ? [] : told(timeline) };
}

/** What an owner sets who chooses this preset, and what the workload calls for. */
export function overridesOf({ idle = {} }: Workload, preset: Preset): PolicyOverrides {
  return expandPreset({ preset, idle });
}

function isStopped({ state }: Timeline): boolean {
  return state.phase.status === "hibernating" || state.phase.status === "hibernated";
}

function stopped(timeline: Timeline, workedAt: Int32Array): Day {
  const ordered = timeline.events.findLast(({ kind }) => kind === "hibernating")?.at ?? timeline.now;
  const stoppedAt = Math.floor((ordered - START) / 1000);
  const worked = workedAt[stoppedAt] ?? -1;
  return { stoppedAt, quietSeconds: worked < 0 ? null : stoppedAt - worked, told: told(timeline) };
}

function told({ kinds }: Timeline): readonly string[] {
  return [...new Set(kinds)];
}
