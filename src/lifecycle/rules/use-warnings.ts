import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import type { UseSeen } from "../model/use.ts";
import { phrase, together } from "../model/words/phrase.ts";
import { say } from "../model/words/say.ts";
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
    what.length === 1 && what[0] === "GPU" && !agent.hasGpu ? phrase("use.never_had_gpu") : sayUnread(what);
  return record(
    { ...state, use: { ...use, unreadToldAt: at } },
    {
      at,
      kind: "source_unknown",
      severity: "warning",
      message: phrase("use.source_unknown", { since: at - since, because }),
      detail: {
        rule: "source_unknown",
        sources: say("en", together("commas", named(what))),
        since: toIso(since),
      },
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
  const which = say("en", together("commas", named([...indices].map(String))));
  return record(
    { ...state, use: { ...use, stuckToldAt: at } },
    {
      at,
      kind: "looks_stuck",
      severity: "warning",
      message: phrase("use.stuck", { count: indices.size, which, percent, since: at - since, watts, limit }),
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
