import type { GpuReading } from "../model/heartbeat.ts";
import { idleRunOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import type { Evidence, GpuSeen, UseSeen } from "../model/use.ts";
import { isAwakeTime } from "./awake-hours.ts";
import { type Judgement, judge, stateOf } from "./use.ts";

/** Since when each source of use is quiet, and since when what cannot be read keeps an instance in use. */

/** After a gap of more than this many intervals nobody knows what happened in it. */
const LONGEST_GAP_INTERVALS = 3;

/** Whether the heartbeats between these two moments are missing. */
export function isGap(from: number | null, to: number, policy: Policy): boolean {
  return from !== null && to - from > LONGEST_GAP_INTERVALS * policy.intervalMs;
}

/** What was seen of an instance's use, with what a heartbeat shows at `at`. `gpus`: null where it lists none. */
export function seeUse(
  state: InstanceState,
  evidence: Evidence,
  gpus: readonly GpuReading[] | null,
  judgement: Judgement,
  policy: Policy,
  at: number,
): UseSeen {
  const { use } = state;
  const goesOn = use !== undefined && !isGap(use.at, at, policy);
  const quiet = new Map(goesOn ? use.sources.map(({ name, quietSince }) => [name, quietSince]) : []);
  return {
    ...evidence,
    at,
    quietSince: judgement.verdict === "quiet" ? ((goesOn ? use.quietSince : null) ?? at) : null,
    sources: evidence.sources.map(({ name, value, note }) => {
      const isQuiet = stateOf({ name, value }, policy.idle) === "quiet";
      return { name, value, note, quietSince: isQuiet ? (quiet.get(name) ?? at) : null };
    }),
    gpus: gpus === null ? (use?.gpus ?? []) : seeGpus(goesOn ? use.gpus : [], gpus, policy, at),
    unreadSince: unreadSince(state, goesOn ? use.unreadSince : null, judgement, policy, at),
    unreadToldAt: use?.unreadToldAt,
    stuckToldAt: use?.stuckToldAt,
  };
}

/** The same by another policy: what is quiet by it, and was not, is so from `now`. */
export function seeUseAnew(state: InstanceState, policy: Policy, now: number): InstanceState {
  const { use, agent } = state;
  if (use === undefined) return state;
  const judgement = judge(use, policy, agent.hasGpu);
  const anew = seeUse(state, use, agent.gpus, judgement, policy, now);
  return { ...state, use: { ...anew, at: use.at, unreadSince: null } };
}

function seeGpus(
  before: readonly GpuSeen[],
  gpus: readonly GpuReading[],
  policy: Policy,
  at: number,
): readonly GpuSeen[] {
  const known = new Map(before.map((gpu) => [gpu.index, gpu]));
  return gpus.flatMap((gpu) => {
    const { index } = gpu;
    const percent = gpu.utilization_max ?? gpu.utilization;
    const isQuiet = percent != null && percent < policy.idle.thresholdPercent;
    const isStuck = looksStuck(gpu);
    if (!isQuiet && !isStuck) return [];
    const former = known.get(index);
    return [
      {
        index,
        ...(isQuiet ? { quietSince: former?.quietSince ?? at } : {}),
        ...(isStuck ? { stuckSince: former?.stuckSince ?? at } : {}),
      },
    ];
  });
}

/**
 * A deadlock keeps kernels waiting: full utilization at about the power of an idle GPU (NVIDIA/nccl#968 tells of 100 % at 70 W;
 * nebius/soperator#796 looks for the same). The two shares are a choice: idle data-center GPUs draw 10 to 20 % of their limit,
 * and those at work seldom less than half of it.
 */
const STUCK_FROM_PERCENT = 90;
const STUCK_POWER_SHARE = 0.3;

/** Whether a GPU is at work by its utilization, and not by its power. */
export function looksStuck({ utilization, power_watts, power_limit_watts }: GpuReading): boolean {
  if (utilization == null || power_watts == null || power_limit_watts == null) return false;
  return utilization >= STUCK_FROM_PERCENT && power_watts <= STUCK_POWER_SHARE * power_limit_watts;
}

/**
 * A heartbeat that shows no use but for what cannot be read begins it; use ends it, and so does whatever else keeps the instance
 * from being hibernated. Quiet heartbeats between do not, unless they were enough for a warning.
 */
function unreadSince(
  state: InstanceState,
  before: number | null,
  { verdict }: Judgement,
  policy: Policy,
  at: number,
): number | null {
  const isKeptAlive = (state.clock.keepAliveUntil ?? 0) > at;
  const isWarned = idleRunOf(state.phase)?.warnedAt != null;
  if (verdict === "active" || isKeptAlive || isWarned || !policy.idle.enabled) return null;
  if (verdict === "quiet") return before;
  return isAwakeTime(policy, at) ? null : (before ?? at);
}
