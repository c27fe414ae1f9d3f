import type { GuardedStep } from "../model/effects.ts";
import type { EventDetail } from "../model/history-event.ts";
import type { Orphan } from "../model/phase.ts";
import { isUnheard, orphanOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, type ConnectedProvider } from "../model/provider.ts";
import { type InstanceState, withOrphan } from "../model/state.ts";
import { onlyDeletes, stopsSilent } from "../model/stopping.ts";
import { exactly, toIso } from "../model/time.ts";
import { isInMaintenance } from "./maintenance.ts";
import { actsOnUnheard } from "./unheard.ts";

/** The steps of the liveness ladder and when each is due. `liveness.ts` takes them. */

export interface LadderStep {
  readonly step: "hibernate" | "force_hibernate";
  readonly at: number;
}

/**
 * The next step for an orphan and when it is due; null when there is nothing left to try. Force-hibernation, the last
 * step, is repeated until it succeeds.
 */
export function nextStep(state: InstanceState, orphan: Orphan, policy: Policy): LadderStep | null {
  if (isUnheard(state.phase) && !actsOnUnheard(state, policy)) return null;
  switch (orphan.step) {
    case "orphaned":
      return { step: "hibernate", at: hibernationDue(state, orphan, policy) };
    case "hibernate":
      return { step: "force_hibernate", at: orphan.clockFrom + policy.orphan.forceHibernateAfterMs };
    case "force_hibernate":
      return (state.phase.status === "orphaned" || state.phase.status === "pending") &&
        orphan.guard === null &&
        orphan.failed !== null &&
        !policy.observes &&
        stopsSilent(state.profile.provider)
        ? { step: "force_hibernate", at: orphan.failed.retryAt }
        : null;
  }
}

/** The owner of one that was never heard has been told of it for a while by then, as for any other silent instance. */
function hibernationDue({ phase }: InstanceState, orphan: Orphan, { orphan: policy }: Policy): number {
  const due = orphan.clockFrom + policy.hibernateAfterMs;
  return isUnheard(phase) ? Math.max(due, orphan.since + policy.orphanAfterMs) : due;
}

/**
 * Whether its provider may be told to delete a silent machine when that is due. One that was not hibernated before, because its
 * provider can't do that, may be working: only its owner's own word has it deleted.
 */
export function mayBeDeleted(provider: ConnectedProvider, { orphan }: Policy): boolean {
  return abilitiesOf(provider).reachesSilent && (!onlyDeletes(provider) || orphan.deleteWhileRunning);
}

/** When the orphan may be deleted, or null when the policy never deletes. */
export function deletionDue(orphan: Orphan, policy: Policy): number | null {
  if (!policy.orphan.enabled || policy.orphan.deleteAfterMs === null) return null;
  return Math.max(orphan.since, orphan.clockFrom) + policy.orphan.deleteAfterMs;
}

/** Whether the step is due by the policy as it is now, which may have changed since the guard was asked. */
export function isStepDue(
  state: InstanceState,
  orphan: Orphan,
  step: GuardedStep,
  policy: Policy,
  now: number,
): boolean {
  if (!policy.orphan.enabled || isInMaintenance(policy, now)) return false;
  if (isUnheard(state.phase) && !actsOnUnheard(state, policy)) return false;
  switch (step) {
    case "hibernate":
      return hibernationDue(state, orphan, policy) <= now;
    case "force_hibernate":
      return orphan.clockFrom + policy.orphan.forceHibernateAfterMs <= now;
    case "delete": {
      const due = deletionDue(orphan, policy);
      return due !== null && due <= now && mayBeDeleted(state.profile.provider, policy);
    }
  }
}

/** The orphan one step back, so that `step` is taken again when it is due. */
export function beforeStep(orphan: Orphan, step: GuardedStep): Orphan {
  switch (step) {
    case "hibernate":
      return { ...orphan, step: "orphaned" };
    case "force_hibernate":
      return { ...orphan, step: "hibernate" };
    case "delete":
      return orphan;
  }
}

/** Back to the first step: the ladder's times count from `from`. */
export function restartLadder(state: InstanceState, from: number): InstanceState {
  const orphan = orphanOf(state.phase);
  if (orphan === null) return state;
  return withOrphan(state, { ...orphan, clockFrom: from, step: "orphaned", guard: null });
}

/** What shows that the instance is silent, for the details of an event. */
export function silenceEvidence({ clock: { lastHeartbeatAt, keepAliveUntil } }: InstanceState) {
  return {
    last_heartbeat: lastHeartbeatAt === null ? null : toIso(lastHeartbeatAt),
    keep_alive_until: keepAliveUntil === null ? null : toIso(keepAliveUntil),
  };
}

/** From when its silence counts, where that is neither of these: the service was away, or the guard has opened. */
export function countedFrom(
  { clock: { lastHeartbeatAt, keepAliveUntil } }: InstanceState,
  from: number,
): EventDetail {
  return from === Math.max(lastHeartbeatAt ?? 0, keepAliveUntil ?? 0) ? {} : exactly("counts_from", from);
}
