import type { Effect, PendingEffect } from "../model/effects.ts";
import type { HistoryEventKind } from "../model/history-event.ts";
import {
  hibernationOf,
  idleRunOf,
  isUnheard,
  type Orphan,
  orphanOf,
  preparationOf,
  stemsFromSilence,
} from "../model/phase.ts";
import { type InstanceState, isSameMachine, machineOf, seenAt } from "../model/state.ts";
import { onlyDeletes } from "../model/stopping.ts";
import { actionOf, takesOrdersByAnswer } from "../rules/order.ts";
import { isByPerson } from "../rules/preparation.ts";
import { isChosenByOwner } from "../rules/unheard.ts";
import type { DecidedBy } from "./decided-by.ts";
import { newActionIn, newEffects } from "./new-in-a-step.ts";
import { OF_A_PLAN } from "./of-a-plan.ts";
import { isEndOfPreparationSaid, isNewOrderPrepared } from "./of-a-preparation.ts";

/** What holds between a state and the one that is decided on from it, at `now`. */

type OfAStep = (before: InstanceState, after: InstanceState, now: number, by?: DecidedBy) => boolean;

export const OF_A_STEP = [
  ["counter_fell", doTotalsGrow],
  [
    "number_used_again",
    (before, after) =>
      after.nextEffectId >= before.nextEffectId && after.agent.nextInHistory >= before.agent.nextInHistory,
  ],
  ["heartbeats_out_of_time", areNewHeartbeatsLater],
  ["effect_dropped", areEffectsKept],
  ["heartbeat_lost", areHeartbeatsKept],
  ["order_not_sent", isNewOrderSent],
  ["order_ended_unsaid", isEndOfOrderSaid],
  ["ended_without_order", isEndFounded],
  [
    "unconfirmed_saved",
    (before, after) => !isLookOpen(before) || after.counters.saved.totalMs === before.counters.saved.totalMs,
  ],
  ["deleted_came_back", isDeletedForGood],
  ["orphaned_since_earlier", isOrphanedSinceKept],
  ["orphaned_while_heard", isNewOrphanSilent],
  ["silence_order_while_heard", isNewOrderForSilence],
  ["never_heard_deleted", isNewDeleteOfHeard],
  ["unheard_order_on_anothers", isNewUnheardOrderOnOwn],
  ["idle_order_unwarned", isNewIdleOrderWarned],
  ...OF_A_PLAN,
  [
    "ordered_while_observing",
    (before, after, _, by) =>
      newActionIn(before, after) === null || by === undefined || isItsOwn(after) || mayOrder(before, by),
  ],
  ["stop_where_only_deleted", isNewStopPossible],
  ["order_ahead_of_preparation", isNewOrderPrepared],
  ["preparation_ended_unsaid", isEndOfPreparationSaid],
] as const satisfies readonly (readonly [string, OfAStep])[];

function doTotalsGrow({ counters: before }: InstanceState, { counters: after }: InstanceState): boolean {
  return (
    after === before ||
    (after.totalHeartbeats >= before.totalHeartbeats &&
      after.missed >= before.missed &&
      after.gpuPercentSum >= before.gpuPercentSum &&
      after.gpuHeartbeats >= before.gpuHeartbeats &&
      after.saved.totalMs >= before.saved.totalMs &&
      after.saved.totalDollars >= before.saved.totalDollars &&
      (after.saved.monthStart !== before.saved.monthStart || after.saved.monthMs >= before.saved.monthMs))
  );
}

/** Later than the one before it, unless the clock was set back since. */
function areNewHeartbeatsLater(before: InstanceState, { recent }: InstanceState, now: number): boolean {
  for (let index = recent.length - 1; index > 0; index--) {
    const [earlier, later] = [recent[index - 1], recent[index]];
    if (earlier === undefined || later === undefined || later.sequence < before.agent.nextInHistory) break;
    if (later.at < earlier.at && earlier.at <= now) return false;
  }
  return true;
}

function areEffectsKept(before: InstanceState, after: InstanceState): boolean {
  if (after.outbox === before.outbox || before.outbox.length === 0) return true;
  const kept = new Set(after.outbox.map(({ id }) => id));
  const isNew = newEffects(before, after);
  return before.outbox.every(({ id, effect }) => kept.has(id) || isReplaced(effect, isNew));
}

/** Of some effects only the newest matters. */
function isReplaced(effect: Effect, by: readonly PendingEffect[]): boolean {
  switch (effect.type) {
    case "projection":
    case "guard":
      return by.some((one) => one.effect.type === effect.type);
    case "chunk":
    case "event":
    case "action":
    case "forget":
      return false;
  }
}

function areHeartbeatsKept(before: InstanceState, after: InstanceState): boolean {
  const heard = after.agent.nextInHistory - before.agent.nextInHistory;
  if (after.nextEffectId === before.nextEffectId) return after.unflushed === before.unflushed + heard;
  const added = newEffects(before, after);
  const inChunks = added.reduce(
    (sum, { effect }) => sum + (effect.type === "chunk" ? effect.heartbeats.length : 0),
    0,
  );
  return inChunks + after.unflushed === before.unflushed + heard;
}

function isNewOrderSent(before: InstanceState, after: InstanceState): boolean {
  const action = newActionIn(before, after);
  if (action === null || takesOrdersByAnswer(action.machine)) return true;
  return after.outbox.some(({ effect }) => effect.type === "action" && effect.order.actionId === action.id);
}

const ENDS_OF_AN_ORDER: readonly HistoryEventKind[] = [
  "hibernated",
  "hibernate_failed",
  "hibernate_cancelled",
  "wake_failed",
  "deleted",
  "delete_failed",
  "delete_cancelled",
  "found_running",
  "gone",
];

/** A start is also over once the instance is heard, or counts as silent. */
const ENDS_OF_A_WAKE: readonly HistoryEventKind[] = ["woken", "orphaned"];

function isEndOfOrderSaid(before: InstanceState, after: InstanceState): boolean {
  const action = actionOf(before);
  if (action === null || action.id === actionOf(after)?.id) return true;
  const added = newEffects(before, after);
  return (
    isSaid(added, ENDS_OF_AN_ORDER, action.id) ||
    (before.phase.status === "waking" && isSaid(added, ENDS_OF_A_WAKE))
  );
}

/** A silent machine that its provider lists as stopped, which the owner is told. */
function isFoundStopped(before: InstanceState, after: InstanceState): boolean {
  return (
    isAwake(before) &&
    after.phase.status === "hibernated" &&
    after.clock.lastHeartbeatAt === before.clock.lastHeartbeatAt &&
    newEffects(before, after).some(
      ({ effect }) =>
        effect.type === "event" && effect.event.kind === "hibernated" && effect.event.detail.by_hand === true,
    )
  );
}

/** A silent machine that its provider lists as destroyed, which the owner is told. */
function isFoundTerminated(before: InstanceState, after: InstanceState): boolean {
  return (
    (isAwake(before) || before.phase.status === "hibernated") &&
    after.phase.status === "deleted" &&
    after.clock.lastHeartbeatAt === before.clock.lastHeartbeatAt &&
    newEffects(before, after).some(
      ({ effect }) =>
        effect.type === "event" &&
        effect.event.kind === "gone" &&
        effect.event.detail.listed_at !== undefined,
    )
  );
}

/** A machine that its provider takes back has fallen silent. */
function isTakenBack(before: InstanceState, after: InstanceState): boolean {
  return (
    before.phase.status === "running" &&
    before.reclaimed !== undefined &&
    isLookOpen(after) &&
    after.clock.lastHeartbeatAt === before.clock.lastHeartbeatAt
  );
}

function isAwake({ phase: { status } }: InstanceState): boolean {
  return status === "pending" || status === "running" || status === "orphaned";
}

function isLookOpen({ phase }: InstanceState): boolean {
  return hibernationOf(phase)?.openLook !== undefined;
}

function isEndFounded(before: InstanceState, after: InstanceState): boolean {
  const { status } = after.phase;
  if ((status !== "hibernated" && status !== "deleted") || status === before.phase.status) return true;
  if (actionOf(before) !== null || isFoundStopped(before, after) || isFoundTerminated(before, after))
    return true;
  if (isTakenBack(before, after)) return true;
  return status === "deleted" && isLookOpen(before) && isSaid(newEffects(before, after), ["gone"]);
}

function isDeletedForGood(before: InstanceState, after: InstanceState, now: number): boolean {
  return (
    before.phase.status !== "deleted" ||
    after.phase.status === "deleted" ||
    after.clock.lastHeartbeatAt === now ||
    // Another machine is watched from now on.
    !isSameMachine(machineOf(before.profile), machineOf(after.profile))
  );
}

function isOrphanedSinceKept({ phase: before }: InstanceState, after: InstanceState, now: number): boolean {
  const [former, next] = [orphanOf(before), orphanOf(after.phase)];
  return former === null || next === null || next.since >= former.since || former.since > now;
}

function isNewOrphanSilent(before: InstanceState, after: InstanceState): boolean {
  const orphan = orphanOf(after.phase);
  return orphan === null || orphan.since === orphanOf(before.phase)?.since || isSilent(after, orphan);
}

function isNewOrderForSilence(before: InstanceState, after: InstanceState): boolean {
  if (newActionIn(before, after) === null || !stemsFromSilence(after.phase)) return true;
  const orphan = orphanOf(after.phase);
  return orphan !== null && isSilent(after, orphan);
}

/** A wake, too, is a sign of life: it counts from then. */
function isNewDeleteOfHeard(before: InstanceState, after: InstanceState): boolean {
  return newActionIn(before, after)?.kind !== "delete" || seenAt(after.clock) !== null;
}

/** Any other may be used by somebody, or be heard elsewhere. */
function isNewUnheardOrderOnOwn(before: InstanceState, after: InstanceState): boolean {
  if (newActionIn(before, after) === null || !stemsFromSilence(after.phase)) return true;
  return !isUnheard(after.phase) || isChosenByOwner(after.phase);
}

/** Since it became an orphan it was neither heard nor kept alive. */
function isSilent({ clock }: InstanceState, { since }: Orphan): boolean {
  return (clock.lastHeartbeatAt ?? since) <= since && (clock.keepAliveUntil ?? since) <= since;
}

function isNewIdleOrderWarned(before: InstanceState, after: InstanceState): boolean {
  const { phase } = after;
  if (phase.status !== "hibernating" || phase.reason !== "idle") return true;
  return newActionIn(before, after) === null || (idleRunOf(phase)?.warnedAt ?? null) !== null;
}

/** The machine hibernates itself, and says so: nobody has ordered it. */
function isItsOwn({ phase }: InstanceState): boolean {
  return phase.status === "hibernating" && phase.reason === "instance";
}

function mayOrder({ phase }: InstanceState, { event, policy }: DecidedBy): boolean {
  const preparation = preparationOf(phase);
  if (preparation !== null && isByPerson(preparation.order.because)) return true;
  if (!policy.observes || event.type === "wake.requested") return true;
  return event.type === "hibernate.requested" && event.round?.by !== "budget";
}

function isNewStopPossible(before: InstanceState, after: InstanceState): boolean {
  const action = newActionIn(before, after);
  return action === null || action.kind === "delete" || !onlyDeletes(action.machine.provider);
}

/** Whether there is an event of one of these kinds, and about this order if one is given. */
function isSaid(
  effects: readonly PendingEffect[],
  kinds: readonly HistoryEventKind[],
  actionId?: string,
): boolean {
  return effects.some(
    ({ effect }) =>
      effect.type === "event" &&
      kinds.includes(effect.event.kind) &&
      (actionId === undefined || effect.event.detail.action_id === actionId),
  );
}
