import { missedHeartbeats, uptimePercent } from "../model/counters.ts";
import { costsOf, hibernatedCost } from "../model/hibernated-cost.ts";
import { waitingHeartbeats } from "../model/outbox.ts";
import type { Status } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS } from "../model/time.ts";
import { costsView, isWasting } from "./costs.ts";
import { savingsView } from "./savings.ts";

/** One instance in the metrics; null where a number is unknown. */
export interface MetricsSample {
  readonly instanceId: string;
  readonly name: string;
  readonly status: Status;
  /** Its owner was told that it was never heard. */
  readonly isNeverHeard: boolean;
  readonly gpuPercent: number | null;
  readonly vramUsedGb: number | null;
  readonly cpuPercent: number | null;
  readonly ramUsedGb: number | null;
  readonly diskUsedGb: number | null;
  readonly costAccumulated: number | null;
  readonly costToday: number;
  /** Dollars an hour now. */
  readonly rate: number | null;
  /** Whether that is paid for nothing: it is idle past the warning, orphaned, or was never heard. */
  readonly isWasted: boolean;
  readonly secondsSinceHeartbeat: number | null;
  readonly heartbeats: number;
  readonly missed: number;
  readonly uptimePercent: number | null;
  readonly savedDollars: number;
  readonly hourlyCost: number | null;
  /** Dollars an hour that it still costs while it is hibernated; null while it is not, or nobody knows. */
  readonly hibernatedCost: number | null;
  /** Heartbeats that are not yet in the history. */
  readonly waitingHeartbeats: number;
}

export function metricsSample(
  instanceId: string,
  state: InstanceState,
  policy: Policy,
  now: number,
): MetricsSample {
  const { profile, phase, counters, clock } = state;
  const costs = costsView(state, policy, now);
  const missed = missedHeartbeats(counters, policy.intervalMs, now);
  // The last reading of an instance that does not run is out of date.
  const reading = phase.status === "running" ? state.recent.at(-1) : undefined;
  return {
    instanceId,
    name: profile.name,
    status: phase.status,
    isNeverHeard: phase.status === "pending" && phase.orphan !== undefined,
    gpuPercent: reading?.gpuPercent ?? null,
    vramUsedGb: reading?.vramUsedGb ?? null,
    cpuPercent: reading?.cpuPercent ?? null,
    ramUsedGb: reading?.ramUsedGb ?? null,
    diskUsedGb: reading?.diskUsedGb ?? null,
    costAccumulated: counters.cost.accumulated,
    costToday: costs.cost_today,
    rate: costs.rate,
    isWasted: isWasting(state, now),
    secondsSinceHeartbeat:
      clock.lastHeartbeatAt === null ? null : Math.floor((now - clock.lastHeartbeatAt) / SECOND_MS),
    heartbeats: counters.totalHeartbeats,
    missed,
    uptimePercent: uptimePercent(counters.totalHeartbeats, missed),
    savedDollars: savingsView(state, now).saved_total,
    hourlyCost: costsOf(state).hourlyCost,
    hibernatedCost: phase.status === "hibernated" ? hibernatedCost(state).hourly : null,
    waitingHeartbeats: waitingHeartbeats(state).length,
  };
}
