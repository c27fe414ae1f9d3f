import type { Policy } from "../model/policy.ts";
import { endOfSpan, isWithin } from "../model/windows.ts";

/** Maintenance: windows in which silence moves nobody. `after-maintenance.ts` says what becomes of silence then. */

export function isInMaintenance({ maintenance }: Pick<Policy, "maintenance">, at: number): boolean {
  const { windows, timezone } = maintenance;
  return isWithin(windows, timezone, at);
}

/** When a step for silence that is due at `due` can come at the earliest; null where maintenance never ends. */
export function afterMaintenance(policy: Policy, due: number, now: number): number | null {
  const { windows, timezone } = policy.maintenance;
  const at = Math.max(due, now);
  return isInMaintenance(policy, at) ? endOfSpan(windows, timezone, at) : due;
}
