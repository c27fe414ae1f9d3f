import type { GuardedStep } from "../model/effects.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf } from "../model/provider.ts";
import type { InstanceState, Orphan } from "../model/state.ts";

/** The rungs of the liveness ladder and when each is due. `liveness.ts` climbs them. */

/**
 * The ladder's next rung for an orphan and when it is due. On the last one, force-hibernation, it is tried again until
 * it is done; null when there is nothing to try.
 */
export function nextStep(
  state: InstanceState,
  orphan: Orphan,
  policy: Policy,
): { readonly step: "hibernate" | "force_hibernate"; readonly at: number } | null {
  switch (orphan.step) {
    case "orphaned":
      return { step: "hibernate", at: orphan.clockFrom + policy.orphan.hibernateAfterMs };
    case "hibernate":
      return { step: "force_hibernate", at: orphan.clockFrom + policy.orphan.forceHibernateAfterMs };
    case "force_hibernate":
      return state.phase.status === "orphaned" &&
        orphan.guard === null &&
        orphan.failed !== null &&
        abilitiesOf(state.profile.provider).reachesSilent
        ? { step: "force_hibernate", at: orphan.failed.retryAt }
        : null;
  }
}

/** When the orphan may be deleted, or null when the policy never deletes. */
export function deletionDue(orphan: Orphan, policy: Policy): number | null {
  if (!policy.orphan.enabled || policy.orphan.deleteAfterMs === null) return null;
  return Math.max(orphan.since, orphan.clockFrom) + policy.orphan.deleteAfterMs;
}

/** The policy may have changed since the question was asked: what it does not ask for any more is not done. */
export function isDue(orphan: Orphan, step: GuardedStep, policy: Policy, now: number): boolean {
  if (!policy.orphan.enabled) return false;
  switch (step) {
    case "hibernate":
      return orphan.clockFrom + policy.orphan.hibernateAfterMs <= now;
    case "force_hibernate":
      return orphan.clockFrom + policy.orphan.forceHibernateAfterMs <= now;
    case "delete": {
      const due = deletionDue(orphan, policy);
      return due !== null && due <= now;
    }
  }
}

/** Where the ladder goes on, so that the step is asked for again when it is due. */
export function rungBefore(step: GuardedStep, orphan: Orphan): Pick<Orphan, "step"> {
  switch (step) {
    case "hibernate":
      return { step: "orphaned" };
    case "force_hibernate":
      return { step: "hibernate" };
    case "delete":
      return { step: orphan.step };
  }
}
