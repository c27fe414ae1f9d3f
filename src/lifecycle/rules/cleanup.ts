import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { kindOf } from "../model/provider.ts";
import type { InstanceState } from "../model/state.ts";
import { onlyDeletes } from "../model/stopping.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import { askGuard } from "./guarded-steps.ts";
import { deletionDue, mayBeDeleted } from "./ladder.ts";
import { isInMaintenance } from "./maintenance.ts";

/** The daily cleanup: deletes an expired orphan, if the guard permits it, or tells its owner why nobody does. */
export function cleanUp(state: InstanceState, policy: Policy, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "orphaned" && phase.status !== "hibernated") return state;
  if (isInMaintenance(policy, now)) return state;
  const { orphan } = phase;
  const due = orphan === null ? null : deletionDue(orphan, policy);
  if (orphan === null || due === null || now < due || orphan.guard !== null) return state;
  if (orphan.deleteFailed !== null && now < orphan.deleteFailed.retryAt) return state;
  const { provider } = state.profile;
  const mayDelete = mayBeDeleted(provider, policy);
  if (mayDelete && !policy.observes) return askGuard(state, "delete", policy, now);
  const toldAt = state.reminders.wouldDeleteAt;
  if (toldAt !== null && now < toldAt + policy.reminderMs) return state;
  if (mayDelete) return askGuard(state, "delete", policy, now);
  return record(
    { ...state, reminders: { ...state.reminders, wouldDeleteAt: now } },
    {
      at: now,
      kind: "would_delete",
      severity: "warning",
      message: phrase("deletion.would_but", {
        orphaned: now - orphan.since,
        why: onlyDeletes(provider)
          ? phrase("deletion.may_be_working", { provider: kindOf(provider) })
          : phrase("deletion.no_provider", { provider: kindOf(provider) }),
      }),
      detail: { rule: "orphan.delete_after_days", orphaned_since: toIso(orphan.since) },
    },
  );
}
