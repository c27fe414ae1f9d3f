/** What the API says of alerts. */

export type Severity = "info" | "warning" | "critical";

export interface Acknowledged {
  readonly at: string;
  readonly by: string;
}

export interface AlertAnswer {
  readonly id: string;
  readonly at: string;
  readonly instance_id: string | null;
  readonly name: string | null;
  readonly kind: string;
  readonly severity: Severity;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly status: "open" | "acknowledged" | "over";
  readonly open_since: string | null;
  readonly acknowledged: Acknowledged | null;
}

export interface SnoozeAnswer {
  readonly instance_id: string;
  readonly until: string;
  readonly at: string;
  readonly by: string;
}

export interface AlertsAnswer {
  readonly open: readonly AlertAnswer[];
  readonly open_count: number;
  readonly unacknowledged_count: number;
  readonly alerts: readonly AlertAnswer[];
  readonly snoozes: readonly SnoozeAnswer[];
  readonly next_cursor: string | null;
}
