import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";

/**
 * Whether its provider takes the machine back, as far as the machine is believed: such a notice ends within minutes. One that beats on
 * for long after the first is watched and stopped like any other, whatever it says.
 */
export function isTakenBack(
  { reclaimed, noticedFrom, clock: { lastHeartbeatAt } }: InstanceState,
  { noticeMs }: Policy,
): boolean {
  if (reclaimed === undefined) return false;
  const from = noticedFrom ?? reclaimed.at;
  return (lastHeartbeatAt ?? from) - from < noticeMs;
}
