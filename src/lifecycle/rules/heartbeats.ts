import { closeGap, countHeartbeat } from "../model/counters.ts";
import { type Heartbeat, type HeartbeatReport, heartbeatFrom } from "../model/heartbeat.ts";
import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { type Agent, type InstanceState, recentOf } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS } from "../model/time.ts";
import { extendTrend } from "../model/trend.ts";
import { evidenceOf } from "../model/use.ts";
import { phrase } from "../model/words/phrase.ts";
import { text } from "../model/words/say.ts";
import { receiveBacklog } from "./backlog.ts";
import { reportCosts } from "./costs.ts";
import { noteDeadMan } from "./dead-man.ts";
import { callOff, callOffIdleHibernation, recover } from "./handover.ts";
import { beginHibernation, cancelHibernation, failHibernation, summarizeHibernation } from "./hibernation.ts";
import { type UseReport, updateIdleRun } from "./idle-run.ts";
import { takesOrdersByAnswer } from "./order.ts";
import { evidenceWhilePreparing, hearPreparation } from "./preparation-heard.ts";
import { noteReclaim } from "./reclaim.ts";
import { judge } from "./use.ts";
import { seeUse } from "./use-seen.ts";
import { warnOfUse } from "./use-warnings.ts";
import { finishWake } from "./waking.ts";

/** What a heartbeat says about its instance, apart from the readings that are kept. */
interface Signal extends UseReport {
  /** The agent's last heartbeat before it hibernates its machine. */
  readonly announcesHibernation: boolean;
  /** Its hooks run. */
  readonly isPreparing: boolean;
}

/**
 * A heartbeat came in. Whatever its number, it is a sign of life and of use; the number only decides whether the reading
 * enters the history and the counters.
 */
export function receiveHeartbeat(
  state: InstanceState,
  report: HeartbeatReport,
  policy: Policy,
  now: number,
): InstanceState {
  const isDuplicate = repeatsLastHeartbeat(state.agent, report);
  const caughtUp = receiveBacklog(updateBootId(state, report, now), report, policy, now);
  const known = updateSequenceAndGpus(caughtUp, report);
  const heartbeat = heartbeatFrom(report, now, known.agent.nextInHistory);
  const evidence = evidenceOf(report, heartbeat);
  const judged = evidenceWhilePreparing(known, report, evidence);
  const judgement = judge(judged, policy, known.agent.hasGpu);
  const use = seeUse(known, evidence, report.gpus ?? null, judgement, policy, now);
  const signal: Signal = {
    at: now,
    judgement,
    isDuplicate,
    announcesHibernation: heartbeat.status === "hibernating" && takesOrdersByAnswer(state.profile),
    isPreparing: report.status === "preparing" || report.preparation?.state === "running",
  };
  const heard = hearPreparation(
    recover({ ...known, use }, now, text("silence.heartbeat_received")),
    report,
    now,
  );
  const noted = noteDeadMan(
    noteReclaim(applySignal(heard, signal, policy), report, policy, now),
    report,
    now,
  );
  const told = warnOfUse(noted, judgement, policy, now);
  const alive = updateLastHeartbeat(told, now, policy);
  return isDuplicate ? alive : addHeartbeat(alive, heartbeat, state.clock.lastHeartbeatAt, policy);
}

/** The agent missed the answer and sends the same heartbeat again. */
function repeatsLastHeartbeat(agent: Agent, { boot_id, sequence }: HeartbeatReport): boolean {
  return boot_id != null && boot_id === agent.bootId && sequence != null && sequence === agent.sequence;
}

/** A new boot id is a new run of the agent, whose sequence numbers start again. */
function updateBootId(state: InstanceState, { boot_id }: HeartbeatReport, at: number): InstanceState {
  const { agent } = state;
  if (boot_id == null || boot_id === agent.bootId) return state;
  const updated: InstanceState = { ...state, agent: { ...agent, bootId: boot_id, sequence: null } };
  return agent.bootId === null ? updated : recordRestart(updated, at);
}

/** Records at most one restart an hour: whoever holds the token could claim one with each heartbeat. */
function recordRestart(state: InstanceState, at: number): InstanceState {
  const { rebootToldAt } = state.agent;
  if (rebootToldAt !== null && at < rebootToldAt + HOUR_MS) return state;
  return record(
    { ...state, agent: { ...state.agent, rebootToldAt: at } },
    { at, kind: "rebooted", severity: "info", message: phrase("event.restarted") },
  );
}

function updateSequenceAndGpus(state: InstanceState, report: HeartbeatReport): InstanceState {
  const { agent } = state;
  const gpus = report.gpus ?? agent.gpus;
  const isGpuRead = (report.gpu_utilization ?? report.gpu_utilization_max) != null;
  const hasGpu = agent.hasGpu || isGpuRead || gpus.length > 0;
  const sequence = report.boot_id == null ? agent.sequence : (report.sequence ?? agent.sequence);
  const hooks = report.hooks == null || report.hooks.length === 0 ? undefined : report.hooks;
  return { ...state, agent: { ...agent, sequence, gpus, hasGpu, hooks } };
}

function updateLastHeartbeat(state: InstanceState, at: number, policy: Policy): InstanceState {
  const isHibernated = state.phase.status === "hibernated";
  const nextGapFrom = isHibernated ? null : Math.max(at, state.clock.keepAliveUntil ?? 0);
  return {
    ...state,
    clock: { ...state.clock, lastHeartbeatAt: at },
    counters: closeGap(state.counters, policy.intervalMs, at, nextGapFrom),
  };
}

/** Adds the reading to the history, the counters and the trend. */
function addHeartbeat(
  state: InstanceState,
  heartbeat: Heartbeat,
  lastHeartbeatAt: number | null,
  policy: Policy,
): InstanceState {
  const gapMs = lastHeartbeatAt === null ? null : heartbeat.at - lastHeartbeatAt;
  const unflushed = state.unflushed + 1;
  const kept = withRepeated(heartbeat, state.recent, lastHeartbeatAt);
  return {
    ...state,
    counters: countHeartbeat(state.counters, heartbeat),
    ledger: state.ledger === undefined ? undefined : reportCosts(state.ledger, heartbeat),
    agent: { ...state.agent, nextInHistory: heartbeat.sequence + 1 },
    recent: recentOf([...state.recent, kept], unflushed),
    unflushed,
    gpuTrend: extendTrend(state.gpuTrend, heartbeat.gpuPercent, gapMs, policy.intervalMs),
  };
}

/** A heartbeat that is sent once more is a sign of life, and is not kept: the next one says when that was. */
function withRepeated(
  heartbeat: Heartbeat,
  recent: readonly Heartbeat[],
  lastHeartbeatAt: number | null,
): Heartbeat {
  const last = recent.findLast(({ isLate }) => isLate !== true)?.at;
  const isKept = lastHeartbeatAt === null || last === undefined || lastHeartbeatAt <= last;
  return isKept ? heartbeat : { ...heartbeat, repeatedAt: lastHeartbeatAt };
}

/** What the heartbeat means in the phase that the instance is in. */
function applySignal(state: InstanceState, signal: Signal, policy: Policy): InstanceState {
  const { at } = signal;
  const { phase } = state;
  switch (phase.status) {
    case "pending":
      return applySignal(
        record(
          { ...state, phase: { status: "running", idle: null } },
          { at, kind: "first_heartbeat", severity: "info", message: phrase("event.first_heartbeat") },
        ),
        signal,
        policy,
      );
    case "running":
      return signal.announcesHibernation && isNewAnnouncement(state, at)
        ? beginSelfHibernation(state, at)
        : updateIdleRun(state, signal, policy);
    case "hibernating":
      return applySignalWhileHibernating(state, signal, policy);
    case "hibernated":
      // The agent's hooks may have run in silence for minutes before this last heartbeat.
      if (signal.announcesHibernation && at - phase.since <= SLOWEST_HOOKS_MS) return state;
      return at - phase.since > policy.settleMs
        ? wake(state, signal, policy, summarizeHibernation(phase, policy, at))
        : state;
    case "waking":
      // A try on its way would start the machine again after whatever is ordered next, so the order ends with that try.
      return phase.action.handover.state === "trying"
        ? callOff(state, at, text("silence.heartbeat_received"))
        : wake(state, signal, policy);
    case "deleted":
      return wake(state, signal, policy);
    // `recover` has ended both already, unless the provider may be accepting a delete right now.
    case "orphaned":
    case "deleting":
      return state;
  }
}

/** The agent's hooks may delay its last heartbeat by this long. */
const SLOWEST_HOOKS_MS = 10 * MINUTE_MS;

/** Only one announcement counts in this time: whoever holds the token could send one with each heartbeat. */
const ANNOUNCEMENT_INTERVAL_MS = 5 * MINUTE_MS;

function isNewAnnouncement({ agent }: InstanceState, at: number): boolean {
  return agent.lastWordAt === null || at >= agent.lastWordAt + ANNOUNCEMENT_INTERVAL_MS;
}

/**
 * The agent announces that it hibernates although it was not asked to: the owner started it on the machine. Only the
 * silence that follows confirms it, not the announcement.
 */
function beginSelfHibernation(state: InstanceState, at: number): InstanceState {
  const announced: InstanceState = { ...state, agent: { ...state.agent, lastWordAt: at } };
  return beginHibernation(announced, {
    kind: "hibernate",
    reason: "instance",
    at,
    message: phrase("hibernation.by_itself"),
    detail: { rule: "instance" },
  });
}

function applySignalWhileHibernating(state: InstanceState, signal: Signal, policy: Policy): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating" || signal.announcesHibernation) return state;
  const { action } = phase;
  const known: InstanceState =
    phase.before.status === "pending"
      ? { ...state, phase: { ...phase, before: { status: "running", idle: null } } }
      : state;
  const judged = updateIdleRun(known, signal, policy);
  const isBusy = signal.judgement.verdict !== "quiet";
  const called = isBusy ? callOffIdleHibernation(judged, signal.at) : judged;
  if (called.phase.status !== "hibernating") return called;
  // Its hooks may take as long as they may before any other hibernation.
  if (signal.isPreparing && signal.at - action.orderedAt < policy.idle.prepareMaxMs) return called;
  if (phase.reason === "instance") return cancelHibernation(called, signal.at, text("hibernation.beats_on"));
  const wasTold = takesOrdersByAnswer(action.machine) && action.handover.state === "accepted";
  return wasTold && signal.at - action.handover.at >= policy.settleMs
    ? failHibernation(called, signal.at, text("hibernation.beats_on_after"))
    : called;
}

function wake(state: InstanceState, signal: Signal, policy: Policy, detail: EventDetail = {}): InstanceState {
  return updateIdleRun(finishWake(state, signal.at, detail), signal, policy);
}
