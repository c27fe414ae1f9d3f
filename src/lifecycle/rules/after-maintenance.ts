import { awaitHeartbeat, type Orphan } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, seenAt } from "../model/state.ts";
import { isWithin, lastEnd } from "../model/windows.ts";
import { restartLadder } from "./ladder.ts";
import { awaitedFrom, whyUnheard } from "./unheard.ts";

/** After maintenance silence counts from its end, as after a downtime of the service. */

/** The state where silence before the end of the last maintenance counts no more. */
export function passOverMaintenance(state: InstanceState, policy: Policy, now: number): InstanceState {
  const { windows, timezone } = policy.maintenance;
  if (windows.length === 0 || isWithin(windows, timezone, now)) return state;
  const end = lastEnd(windows, timezone, now);
  return end === null || end <= (state.windowsFrom ?? 0) ? state : countSilenceFrom(state, end);
}

/** One that is hibernated is silent because it was told to be: that silence goes on counting. */
export function countSilenceFrom(state: InstanceState, end: number): InstanceState {
  const { phase, clock } = state;
  switch (phase.status) {
    case "pending":
      if (phase.orphan !== undefined) return restartIfEarlier(state, phase.orphan, end);
      return awaitedFrom(state) < end ? { ...state, phase: awaitHeartbeat(whyUnheard(phase), end) } : state;
    case "orphaned":
      return restartIfEarlier(state, phase.orphan, end);
    case "running":
    case "waking": {
      const seen = seenAt(clock);
      if (seen === null || seen >= end) return state;
      return { ...state, clock: { ...clock, countsFrom: end, maintainedUntil: end } };
    }
    case "hibernating":
    case "hibernated":
    case "deleting":
    case "deleted":
      return state;
  }
}

function restartIfEarlier(state: InstanceState, orphan: Orphan, end: number): InstanceState {
  return orphan.clockFrom < end ? restartLadder(state, end) : state;
}
