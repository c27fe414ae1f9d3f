import { record } from "../model/outbox.ts";
import type { Hibernated } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { stopsSilent } from "../model/stopping.ts";
import { toIso } from "../model/time.ts";
import { nextStart, startOfSpan } from "../model/windows.ts";
import { phrase } from "../model/words/phrase.ts";
import { beginWake } from "./waking.ts";

/** The wake at the beginning of a schedule's awake hours, of what that schedule or idleness has hibernated. */

/** When it is woken, or would be; null where its schedule does not wake it. */
export function scheduledWakeAt(state: InstanceState, policy: Policy, now: number): number | null {
  const { phase, profile } = state;
  const { awake, timezone, wake_at_start } = policy.schedule;
  if (!wake_at_start || awake.length === 0 || policy.suspended) return null;
  if (phase.status !== "hibernated" || !isItsToWake(phase) || !stopsSilent(profile.provider)) return null;
  const begun = startOfSpan(awake, timezone, now);
  const isLate = begun !== null && now - Math.max(begun, phase.since) > policy.latestStepMs;
  return begun !== null && begun > doneUntil(state, phase) && !isLate
    ? begun
    : nextStart(awake, timezone, now);
}

/** Never what its owner, silence, a budget or the kill switch has hibernated; nor one of which nobody knows whether it still is. */
function isItsToWake({ reason, because, openLook }: Hibernated): boolean {
  if (openLook !== undefined && openLook.because !== "wake") return false;
  return because === undefined ? reason === "idle" : because === "schedule";
}

/** Awake hours that began before are done with: by a wake that failed, by a word about it, or by another policy. */
function doneUntil({ windowsFrom = 0, reminders }: InstanceState, { wakeFailed }: Hibernated): number {
  return Math.max(windowsFrom, wakeFailed?.at ?? 0, reminders.wouldWakeAt ?? 0);
}

/** Wakes it, if its awake hours have begun. */
export function takeScheduledWake(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = scheduledWakeAt(state, policy, now);
  if (due === null || now < due) return state;
  if (!policy.observes) return beginWake(state, policy, now, { by: "schedule", begunAt: due });
  return record(
    { ...state, reminders: { ...state.reminders, wouldWakeAt: due } },
    {
      at: now,
      kind: "would_wake",
      severity: "warning",
      message: phrase("plan.would_wake"),
      detail: { rule: "schedule", began_at: toIso(due), mode: "observe" },
    },
  );
}
