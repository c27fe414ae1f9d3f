import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";

/** A heartbeat may be late, or one of them lost. */
export const IN_TIME_INTERVALS = 2;

/** Whether the last heartbeat is so recent that it still tells what the machine does. */
export function isHeardInTime({ clock }: InstanceState, { intervalMs }: Policy, at: number): boolean {
  const { lastHeartbeatAt } = clock;
  return lastHeartbeatAt !== null && at - lastHeartbeatAt <= IN_TIME_INTERVALS * intervalMs;
}
