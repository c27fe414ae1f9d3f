import { newLedger } from "../lifecycle/model/ledger.ts";
import type { IdleRun } from "../lifecycle/model/phase.ts";
import { idleRunOf } from "../lifecycle/model/phase.ts";
import { type InstanceState, newState, withIdleRun } from "../lifecycle/model/state.ts";
import { momentIn, numberIn } from "./detail.ts";
import type { PastEvent, Story } from "./story.ts";
import { takeOver } from "./take-over.ts";

/** How an instance stood when its story begins. */
export interface Beginning {
  readonly state: InstanceState;
  /** The first moment of which anything is known: its registration, where that lies within the story. */
  readonly at: number;
  /** What nobody knows of that moment, each a word of its own; empty where all is known. */
  readonly unknown: readonly Unknown[];
}

/**
 * - `standing`: no event says how it stood; it is taken to run, as its first reading shows.
 * - `idle_run`: it ran, and nobody knows whether it was idle already, and since when.
 * - `last_heartbeat`: nobody knows when it was last heard.
 */
export type Unknown = "standing" | "idle_run" | "last_heartbeat";

/** What the events before the story say, and those within it of the time before. */
export function beginningOf(story: Story): Beginning {
  const registered = story.events.findLast(({ kind, at }) => kind === "registered" && at <= story.to);
  const at = Math.max(story.from, registered?.at ?? story.profile.registeredAt);
  const known = story.events.filter((event) => event.at >= (registered?.at ?? 0));
  const before = known.filter((event) => event.at < story.from && event !== registered);
  const after = known.filter((event) => event.at >= story.from);
  const fresh = newBorn(story, registered);
  const isNew = registered !== undefined && before.length === 0;
  const stood = before.reduce(takeOver, isNew || before.length > 0 ? fresh : taken(fresh, story));
  const standing = anew(stood, at);
  if (at > story.from || (isNew && registered.at >= story.from)) return { state: standing, at, unknown: [] };
  return completed(standing, { ...story, events: after }, before.length === 0 && !isNew);
}

function newBorn({ profile, hasGpu }: Story, registered: PastEvent | undefined): InstanceState {
  const registeredAt = registered?.at ?? profile.registeredAt;
  const isChosen = registered?.detail.enrolled_by === undefined;
  const state = newState({ ...profile, registeredAt }, registeredAt, isChosen ? "registered" : "unknown");
  return { ...state, agent: { ...state.agent, hasGpu: registered === undefined && hasGpu } };
}

/** Nothing is known of it but its readings. */
function taken(state: InstanceState, { from }: Story): InstanceState {
  return { ...state, phase: { status: "running", idle: null }, runningSince: from };
}

/** Its costs count from here. */
function anew(state: InstanceState, at: number): InstanceState {
  return { ...state, ledger: newLedger(at), outbox: [] };
}

/** Events soon after the beginning may tell of the time before it: since when it was idle, or last heard. */
function completed(state: InstanceState, story: Story, isUnknown: boolean): Beginning {
  const unknown: Unknown[] = isUnknown ? ["standing"] : [];
  let known = state;
  if (state.phase.status === "running" && idleRunOf(state.phase) === null) {
    const run = runBefore(story);
    if (run === null) unknown.push("idle_run");
    else known = withIdleRun(known, run);
  }
  if (state.clock.lastHeartbeatAt === null && state.phase.status === "running") {
    const heard = heardBefore(story);
    if (heard === null) unknown.push("last_heartbeat");
    else known = { ...known, clock: { ...known.clock, lastHeartbeatAt: heard } };
  }
  return { state: known, at: story.from, unknown };
}

/** The idle run of which its owner is warned within the story. */
function runBefore({ events, readings, from }: Story): IdleRun | null {
  const idle = events.find(({ kind }) => kind === "idle");
  const since = idle === undefined ? null : momentIn(idle.detail, "idle_since");
  if (idle === undefined || since === null || since >= from) return null;
  const counted = readings.filter(({ at, isLate }) => at <= idle.at && isLate !== true).length;
  return {
    since,
    metric: idle.detail.metric === "CPU" ? "CPU" : "GPU",
    highestPercent: numberIn(idle.detail, "highest_percent") ?? 0,
    heartbeats: Math.max(0, (numberIn(idle.detail, "heartbeats") ?? 0) - counted),
    warnedAt: null,
    failed: null,
  };
}

function heardBefore({ events, from }: Story): number | null {
  const orphaned = events.find(({ kind }) => kind === "orphaned");
  const heard = orphaned === undefined ? null : momentIn(orphaned.detail, "last_heartbeat");
  return heard !== null && heard < from ? heard : null;
}
