import { z } from "zod";
import type { Phrase } from "./words/said.ts";

/** What happened and is kept: the event, the rule behind it and its evidence. Alerts are chosen among these events. */

export const severitySchema = z.enum(["info", "warning", "critical"]);

export type Severity = z.infer<typeof severitySchema>;

export const historyEventKindSchema = z.enum([
  "registered",
  "changed",
  "policy_changed",
  "token_rotated",
  "first_heartbeat",
  "idle",
  "busy",
  "would_hibernate",
  "stop_planned",
  "looks_stuck",
  "source_unknown",
  "never_heard",
  "orphaned",
  "silent",
  "abandoned",
  "rebooted",
  "recovered",
  "flapping",
  "kept_alive",
  "preparing",
  "prepared",
  "preparation_failed",
  "preparation_overdue",
  "preparation_cancelled",
  "reclaimed",
  "dead_man_hibernated",
  "hibernating",
  "hibernate_cancelled",
  "hibernate_failed",
  "hibernated",
  "would_wake",
  "waking",
  "wake_failed",
  "woken",
  "guard_deferred",
  "guard_permitted",
  "guard_closed",
  "guard_opened",
  "would_delete",
  "deleting",
  "delete_cancelled",
  "delete_failed",
  "accepted_too_late",
  "found_running",
  "unwatched",
  "vanished",
  "unwatched_machines",
  "listing_failed",
  "looked",
  "deleted",
  "gone",
  "history_lost",
  "delivery_parked",
  "alert_not_delivered",
  "connection_refused",
  "enrollment_refused",
  "invariant_breached",
  "operator_acted",
  "resumed",
  "hibernate_all",
  "not_all_hibernated",
  "budget_reached",
  "cleanup",
  "reconciliation",
  "cost_report",
  "user_suspended",
  "user_resumed",
  "user_deleted",
]);

export type HistoryEventKind = z.infer<typeof historyEventKindSchema>;

export type EventDetail = Readonly<Record<string, string | number | boolean | null>>;

export interface HistoryEvent {
  readonly id: string;
  /** When it happened; for a step of a ladder, when it was due. */
  readonly at: number;
  readonly kind: HistoryEventKind;
  readonly severity: Severity;
  /** One sentence for the owner, in English. */
  readonly message: string;
  /** What it says, for any language; absent where somebody else has chosen the words, as a former release. */
  readonly said?: Phrase | undefined;
  /** The rule, thresholds, evidence and times behind it. */
  readonly detail: EventDetail;
}

/** Changes that the owner made or expects: kept, but not sent as alerts. */
const QUIET_KINDS: ReadonlySet<string> = new Set<HistoryEventKind>([
  "registered",
  "changed",
  "policy_changed",
  "token_rotated",
  "first_heartbeat",
  "rebooted",
  "kept_alive",
  "preparing",
  "prepared",
  "preparation_cancelled",
  "hibernating",
  "waking",
  "guard_deferred",
  "guard_permitted",
  "operator_acted",
  "resumed",
  "hibernate_all",
  "looked",
  "cleanup",
  "reconciliation",
  "cost_report",
  "user_suspended",
  "user_resumed",
  "user_deleted",
]);

/** Whether no event of this kind is ever an alert. */
export function isQuietKind(kind: string): boolean {
  return QUIET_KINDS.has(kind);
}

/**
 * Whether the owner is told of the event. Flapping and repeated failures are told once. A guard that closes is told, and with it
 * what it holds; what a machine has announced is told with that; steps that are held because nobody knows how a guard stands are told themselves.
 */
export function isAlert({
  kind,
  detail,
}: {
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
}): boolean {
  if (kind === "guard_deferred") return detail.guard === "unknown";
  return (
    !isQuietKind(kind) && detail.flapping !== true && detail.repeated !== true && detail.announced !== true
  );
}
