import {
  type Heartbeat,
  type HeartbeatReport,
  heartbeatFromLateReading,
  type LateReading,
} from "../model/heartbeat.ts";
import { emit, flush, inChunks } from "../model/outbox.ts";
import { idleRunOf, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, recentOf } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { evidenceOfKept } from "../model/use.ts";
import { phrase } from "../model/words/phrase.ts";
import { callOffIdleHibernation } from "./handover.ts";
import { endIdleRun } from "./idle-run.ts";
import { saysPreparing } from "./preparation-heard.ts";
import { judge } from "./use.ts";

/**
 * Late readings, which the agent took while the service was out of reach and sends in the `backlog` of a heartbeat. They
 * fill the history, and one that shows use ends the idle run into which it falls. They change nothing else: liveness and
 * counters go by what came in time.
 */
export function receiveBacklog(
  state: InstanceState,
  report: HeartbeatReport,
  policy: Policy,
  now: number,
): InstanceState {
  const { boot_id, sequence, backlog } = report;
  if (boot_id == null || sequence == null || backlog == null) return state;
  const judged = endIdleRunIfBusy(state, report, backlog, policy, now);
  const newest = state.agent.sequence ?? -1;
  // A sequence that does not grow was restarted, so none of these readings has been received.
  const receivedUpTo = sequence > newest ? newest : -1;
  const readings = backlog.filter(([number]) => number > receivedUpTo && number < sequence);
  return addToHistory(judged, readingsThatFillGap(judged, readings, policy, now));
}

function addToHistory(state: InstanceState, late: readonly Heartbeat[]): InstanceState {
  if (late.length === 0) return state;
  const kept = inChunks(late).reduce(
    (each, heartbeats) => emit(each, { type: "chunk", heartbeats }),
    flush(state),
  );
  return {
    ...kept,
    agent: { ...kept.agent, nextInHistory: state.agent.nextInHistory + late.length },
    recent: recentOf([...kept.recent, ...late], kept.unflushed),
  };
}

/**
 * The readings that fill a gap in the history: newer than its last entry, and at least half an interval apart. So no
 * reading is kept twice, and the history grows no faster than time passes.
 */
function readingsThatFillGap(
  { recent, agent }: InstanceState,
  backlog: readonly LateReading[],
  policy: Policy,
  now: number,
): Heartbeat[] {
  const late: Heartbeat[] = [];
  let newest = recent.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  for (const reading of backlog) {
    const at = takenAt(reading, now);
    if (at < newest + policy.intervalMs / 2) continue;
    newest = at;
    late.push(heartbeatFromLateReading(reading, at, agent.nextInHistory + late.length));
  }
  return late;
}

function endIdleRunIfBusy(
  state: InstanceState,
  report: HeartbeatReport,
  backlog: readonly LateReading[],
  policy: Policy,
  now: number,
): InstanceState {
  const preparingSince = saysPreparing(state, report) ? (preparationOf(state.phase)?.beganAt ?? null) : null;
  const run = idleRunOf(state.phase);
  if (run === null) return state;
  for (const late of backlog) {
    const at = takenAt(late, now);
    // What was read while the machine was being prepared shows that.
    if (at < run.since || (preparingSince !== null && at >= preparingSince)) continue;
    const evidence = evidenceOfKept(heartbeatFromLateReading(late, at, 0));
    const judgement = judge(evidence, policy, state.agent.hasGpu);
    if (judgement.verdict === "quiet") continue;
    return callOffIdleHibernation(
      endIdleRun(state, now, phrase("idle.read_late", { because: judgement.because, at })),
      now,
    );
  }
  return state;
}

function takenAt([, ageSeconds]: LateReading, now: number): number {
  return now - Math.round(ageSeconds * SECOND_MS);
}
