import type { Policy } from "../model/policy.ts";

/**
 * When a warning that was due at `due` counts as given. The alarm is seldom exact, so that is its deadline; one that comes much later
 * counts from now.
 */
export function warnedAtOf(due: number, { intervalMs }: Policy, now: number): number {
  return now - due <= intervalMs / 10 ? due : now;
}
