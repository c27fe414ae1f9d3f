import { z } from "zod";

/** A change worth keeping: what happened, by which rule, on what evidence. The record drives the notices. */

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
  "orphaned",
  "silent",
  "abandoned",
  "rebooted",
  "recovered",
  "flapping",
  "kept_alive",
  "hibernating",
  "hibernate_cancelled",
  "hibernate_failed",
  "hibernated",
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
  "deleted",
  "gone",
  "history_lost",
  "invariant_breached",
  "cleanup",
]);

export type HistoryEventKind = z.infer<typeof historyEventKindSchema>;

export type EventDetail = Readonly<Record<string, string | number | boolean | null>>;

export interface HistoryEvent {
  readonly id: string;
  /** The moment it was due or happened, in ms. */
  readonly at: number;
  readonly kind: HistoryEventKind;
  readonly severity: Severity;
  /** One sentence for the owner. */
  readonly message: string;
  /** Rule, threshold, evidence and times, for good. */
  readonly detail: EventDetail;
}

/** Changes that the owner made or expects: kept, but nobody is told. */
const QUIET_KINDS: ReadonlySet<HistoryEventKind> = new Set([
  "registered",
  "changed",
  "policy_changed",
  "token_rotated",
  "first_heartbeat",
  "rebooted",
  "kept_alive",
  "hibernating",
  "waking",
  "guard_deferred",
  "guard_permitted",
  "cleanup",
]);

/** Whether the event is a notice to the owner. The turns of a flapping instance, and failures that repeat, are told once. */
export function isNotice(event: HistoryEvent): boolean {
  return !QUIET_KINDS.has(event.kind) && event.detail.flapping !== true && event.detail.repeated !== true;
}
