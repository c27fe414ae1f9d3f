/** What happened, as the API tells it: see `Event` of `/openapi.json`. */
export interface LifecycleEvent {
  readonly id: string;
  readonly at: string;
  readonly instance_id: string | null;
  readonly kind: string;
  readonly severity: "info" | "warning" | "critical";
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export const SEVERITIES = ["info", "warning", "critical"] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Of all instances together: each counts its own. */
export function keyOf({ instance_id, id }: Pick<LifecycleEvent, "instance_id" | "id">): string {
  return `${instance_id}/${id}`;
}
