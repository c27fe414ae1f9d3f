/** A change worth keeping: what happened, by which rule, on what evidence. The record drives the notices. */

export type Severity = "info" | "warning" | "critical";

export type HistoryEventKind =
  | "registered"
  | "changed"
  | "policy_changed"
  | "token_rotated"
  | "first_heartbeat"
  | "idle"
  | "busy"
  | "would_hibernate"
  | "orphaned"
  | "silent"
  | "abandoned"
  | "recovered"
  | "kept_alive"
  | "hibernating"
  | "hibernate_cancelled"
  | "hibernate_failed"
  | "hibernated"
  | "waking"
  | "wake_failed"
  | "woken"
  | "guard_deferred"
  | "guard_permitted"
  | "would_delete"
  | "deleting"
  | "delete_cancelled"
  | "delete_failed"
  | "deleted"
  | "history_lost";

export interface HistoryEvent {
  readonly id: string;
  /** The moment it was due or happened, in ms. */
  readonly at: number;
  readonly kind: HistoryEventKind;
  readonly severity: Severity;
  /** One sentence for the owner. */
  readonly message: string;
  /** Rule, threshold, evidence and times, for good. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}
