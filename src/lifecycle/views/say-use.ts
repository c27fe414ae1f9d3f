import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { evidenceOfKept } from "../model/use.ts";
import { judge, sayUnread } from "../rules/use.ts";

/** Why an instance that is heard and has no idle run is not idle, and what keeps it from being so. */
export function sayUse(
  state: InstanceState,
  policy: Policy,
): [because: string, blockedBy: "activity" | "policy_disabled" | null] {
  const last = state.recent.at(-1);
  const gpu = sayGpu(last?.gpuPercent ?? null, state.use?.gpuPercent ?? null);
  if (!policy.idle.enabled) return [`Heartbeats arrive; ${gpu}`, "policy_disabled"];
  const judgement =
    last === undefined ? null : judge(state.use ?? evidenceOfKept(last), policy, state.agent.hasGpu);
  if (judgement === null || judgement.verdict === "quiet") return [`Heartbeats arrive; ${gpu}`, null];
  const { reading } = judgement;
  const isActive = judgement.verdict === "active";
  const because = isActive ? judgement.because : `${sayUnread(judgement.unread)}, which counts as use`;
  if (reading === null) {
    if (isActive) return [`Heartbeats arrive; ${because}`, "activity"];
    return [`Heartbeats arrive; ${state.agent.hasGpu ? because : gpu}`, null];
  }
  if (reading.percent < policy.idle.thresholdPercent) {
    return [`${reading.metric} at ${reading.percent}%, but ${because}`, "activity"];
  }
  return [`Heartbeats arrive; ${reading.metric === "GPU" ? gpu : because}`, null];
}

/** `highest`: since the heartbeat before, where the agent tells it. */
function sayGpu(mean: number | null, highest: number | null): string {
  if (mean === null && highest === null) return "no GPU reported";
  if (mean === null || highest === null || highest <= mean) return `GPU at ${mean ?? highest}%`;
  return `GPU at ${mean}%, at its highest ${highest}%`;
}
