import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { spokenDuration, toIso } from "../model/time.ts";
import type { UseSeen } from "../model/use.ts";
import { type Judgement, named, sayUnread } from "./use.ts";

/**
 * What the owner is told of, and nobody acts upon: each once in an episode, and no sooner than after the time of a reminder. The
 * notes of sources are in no event: whoever holds the token of an instance could write to its owner by them.
 */

/** Tells of what this heartbeat shows, if that has lasted long enough. */
export function warnOfUse(
  state: InstanceState,
  judgement: Judgement,
  policy: Policy,
  at: number,
): InstanceState {
  if (state.phase.status !== "running") return state;
  return warnOfStuck(warnOfUnread(state, judgement, policy, at), policy, at);
}

/** What cannot be read has kept the instance from being idle, alone. */
function warnOfUnread(state: InstanceState, judgement: Judgement, policy: Policy, at: number): InstanceState {
  const { use, agent } = state;
  const since = use?.unreadSince ?? null;
  if (use === undefined || since === null || judgement.verdict !== "unknown") return state;
  if (at - since < policy.unreadAfterMs || !mayTell(use.unreadToldAt, since, policy, at)) return state;
  const what = judgement.unread;
  const because =
    what.length === 1 && what[0] === "GPU" && !agent.hasGpu
      ? "no GPU was ever reported, and idleness goes by the GPU (idle.metric)"
      : sayUnread(what);
  return record(
    { ...state, use: { ...use, unreadToldAt: at } },
    {
      at,
      kind: "source_unknown",
      severity: "warning",
      message: `In use for ${spokenDuration(at - since)} for one reason alone: ${because}. That counts as use, so it is not hibernated for idleness`,
      detail: { rule: "source_unknown", sources: named(what).join(", "), since: toIso(since) },
    },
  );
}

/** A GPU has been at work by its utilization, and not by its power. */
function warnOfStuck(state: InstanceState, policy: Policy, at: number): InstanceState {
  const { use, agent } = state;
  const stuck = use?.gpus.filter(({ stuckSince }) => isLasting(stuckSince, policy, at)) ?? [];
  if (
    use === undefined ||
    !stuck.some(({ stuckSince }) => mayTell(use.stuckToldAt, stuckSince, policy, at))
  ) {
    return state;
  }
  const indices = new Set(stuck.map(({ index }) => index));
  const readings = agent.gpus.filter(({ index }) => indices.has(index));
  const since = Math.min(...stuck.map(({ stuckSince }) => stuckSince ?? at));
  const percent = Math.min(...readings.map(({ utilization }) => utilization ?? 0));
  const watts = Math.max(...readings.map(({ power_watts }) => power_watts ?? 0));
  const limit = Math.max(...readings.map(({ power_limit_watts }) => power_limit_watts ?? 0));
  const which = named([...indices].map(String)).join(", ");
  const subject = indices.size === 1 ? `GPU ${which} looks` : `GPUs ${which} look`;
  return record(
    { ...state, use: { ...use, stuckToldAt: at } },
    {
      at,
      kind: "looks_stuck",
      severity: "warning",
      message: `${subject} stuck: at ${percent}% utilization for ${spokenDuration(at - since)}, on ${watts} of ${limit} W at most. So does a deadlock. Nothing is done about it`,
      detail: {
        rule: "looks_stuck",
        gpus: which,
        lowest_percent: percent,
        power_watts: watts,
        power_limit_watts: limit,
        since: toIso(since),
      },
    },
  );
}

function isLasting(since: number | undefined, policy: Policy, at: number): boolean {
  return since !== undefined && at - since >= policy.stuckAfterMs;
}

/** Whether the owner was not told in this episode yet, nor too shortly before. */
function mayTell(
  toldAt: UseSeen["unreadToldAt"],
  since: number | undefined,
  policy: Policy,
  at: number,
): boolean {
  return toldAt === undefined || (since !== undefined && toldAt < since && at - toldAt >= policy.reminderMs);
}
