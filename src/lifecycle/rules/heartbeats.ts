import { closeGap, countHeartbeat } from "../model/counters.ts";
import {
  type Heartbeat,
  type HeartbeatReport,
  hasUnreadableGpu,
  heartbeatFrom,
  heartbeatFromLate,
  idleReading,
  type LateReading,
} from "../model/heartbeat.ts";
import type { EventDetail } from "../model/history-event.ts";
import { emit, flush, inChunks, record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { type Agent, type InstanceState, idleRunOf, RECENT_HEARTBEATS } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from "../model/time.ts";
import { extendTrend } from "../model/trend.ts";
import { callOff, recover } from "./handover.ts";
import {
  beginHibernation,
  cancelHibernation,
  endOfHibernation,
  endSavings,
  failHibernation,
} from "./hibernation.ts";
import { endIdleRun, judgeUse, reasonOfUse, type Use } from "./idleness.ts";
import { travelsByAnswer } from "./order.ts";
import { endWake } from "./waking.ts";

/** What a heartbeat says, apart from its numbers for the history. */
interface Word extends Use {
  /** The agent's last word before it hibernates its instance. */
  readonly saysGoodbye: boolean;
}

/**
 * A heartbeat came in. Whatever its number says, it is a sign of life and of use; the number decides only whether the
 * reading enters the history and the counters.
 */
export function hear(
  state: InstanceState,
  report: HeartbeatReport,
  policy: Policy,
  now: number,
): InstanceState {
  const isRepeat = wasHeard(state.agent, report);
  const known = noteAgent(hearLate(noteRun(state, report, now), report, policy, now), report);
  const heartbeat = heartbeatFrom(report, now, known.agent.nextInHistory);
  const word: Word = {
    at: now,
    reading: hasUnreadableGpu(report)
      ? readingUnlessIdle(heartbeat, policy)
      : readingOf(known, heartbeat, policy),
    activity: heartbeat.activity,
    isRepeat,
    saysGoodbye: heartbeat.status === "hibernating" && travelsByAnswer(state.profile),
  };
  const interpreted = interpret(recover(known, now, "heartbeat received"), word, policy);
  const alive = noteLife(interpreted, now, policy);
  return isRepeat ? alive : count(alive, heartbeat, state.clock.lastHeartbeatAt, policy);
}

function readingOf({ agent }: InstanceState, heartbeat: Heartbeat, policy: Policy) {
  return idleReading(heartbeat, policy.idle.metric, agent.hasGpu);
}

/** Of several GPUs one could not be read: the others may prove that the instance is used, and never that it is not. */
function readingUnlessIdle(heartbeat: Heartbeat, policy: Policy) {
  const reading = idleReading(heartbeat, policy.idle.metric, true);
  const isGpu = reading?.metric === "GPU";
  return isGpu && reading.percent < policy.idle.thresholdPercent ? null : reading;
}

/** The agent did not hear the answer and sends the same heartbeat again. */
function wasHeard(agent: Agent, { boot_id, sequence }: HeartbeatReport): boolean {
  return boot_id != null && boot_id === agent.bootId && sequence != null && sequence === agent.sequence;
}

/** Notes which run of the agent speaks. The numbers of a former run say nothing of those of this one. */
function noteRun(state: InstanceState, { boot_id }: HeartbeatReport, at: number): InstanceState {
  const { agent } = state;
  if (boot_id == null || boot_id === agent.bootId) return state;
  const noted: InstanceState = { ...state, agent: { ...agent, bootId: boot_id, sequence: null } };
  return agent.bootId === null ? noted : tellRestart(noted, at);
}

/** Notes the heartbeat's number, and the GPUs. */
function noteAgent(state: InstanceState, report: HeartbeatReport): InstanceState {
  const { agent } = state;
  const gpus = report.gpus ?? agent.gpus;
  const hasGpu = agent.hasGpu || report.gpu_utilization != null || gpus.length > 0;
  const sequence = report.boot_id == null ? agent.sequence : (report.sequence ?? agent.sequence);
  return { ...state, agent: { ...agent, sequence, gpus, hasGpu } };
}

/** Whoever holds the token could claim a restart with each heartbeat: one an hour is recorded. */
function tellRestart(state: InstanceState, at: number): InstanceState {
  const { rebootToldAt } = state.agent;
  if (rebootToldAt !== null && at < rebootToldAt + HOUR_MS) return state;
  return record(
    { ...state, agent: { ...state.agent, rebootToldAt: at } },
    { at, kind: "rebooted", severity: "info", message: "The instance or its agent was restarted" },
  );
}

/**
 * Hands readings that come late to the history, and lets those that show use end the idle run into which they fall. They
 * change nothing else: liveness and counters go by what came in time.
 */
function hearLate(state: InstanceState, report: HeartbeatReport, policy: Policy, now: number): InstanceState {
  const { boot_id, sequence, backlog } = report;
  if (boot_id == null || sequence == null || backlog == null) return state;
  const used = endRunByLate(state, backlog, policy, now);
  const newest = state.agent.sequence ?? -1;
  // Of a counter that began anew, nothing was heard yet.
  const heardUpTo = sequence > newest ? newest : -1;
  const readings = backlog.filter(([number]) => number > heardUpTo && number < sequence);
  const late = fillingGap(used, readings, policy, now);
  if (late.length === 0) return used;
  const kept = inChunks(late).reduce(
    (each, heartbeats) => emit(each, { type: "chunk", heartbeats }),
    flush(used),
  );
  return {
    ...kept,
    agent: { ...kept.agent, nextInHistory: used.agent.nextInHistory + late.length },
    recent: [...kept.recent, ...late].slice(-RECENT_HEARTBEATS),
  };
}

const takenAt = ([, ageSeconds]: LateReading, now: number) => now - Math.round(ageSeconds * SECOND_MS);

/**
 * The readings that fill a gap in the history: after its newest entry, and no denser than half an interval. So one that
 * was heard before is not kept again, and no history grows faster than time passes.
 */
function fillingGap(
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
    late.push(heartbeatFromLate(reading, at, agent.nextInHistory + late.length));
  }
  return late;
}

function endRunByLate(
  state: InstanceState,
  backlog: readonly LateReading[],
  policy: Policy,
  now: number,
): InstanceState {
  const run = idleRunOf(state.phase);
  if (run === null) return state;
  for (const late of backlog) {
    const at = takenAt(late, now);
    if (at < run.since) continue;
    const reading = readingOf(state, heartbeatFromLate(late, at, 0), policy);
    const because = reasonOfUse({ at, reading, activity: null, isRepeat: false }, policy);
    if (because === null) continue;
    const ended = endIdleRun(state, now, `${because} at ${toIso(at)}`);
    return endIdleOrder(ended, now);
  }
  return state;
}

/** An order to hibernate for idleness ends with the idleness, if it still can. */
function endIdleOrder(state: InstanceState, at: number): InstanceState {
  const { phase } = state;
  return phase.status === "hibernating" && phase.reason === "idle"
    ? callOff(state, at, "it is busy again")
    : state;
}

function noteLife(state: InstanceState, at: number, policy: Policy): InstanceState {
  const asleep = state.phase.status === "hibernated";
  const nextGapFrom = asleep ? null : Math.max(at, state.clock.keepAliveUntil ?? 0);
  return {
    ...state,
    clock: { ...state.clock, lastHeartbeatAt: at },
    counters: closeGap(state.counters, policy.intervalMs, at, nextGapFrom),
  };
}

function count(
  state: InstanceState,
  heartbeat: Heartbeat,
  lastHeartbeatAt: number | null,
  policy: Policy,
): InstanceState {
  const gapMs = lastHeartbeatAt === null ? null : heartbeat.at - lastHeartbeatAt;
  return {
    ...state,
    counters: countHeartbeat(state.counters, heartbeat),
    agent: { ...state.agent, nextInHistory: heartbeat.sequence + 1 },
    recent: [...state.recent, heartbeat].slice(-RECENT_HEARTBEATS),
    unflushed: state.unflushed + 1,
    gpuTrend: extendTrend(state.gpuTrend, heartbeat.gpuPercent, gapMs, policy.intervalMs),
  };
}

function interpret(state: InstanceState, word: Word, policy: Policy): InstanceState {
  const { at } = word;
  const { phase } = state;
  switch (phase.status) {
    case "pending":
      return interpret(
        record(
          { ...state, phase: { status: "running", idle: null } },
          { at, kind: "first_heartbeat", severity: "info", message: "First heartbeat received" },
        ),
        word,
        policy,
      );
    case "running":
      return word.saysGoodbye && isNewLastWord(state, at)
        ? goodbye(state, at)
        : judgeUse(state, word, policy);
    case "hibernating":
      return hearWhileHibernating(state, word, policy);
    case "hibernated":
      // Its hooks may have run for minutes, in silence, before it said its last word.
      if (word.saysGoodbye && at - phase.since <= SLOWEST_HOOKS_MS) return state;
      return at - phase.since > policy.settleMs
        ? woken(endSavings(state, phase.unsavedFrom, at), word, policy, endOfHibernation(phase, policy, at))
        : state;
    case "waking":
      // A start that is on its way would undo whatever is ordered next: the order to wake ends when its try has ended.
      return phase.action.handover.state === "trying"
        ? callOff(state, at, "heartbeat received")
        : woken(state, word, policy);
    case "deleted":
      return woken(state, word, policy);
    // `recover` has already led both out of here, unless the provider may be accepting the delete right now.
    case "orphaned":
    case "deleting":
      return state;
  }
}

/** So long may an agent's hooks keep it from its last word. */
const SLOWEST_HOOKS_MS = 10 * MINUTE_MS;

/** A last word of its own counts once in so long: whoever has the token could say it with each heartbeat. */
const LAST_WORD_MS = 5 * MINUTE_MS;

function isNewLastWord({ agent }: InstanceState, at: number): boolean {
  return agent.lastWordAt === null || at >= agent.lastWordAt + LAST_WORD_MS;
}

/**
 * It says that it hibernates without having been told: its owner did it on the machine. Its silence from here on is the
 * proof; a word alone is none.
 */
function goodbye(state: InstanceState, at: number): InstanceState {
  const noted: InstanceState = { ...state, agent: { ...state.agent, lastWordAt: at } };
  return beginHibernation(noted, {
    kind: "hibernate",
    reason: "instance",
    at,
    message: "The instance says that it hibernates itself",
    detail: { rule: "instance" },
  });
}

function hearWhileHibernating(state: InstanceState, word: Word, policy: Policy): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  const { action } = phase;
  if (word.saysGoodbye) return state;
  const known =
    phase.before.status === "pending"
      ? { ...state, phase: { ...phase, before: { status: "running", idle: null } as const } }
      : state;
  const judged = judgeUse(known, word, policy);
  const called = reasonOfUse(word, policy) === null ? judged : endIdleOrder(judged, word.at);
  if (called.phase.status !== "hibernating") return called;
  if (phase.reason === "instance") return cancelHibernation(called, word.at, "the instance beats on");
  const byAnswer = travelsByAnswer(action.machine);
  return byAnswer && action.handover.state === "accepted" && word.at - action.handover.at >= policy.settleMs
    ? failHibernation(called, word.at, "the instance beats on after it was told")
    : called;
}

function woken(state: InstanceState, word: Word, policy: Policy, detail: EventDetail = {}): InstanceState {
  return judgeUse(endWake(state, word.at, detail), word, policy);
}
