import type { DecidedBy } from "./invariants/decided-by.ts";
import { OF_A_STATE } from "./invariants/of-a-state.ts";
import { OF_A_STEP } from "./invariants/of-a-step.ts";
import type { InstanceState } from "./model/state.ts";

/**
 * What always holds of an instance, whatever happens to it. A decision that breaks one of these is a defect of the
 * service, and is not carried out: better no step than a wrong one.
 */
export const INVARIANTS = {
  // Of one state.
  number_not_finite: "every number is finite",
  counter_negative: "no counter is below zero",
  unflushed_beyond_recent: "heartbeats that wait for the history are still there",
  heartbeats_out_of_order: "heartbeats are in the order of their numbers",
  chunk_empty: "a chunk holds heartbeats",
  effects_out_of_order: "effects are in the order of their ids",
  time_in_future: "nothing has happened later than now",
  time_put_down_twice: "no time is put down twice in what an instance costs",
  idle_run_misplaced: "an idle run lies between the registration and now",
  orphan_ahead_of_silence: "no step of the ladder comes before its silence",
  idle_hibernation_orphaned:
    "an instance hibernated for another reason than silence is not led to its deletion",
  order_of_wrong_kind: "the order under way is the one that the status names",
  order_for_other_machine: "an order is for the machine that is watched",
  // Of a state and its successor.
  counter_fell: "no total falls",
  number_used_again: "no number of an effect or a heartbeat is used twice",
  heartbeats_out_of_time: "no heartbeat is earlier than the one before it",
  effect_dropped: "no effect is dropped before it was carried out",
  heartbeat_lost: "every heartbeat is handed to the history once",
  order_not_sent: "an order that a provider must be called for is sent",
  order_ended_unsaid: "no order ends or is replaced without an event that says so",
  ended_without_order:
    "an instance is hibernated or deleted by an order, or found to be gone, or listed as stopped or destroyed, and in no other way",
  unconfirmed_saved: "nothing is saved while nobody knows whether the machine is hibernated",
  deleted_came_back: "a deleted instance comes back by a heartbeat only",
  orphaned_since_earlier: "the moment since which an instance is orphaned does not move back",
  orphaned_while_heard: "an instance that was heard is not orphaned",
  silence_order_while_heard: "nothing is ordered for the silence of an instance that was heard",
  never_heard_deleted: "no machine is deleted for silence that never gave a sign of life",
  unheard_order_on_anothers:
    "of what was never heard, only a machine that its owner named here is stopped for that",
  idle_order_unwarned: "no instance is hibernated for idleness without a warning",
  planned_stop_unwarned:
    "no instance is hibernated by its schedule or for how long it has run without a warning",
  planned_stop_while_kept_alive:
    "nothing that is kept alive is hibernated by its schedule or for how long it has run",
  order_in_awake_hours: "nothing is hibernated for idleness or by its schedule in the awake hours of that",
  silence_order_in_maintenance: "nothing is ordered for silence within maintenance",
  schedule_woke_anothers: "a schedule wakes only what it or idleness has hibernated",
  ordered_while_observing: "a policy that only observes orders nothing: only a person's word does",
  stop_where_only_deleted: "nothing is told to stop or to start where its provider can only delete",
  order_ahead_of_preparation:
    "no machine with hooks is hibernated for idleness or at its owner's word before they have ended or their limit has passed",
  preparation_ended_unsaid: "no preparation ends without being kept as the last one",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/**
 * Which invariants the step from `before` to `after` breaks, at `now` in ms. `before` is null for a state without a
 * predecessor. What `before` broke already is not held against the step: it would hold up every other one, for good. So a
 * clock that was set back breaks nothing either. `by`: absent where nobody knows any more.
 */
export function breachesOf(
  before: InstanceState | null,
  after: InstanceState,
  now: number,
  by?: DecidedBy,
): readonly Invariant[] {
  if (before === after) return [];
  const breaches: Invariant[] = [];
  for (const [invariant, holds] of OF_A_STATE) {
    if (!holds(after, now, before) && (before === null || holds(before, now, null))) breaches.push(invariant);
  }
  if (before === null) return breaches;
  for (const [invariant, holds] of OF_A_STEP) {
    if (!holds(before, after, now, by)) breaches.push(invariant);
  }
  return breaches;
}
