import type { ActionReason } from "../model/effects.ts";
import type { EventDetail } from "../model/history-event.ts";
import { record } from "../model/outbox.ts";
import { idleRunOf, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { PreparationCause } from "../model/preparation.ts";
import { type InstanceState, withIdleRun } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { callOff } from "./handover.ts";
import { beginHibernation } from "./hibernation.ts";
import { restartLadder } from "./ladder.ts";
import { isByPerson, prepareOrHibernate } from "./preparation.ts";
import { callOffPreparation } from "./preparation-cancelled.ts";

/**
 * A policy that observes decides each step as one that acts does, and orders none: its owner is told what would be ordered. What
 * a person asks for by name is ordered all the same.
 */

/** A hibernation that the policy decides upon, and not a person. Each such one begins here. */
export function hibernateByPolicy(
  state: InstanceState,
  policy: Policy,
  {
    because,
    cause,
    ...start
  }: {
    readonly kind: "hibernate" | "force_hibernate";
    readonly reason: ActionReason;
    /** For what its machine is prepared; absent for silence, for which nobody is there to prepare. */
    readonly cause?: PreparationCause;
    readonly at: number;
    /** Goes on the sentence `Hibernating: …`. */
    readonly because: Said;
    readonly detail: EventDetail;
  },
): InstanceState {
  const isForced = start.kind === "force_hibernate";
  if (!policy.observes) {
    const message = isForced
      ? phrase("hibernation.force_hibernating", { because })
      : phrase("hibernation.hibernating", { because });
    return cause === undefined || start.reason === "silence" || start.reason === "instance"
      ? beginHibernation(state, { ...start, message })
      : prepareOrHibernate(state, { ...start, reason: start.reason, because: cause, message }, policy);
  }
  return record(
    { ...state, reminders: { ...state.reminders, wouldHibernateAt: start.at } },
    {
      at: start.at,
      kind: "would_hibernate",
      severity: "warning",
      message: isForced
        ? phrase("hibernation.would_force", { because })
        : phrase("hibernation.would", { because }),
      detail: { ...start.detail, reason: start.reason, mode: "observe" },
    },
  );
}

/** Tells that the orphan would be deleted now. */
export function tellWouldDelete(state: InstanceState, orphanedSince: number, at: number): InstanceState {
  return record(
    { ...state, reminders: { ...state.reminders, wouldDeleteAt: at } },
    {
      at,
      kind: "would_delete",
      severity: "warning",
      message: phrase("deletion.would", { orphaned: at - orphanedSince }),
      detail: {
        rule: "orphan.delete_after_days",
        orphaned_since: toIso(orphanedSince),
        mode: "observe",
      },
    },
  );
}

/** When this idle run was last told of as one that would be hibernated; null if it was not. */
export function toldOfRunAt(
  { reminders }: InstanceState,
  { since }: { readonly since: number },
): number | null {
  const { wouldHibernateAt } = reminders;
  return wouldHibernateAt !== null && wouldHibernateAt >= since ? wouldHibernateAt : null;
}

/**
 * From acting to observing: what the policy ordered is called off if it still can be. From observing to acting: what would have
 * been done counts for nothing, so both ladders begin anew.
 */
export function changeMode(
  state: InstanceState,
  former: Policy,
  policy: Policy,
  now: number,
  because: string,
): InstanceState {
  if (former.observes === policy.observes) return state;
  if (policy.observes) {
    const preparation = preparationOf(state.phase);
    const isPrepared = preparation !== null && !isByPerson(preparation.order.because);
    if (isPrepared) return callOffPreparation(state, now, because);
    return isOrderedByPolicy(state) ? callOff(state, now, because) : state;
  }
  const run = idleRunOf(state.phase);
  const anew = { ...state, reminders: { wouldHibernateAt: null, wouldDeleteAt: null } };
  const awake =
    run === null || run.since > now
      ? anew
      : withIdleRun(anew, { ...run, since: now, heartbeats: 0, warnedAt: null });
  return restartLadder(awake, now);
}

function isOrderedByPolicy({ phase }: InstanceState): boolean {
  switch (phase.status) {
    case "deleting":
      return true;
    case "hibernating":
      return phase.because === undefined
        ? phase.reason === "idle" || phase.reason === "silence"
        : phase.because !== "kill_switch";
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "waking":
    case "deleted":
      return false;
  }
}
