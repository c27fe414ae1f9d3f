import type { IdleReading } from "../model/heartbeat.ts";
import { record } from "../model/outbox.ts";
import { type IdleRun, idleRunOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, withIdleRun } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { text } from "../model/words/say.ts";
import { AWAKE_HOURS, isAwakeTime } from "./awake-hours.ts";
import type { Judgement } from "./use.ts";
import { isGap } from "./use-seen.ts";

/** How heartbeats begin, continue and end an idle run: an unbroken run of heartbeats that show no use. */

/** What a heartbeat says about the use of the instance. */
export interface UseReport {
  readonly at: number;
  readonly judgement: Judgement;
  /** The agent missed the answer and sent the same heartbeat again, which is no new evidence. */
  readonly isDuplicate: boolean;
}

/** Begins, continues or ends the idle run, as the heartbeat has it. */
export function updateIdleRun(state: InstanceState, use: UseReport, policy: Policy): InstanceState {
  if (use.judgement.verdict !== "quiet") return endIdleRun(state, use.at, use.judgement.because);
  if (!policy.idle.enabled) return endIdleRun(state, use.at, text("idle.switched_off"));
  const { reading } = use.judgement;
  const { lastHeartbeatAt, keepAliveUntil } = state.clock;
  const run = idleRunOf(state.phase);
  if (run !== null && isGap(lastHeartbeatAt, use.at, policy)) {
    const ended = endIdleRun(state, use.at, text("idle.heartbeats_missing"));
    return withIdleRun(ended, beginRun(use.at, reading, keepAliveUntil));
  }
  // Heartbeats of awake hours are no evidence of what comes after them.
  if (run !== null && isAwakeTime(policy, use.at)) {
    return withIdleRun(endIdleRun(state, use.at, AWAKE_HOURS), beginRun(use.at, reading, keepAliveUntil));
  }
  const continues = run !== null && run.metric === reading.metric;
  return withIdleRun(
    state,
    continues ? continueRun(run, use, reading) : beginRun(use.at, reading, keepAliveUntil),
  );
}

function beginRun(at: number, reading: IdleReading, keepAliveUntil: number | null): IdleRun {
  // Under a keep-alive the run starts when the keep-alive ends.
  const since = Math.max(at, keepAliveUntil ?? 0);
  const counts = since === at;
  return {
    since,
    metric: reading.metric,
    highestPercent: counts ? reading.percent : 0,
    heartbeats: counts ? 1 : 0,
    warnedAt: null,
    failed: null,
  };
}

function continueRun(run: IdleRun, { at, isDuplicate }: UseReport, reading: IdleReading): IdleRun {
  if (at < run.since || isDuplicate) return run;
  return {
    ...run,
    highestPercent: Math.max(run.highestPercent, reading.percent),
    heartbeats: run.heartbeats + 1,
  };
}

/** Ends the idle run, and tells the owner if it had been warned of. */
export function endIdleRun(state: InstanceState, at: number, because: Said): InstanceState {
  const run = idleRunOf(state.phase);
  if (run === null) return state;
  const cleared = withIdleRun(state, null);
  // While an order is under way, the event that ends it tells the owner.
  if (run.warnedAt === null || state.phase.status !== "running") return cleared;
  return record(cleared, {
    at,
    kind: "busy",
    severity: "info",
    message: phrase("idle.no_longer", { because }),
    detail: { idle_since: toIso(run.since) },
  });
}
