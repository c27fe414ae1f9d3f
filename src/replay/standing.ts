import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { idleRunOf, orphanOf } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { type InstanceState, withIdleRun, withOrphan } from "../lifecycle/model/state.ts";
import { evidenceOfKept } from "../lifecycle/model/use.ts";
import { failDelete } from "../lifecycle/rules/deletion.ts";
import { receiveHeartbeat } from "../lifecycle/rules/heartbeats.ts";
import { failHibernation } from "../lifecycle/rules/hibernation.ts";
import { endIdleRun } from "../lifecycle/rules/idle-run.ts";
import { changePolicy } from "../lifecycle/rules/policy-change.ts";
import { judge } from "../lifecycle/rules/use.ts";
import { beginningOf } from "./beginning.ts";
import { reportOf } from "./report.ts";
import type { PastEvent, PolicyInForce, Story } from "./story.ts";
import { takeOver } from "./take-over.ts";

/**
 * How an instance stood at a moment of its past. Its heartbeats go through the rules that heard them then. What was decided is not
 * decided again: the events say it.
 */
export interface Standing {
  readonly state: InstanceState;
  /** In force at that moment. */
  readonly policy: Policy;
}

/** Null for a story without any policy. `compile`: as its service does it. */
export function standingAt(
  story: Story,
  at: number,
  compile: (inForce: PolicyInForce) => Policy,
): Standing | null {
  const [first, ...changes] = story.policies;
  if (first === undefined) return null;
  const beginning = beginningOf(story);
  let standing: Standing = { state: beginning.state, policy: compile(first) };
  for (const past of pastOf(story, changes, beginning.at, at)) {
    standing = after(standing, past, compile);
  }
  return { ...standing, state: askingAgain(standing, at) };
}

/** The guard is asked about a step that it holds back until it gives way, and only its first answer is an event. */
function askingAgain({ state, policy }: Standing, at: number): InstanceState {
  const orphan = orphanOf(state.phase);
  const guard = orphan?.guard ?? null;
  if (orphan === null || guard === null) return state;
  const step = orphan.step === "orphaned" || guard.step === "delete" ? guard.step : orphan.step;
  const { askAgainMs } = policy.guard;
  const since = guard.heldSince ?? guard.askAgainAt;
  const askAgainAt = since + askAgainMs * Math.max(1, Math.ceil((at - since) / askAgainMs));
  return withOrphan(state, { ...orphan, guard: { ...guard, step, askAgainAt } });
}

type Past =
  | { readonly what: "event"; readonly at: number; readonly event: PastEvent }
  | { readonly what: "policy"; readonly at: number; readonly inForce: PolicyInForce }
  | { readonly what: "reading"; readonly at: number; readonly reading: Heartbeat };

/** In the order of time: a change of policy, then the events that it or anything else brought, and then the heartbeat. */
function pastOf(
  { readings, events }: Story,
  changes: readonly PolicyInForce[],
  from: number,
  to: number,
): readonly Past[] {
  const all: readonly Past[] = [
    ...changes.map((inForce) => ({ what: "policy", at: inForce.from, inForce }) as const),
    ...asRecorded(events).map(({ at, event }) => ({ what: "event", at, event }) as const),
    ...readings.map((reading) => ({ what: "reading", at: reading.at, reading }) as const),
  ];
  return all.filter((past) => past.at >= from && past.at <= to).sort((a, b) => a.at - b.at);
}

/**
 * An event's time may be a deadline, before what was recorded ahead of it. Their ids count up, so each is taken to have been recorded
 * no sooner than those before it.
 */
function asRecorded(
  events: readonly PastEvent[],
): readonly { readonly at: number; readonly event: PastEvent }[] {
  const numbered = events.map((event) => ({ event, number: Number.parseInt(event.id, 36) }));
  const inOrder = numbered.some(({ number }) => Number.isNaN(number))
    ? numbered
    : numbered.sort((a, b) => a.number - b.number);
  let latest = 0;
  return inOrder.map(({ event }) => {
    latest = Math.max(latest, event.at);
    return { at: latest, event };
  });
}

function after(
  { state, policy }: Standing,
  past: Past,
  compile: (inForce: PolicyInForce) => Policy,
): Standing {
  switch (past.what) {
    case "event":
      return { state: told(state, past.event), policy };
    case "policy": {
      const next = compile(past.inForce);
      const changed = changePolicy(state, { type: "policy.changed", former: policy }, next, past.at);
      return { state: unburdened(changed), policy: next };
    }
    case "reading":
      return { state: heard(state, past.reading, policy), policy };
  }
}

/** How often an order has failed decides when it is given again: that is counted as it was then. */
function told(state: InstanceState, event: PastEvent): InstanceState {
  switch (event.kind) {
    case "hibernate_failed":
      return unburdened(failHibernation(state, event.at, ""));
    case "delete_failed":
      return unburdened(failDelete(state, event.at, ""));
    case "idle":
      return warned(state, takeOver(state, event));
    case "woken":
      return inGrace(state, takeOver(state, event), event);
    default:
      return takeOver(state, event);
  }
}

/** The grace period after a wake goes on when it is heard; it does not where nobody told how the wake ended. */
function inGrace({ clock }: InstanceState, state: InstanceState, { at, detail }: PastEvent): InstanceState {
  const isHeard = clock.graceUntil !== null && clock.graceUntil > at && detail.action_id === undefined;
  return isHeard ? { ...state, clock: { ...state.clock, graceUntil: clock.graceUntil } } : state;
}

/** Of the run of which its owner is warned, hibernations may have failed before. */
function warned(before: InstanceState, state: InstanceState): InstanceState {
  const failed = idleRunOf(before.phase)?.failed ?? null;
  const run = idleRunOf(state.phase);
  return run === null ? state : withIdleRun(state, { ...run, failed });
}

function heard(state: InstanceState, reading: Heartbeat, policy: Policy): InstanceState {
  if (reading.isLate === true) return heardLate(state, reading, policy);
  const report = { ...reportOf(reading), status: reading.status };
  return unburdened(receiveHeartbeat(state, report, policy, reading.at));
}

/** It changes nothing but an idle run into which it falls. */
function heardLate(state: InstanceState, reading: Heartbeat, policy: Policy): InstanceState {
  const run = idleRunOf(state.phase);
  if (run === null || reading.at < run.since) return state;
  const judgement = judge(evidenceOfKept(reading), policy, state.agent.hasGpu);
  return judgement.verdict === "quiet" ? state : unburdened(endIdleRun(state, reading.at, judgement.because));
}

/** Without what was sent off then. */
function unburdened(state: InstanceState): InstanceState {
  return { ...state, outbox: [], recent: state.recent.slice(-1), unflushed: 0 };
}
