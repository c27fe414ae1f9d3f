import {
  beginHibernation,
  canCancelHibernation,
  cancelHibernation,
  confirmHibernation,
  endOfHibernation,
  endSavings,
  failHibernation,
} from "./actions.ts";
import { closeGap, countHeartbeat } from "./counters.ts";
import {
  type Heartbeat,
  type HeartbeatReport,
  heartbeatFrom,
  heartbeatFromLate,
  idleReading,
} from "./heartbeat.ts";
import type { HistoryEvent } from "./history-event.ts";
import { judgeHeartbeat } from "./idleness.ts";
import { recover } from "./liveness.ts";
import { emit, flush, inChunks, record } from "./outbox.ts";
import type { Policy } from "./policy.ts";
import { abilitiesOf } from "./provider.ts";
import { type Agent, type InstanceState, RECENT_HEARTBEATS } from "./state.ts";
import { SECOND_MS } from "./time.ts";
import { extendTrend } from "./trend.ts";

/** A heartbeat came in: it is counted whatever the standing, and then means what the standing makes of it. */
export function hear(
  state: InstanceState,
  report: HeartbeatReport,
  policy: Policy,
  now: number,
): InstanceState {
  if (wasHeard(state.agent, report)) return state;
  const known = keepLate(noteBoot(state, report, now), report, now);
  const heartbeat = heartbeatFrom(report, now, known.agent.nextInHistory);
  const interpreted = interpret(recover(known, now, "heartbeat received"), heartbeat, policy);
  return count(interpreted, heartbeat, policy);
}

/** The agent did not hear the answer and sends the same heartbeat again. */
function wasHeard(agent: Agent, { boot_id, sequence }: HeartbeatReport): boolean {
  return (
    boot_id != null &&
    boot_id === agent.bootId &&
    sequence != null &&
    agent.sequence !== null &&
    sequence <= agent.sequence
  );
}

/** Notes the agent's boot and sequence. Another boot tells a restart of the machine from a cut of its network. */
function noteBoot(state: InstanceState, report: HeartbeatReport, at: number): InstanceState {
  const { agent } = state;
  const bootId = report.boot_id ?? agent.bootId;
  const rebooted = agent.bootId !== null && bootId !== agent.bootId;
  const noted: InstanceState = {
    ...state,
    agent: { ...agent, bootId, sequence: rebooted ? null : agent.sequence, gpus: report.gpus ?? [] },
  };
  if (!rebooted) return noted;
  return record(noted, { at, kind: "rebooted", severity: "info", message: "The instance was restarted" });
}

/**
 * Hands readings that come late to the history, each once: those of this boot that are newer than what was heard. They
 * change nothing else: in time is what counts.
 */
function keepLate(state: InstanceState, report: HeartbeatReport, now: number): InstanceState {
  const { agent } = state;
  const current = report.sequence ?? null;
  const noted: InstanceState = { ...state, agent: { ...agent, sequence: current ?? agent.sequence } };
  if (report.boot_id == null || current === null) return noted;
  let at = state.recent.at(-1)?.at ?? 0;
  let last = agent.sequence ?? -1;
  const late: Heartbeat[] = [];
  for (const reading of report.backlog ?? []) {
    const [sequence, ageSeconds] = reading;
    if (sequence <= last || sequence >= current) continue;
    last = sequence;
    at = Math.min(now, Math.max(at, now - Math.round(ageSeconds * SECOND_MS)));
    late.push(heartbeatFromLate(reading, at, agent.nextInHistory + late.length));
  }
  if (late.length === 0) return noted;
  const flushed = flush(noted);
  const kept = inChunks(late).reduce(
    (each, heartbeats) => emit(each, { type: "chunk", heartbeats }),
    flushed,
  );
  return {
    ...kept,
    agent: { ...kept.agent, nextInHistory: agent.nextInHistory + late.length },
    recent: [...kept.recent, ...late].slice(-RECENT_HEARTBEATS),
  };
}

function count(state: InstanceState, heartbeat: Heartbeat, policy: Policy): InstanceState {
  const asleep = state.phase.status === "hibernated";
  const { lastHeartbeatAt } = state.clock;
  const gapMs = lastHeartbeatAt === null ? null : heartbeat.at - lastHeartbeatAt;
  const nextGapFrom = asleep ? null : Math.max(heartbeat.at, state.clock.keepAliveUntil ?? 0);
  return {
    ...state,
    clock: { ...state.clock, lastHeartbeatAt: heartbeat.at },
    counters: countHeartbeat(
      closeGap(state.counters, policy.intervalMs, heartbeat.at, nextGapFrom),
      heartbeat,
    ),
    agent: { ...state.agent, nextInHistory: heartbeat.sequence + 1 },
    recent: [...state.recent, heartbeat].slice(-RECENT_HEARTBEATS),
    unflushed: state.unflushed + 1,
    gpuTrend: extendTrend(state.gpuTrend, heartbeat.gpuPercent, gapMs, policy.intervalMs),
  };
}

function interpret(state: InstanceState, heartbeat: Heartbeat, policy: Policy): InstanceState {
  const { at } = heartbeat;
  const { phase } = state;
  switch (phase.status) {
    case "pending":
      return interpret(
        record(
          { ...state, phase: { status: "running", idle: null } },
          { at, kind: "first_heartbeat", severity: "info", message: "First heartbeat received" },
        ),
        heartbeat,
        policy,
      );
    case "running":
      return saysGoodbye(state, heartbeat)
        ? goodbye(state, heartbeat, policy)
        : judgeHeartbeat(state, heartbeat, policy);
    case "hibernating":
      return hearWhileHibernating(state, heartbeat, policy);
    case "hibernated":
      return at - phase.since > policy.settleMs
        ? woken(
            endSavings(state, phase.unsavedFrom, at),
            heartbeat,
            policy,
            endOfHibernation(phase, policy, at),
          )
        : state;
    case "waking":
    case "deleted":
      return woken(state, heartbeat, policy);
    // `recover` has led these two back before, but for an instance that is being deleted right now.
    case "orphaned":
    case "deleting":
      return state;
  }
}

/** An instance that hibernates itself says so with its last word. */
function saysGoodbye(state: InstanceState, heartbeat: Heartbeat): boolean {
  return heartbeat.status === "hibernating" && abilitiesOf(state.profile.provider).hibernates === "by answer";
}

/** It hibernates without having been told: its owner did it on the machine. */
function goodbye(state: InstanceState, heartbeat: Heartbeat, policy: Policy): InstanceState {
  const hibernating = beginHibernation(state, {
    kind: "hibernate",
    reason: "owner",
    at: heartbeat.at,
    message: "The instance hibernates itself",
    detail: { rule: "instance" },
  });
  return confirmHibernation(hibernating, policy, heartbeat.at, "the instance's last word");
}

function hearWhileHibernating(state: InstanceState, heartbeat: Heartbeat, policy: Policy): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernating") return state;
  if (saysGoodbye(state, heartbeat)) {
    return confirmHibernation(state, policy, heartbeat.at, "the instance's last word");
  }
  const reading = idleReading(heartbeat, policy.idle.metric);
  const busy =
    reading === null ||
    reading.percent >= policy.idle.thresholdPercent ||
    (policy.idle.respectActivity && heartbeat.activity !== null);
  if (canCancelHibernation(state)) {
    const because =
      phase.reason === "silence"
        ? "it is heard again"
        : phase.reason === "idle" && busy
          ? "it is busy again"
          : null;
    if (because !== null) {
      return judgeHeartbeat(cancelHibernation(state, heartbeat.at, because), heartbeat, policy);
    }
  }
  const { toldAt } = phase.action;
  const byAnswer = abilitiesOf(state.profile.provider).hibernates === "by answer";
  return byAnswer && toldAt !== null && heartbeat.at - toldAt >= policy.settleMs
    ? judgeHeartbeat(
        failHibernation(state, heartbeat.at, "the instance beats on after it was told"),
        heartbeat,
        policy,
      )
    : state;
}

function woken(
  state: InstanceState,
  heartbeat: Heartbeat,
  policy: Policy,
  detail: HistoryEvent["detail"] = {},
): InstanceState {
  return judgeHeartbeat(
    record(
      { ...state, phase: { status: "running", idle: null } },
      { at: heartbeat.at, kind: "woken", severity: "info", message: "Woken: heartbeats are back", detail },
    ),
    heartbeat,
    policy,
  );
}
