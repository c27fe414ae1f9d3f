import { record } from "../model/outbox.ts";
import { idleRunOf, preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type { Preparation } from "../model/preparation.ts";
import type { InstanceState } from "../model/state.ts";
import { stopsSilent } from "../model/stopping.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { hasFreshEvidence } from "./idleness.ts";
import { livenessDeadline } from "./liveness.ts";
import {
  detailOf,
  endPreparation,
  isByPerson,
  orderHibernation,
  sayOrder,
  withPreparation,
} from "./preparation.ts";
import { reclaimDeadline } from "./reclaim.ts";
import { isTakenBack } from "./taken-back.ts";

/** How the order is given that waits for a preparation: as soon as the hooks have succeeded, and at the limit in any case. */

/** When the limit is reached; null without a preparation. */
export function preparationDeadline(state: InstanceState, policy: Policy, now: number): number | null {
  const preparation = preparationOf(state.phase);
  if (preparation === null || isHeld(state, preparation, policy)) return null;
  // What is due and was not done waits for fresh evidence, which only a heartbeat can bring.
  return preparation.limitAt > now ? preparation.limitAt : null;
}

/**
 * The policy orders nothing of a machine that its provider takes back. What a person asks for is ordered all the same, but nothing is
 * while the account is suspended.
 */
function isHeld(state: InstanceState, { order }: Preparation, policy: Policy): boolean {
  return policy.suspended || (isTakenBack(state, policy) && !isByPerson(order.because));
}

/** Gives the order if the machine is prepared, or the limit is reached. */
export function takePreparationStep(state: InstanceState, policy: Policy, now: number): InstanceState {
  const preparation = preparationOf(state.phase);
  if (preparation === null || isHeld(state, preparation, policy)) return state;
  const { limitAt, heard } = preparation;
  const isPrepared = heard?.state === "succeeded";
  if (hasFallenSilent(state, limitAt, policy, now)) return giveUnprepared(state, preparation, now);
  if (!isPrepared && now < limitAt) return state;
  // The service was away at the limit: the machine could not say how far it is.
  if (!isPrepared && now - limitAt > policy.orphan.orphanAfterMs) {
    return withPreparation(state, { ...preparation, limitAt: now + policy.idle.prepareMaxMs });
  }
  if (!isFounded(state, preparation, policy, now)) return state;
  return isPrepared ? give(state, preparation, "succeeded", now) : overdue(state, preparation, now);
}

/** It fell silent before the limit: nobody is there to prepare it. */
function hasFallenSilent(state: InstanceState, limitAt: number, policy: Policy, now: number): boolean {
  const moments = [livenessDeadline(state, policy, now), reclaimDeadline(state, policy)];
  return moments.some((moment) => moment !== null && moment <= Math.min(now, limitAt));
}

/** What is to be hibernated whatever it does is ordered where its provider reaches it. Else it is an orphan, or taken back. */
function giveUnprepared(state: InstanceState, preparation: Preparation, now: number): InstanceState {
  const { id, order } = preparation;
  if (order.reason === "idle" || !stopsSilent(state.profile.provider)) return state;
  const ended = endPreparation(state, preparation, "cancelled", now);
  return orderHibernation(ended, order, now, { unprepared: "silent", preparation_id: id });
}

/** Missing heartbeats never count as idleness. */
function isFounded(state: InstanceState, { order }: Preparation, policy: Policy, now: number): boolean {
  if (order.reason !== "idle") return true;
  const run = idleRunOf(state.phase);
  return run !== null && hasFreshEvidence(state, run, policy, now);
}

function overdue(state: InstanceState, preparation: Preparation, now: number): InstanceState {
  const { beganAt, limitAt, heard } = preparation;
  const limit = limitAt - beganAt;
  const told = record(state, {
    at: limitAt,
    kind: "preparation_overdue",
    severity: "critical",
    message:
      heard?.state === "failed"
        ? phrase("preparation.overdue_failed", { limit })
        : phrase("preparation.overdue", { limit }),
    detail: detailOf(preparation, heard),
  });
  return give(told, preparation, heard?.state === "failed" ? "failed" : "overdue", now);
}

function give(
  state: InstanceState,
  preparation: Preparation,
  outcome: "succeeded" | "failed" | "overdue",
  now: number,
): InstanceState {
  const ended = endPreparation(state, preparation, outcome, now);
  return orderHibernation(ended, preparation.order, now, {
    preparation_id: preparation.id,
    prepared: outcome,
  });
}

/** The hibernation that is ahead of one that is being prepared, and why; null for any other. */
export function preparationAhead(
  state: InstanceState,
  policy: Policy,
  now: number,
): {
  readonly at: number;
  readonly because: Said;
  readonly blockedBy: "stale_evidence" | null;
  readonly isHeld: boolean;
} | null {
  const preparation = preparationOf(state.phase);
  if (preparation === null) return null;
  const { limitAt, order, heard } = preparation;
  const isStale = now >= limitAt && !isFounded(state, preparation, policy, now);
  return {
    at: limitAt,
    because: phrase("preparation.ahead", { order: sayOrder(order), hooks: sayHooks(heard) }),
    blockedBy: isStale ? "stale_evidence" : null,
    isHeld: isHeld(state, preparation, policy),
  };
}

function sayHooks(heard: Preparation["heard"]): Said {
  switch (heard?.state) {
    case undefined:
      return phrase("preparation.to_begin");
    case "running":
      return phrase("preparation.running", { seconds: Math.round(heard?.seconds ?? 0) });
    case "succeeded":
      return phrase("preparation.succeeded");
    case "failed":
      return phrase("preparation.failed_again");
  }
}
