import type { Phase, Unheard } from "../model/phase.ts";
import { isUnheard } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { type InstanceState, seenAt } from "../model/state.ts";
import { stopsSilent } from "../model/stopping.ts";

/**
 * An instance of which nothing was heard so far: its agent may never have been installed, and its machine may cost money. Its owner
 * is told once. It is acted upon only where the policy says so, and it is never deleted: nobody knows what it is used for.
 */

/** Why its first heartbeat is awaited. */
export function whyUnheard(phase: Phase): Unheard["because"] {
  const pending = phase.status === "hibernating" ? phase.before : phase;
  return pending.status === "pending" ? (pending.unheard?.because ?? "unknown") : "unknown";
}

/** Since when the first heartbeat is awaited: not before a keep-alive has ended. */
export function awaitedFrom({
  phase,
  clock,
  profile,
}: Pick<InstanceState, "phase" | "clock" | "profile">): number {
  const pending = phase.status === "hibernating" ? phase.before : phase;
  const known = pending.status === "pending" ? pending.unheard?.from : undefined;
  return known === undefined
    ? Math.max(profile.registeredAt, seenAt(clock) ?? 0)
    : Math.max(known, clock.keepAliveUntil ?? 0);
}

/** When its owner is told that it was never heard. */
export function unheardDue(state: InstanceState, policy: Policy): number {
  return awaitedFrom(state) + policy.orphan.neverHeardAfterMs;
}

/** Whether its owner chose this very machine, here. Else somebody may use it, or it may be heard elsewhere. */
export function isChosenByOwner(phase: Phase): boolean {
  const because = whyUnheard(phase);
  return because === "registered" || because === "moved";
}

/** Whether the ladder goes on to its orders for an instance that was never heard. */
export function actsOnUnheard({ phase, profile }: InstanceState, { orphan }: Policy): boolean {
  return (
    isUnheard(phase) &&
    orphan.enabled &&
    orphan.actOnNeverHeard &&
    isChosenByOwner(phase) &&
    stopsSilent(profile.provider)
  );
}
