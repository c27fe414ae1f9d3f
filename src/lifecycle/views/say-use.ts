import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { evidenceOfKept } from "../model/use.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { judge, sayUnread } from "../rules/use.ts";

/** Why an instance that is heard and has no idle run is not idle, and what keeps it from being so. */
export function sayUse(
  state: InstanceState,
  policy: Policy,
): [because: Said, blockedBy: "activity" | "policy_disabled" | null] {
  const last = state.recent.at(-1);
  const gpu = sayGpu(last?.gpuPercent ?? null, state.use?.gpuPercent ?? null);
  if (!policy.idle.enabled) return [arriving(gpu), "policy_disabled"];
  const judgement =
    last === undefined ? null : judge(state.use ?? evidenceOfKept(last), policy, state.agent.hasGpu);
  if (judgement === null || judgement.verdict === "quiet") return [arriving(gpu), null];
  const { reading } = judgement;
  const isActive = judgement.verdict === "active";
  const because = isActive
    ? judgement.because
    : phrase("use.counts_as_use", { what: sayUnread(judgement.unread) });
  if (reading === null) {
    if (isActive) return [arriving(because), "activity"];
    return [arriving(state.agent.hasGpu ? because : gpu), null];
  }
  if (reading.percent < policy.idle.thresholdPercent) {
    const { metric, percent } = reading;
    return [phrase("use.but", { metric, percent, because }), "activity"];
  }
  return [arriving(reading.metric === "GPU" ? gpu : because), null];
}

function arriving(what: Said): Said {
  return phrase("use.heartbeats_arrive", { what });
}

/** `highest`: since the heartbeat before, where the agent tells it. */
function sayGpu(mean: number | null, highest: number | null): Said {
  if (mean === null && highest === null) return phrase("use.no_gpu");
  if (mean === null || highest === null || highest <= mean) {
    return phrase("use.gpu", { percent: mean ?? highest ?? 0 });
  }
  return phrase("use.gpu_highest", { percent: mean, highest });
}
