import type { InstanceEvent } from "../model/instance-event.ts";
import type { Policy } from "../model/policy.ts";

/** Upon what it was decided, and by which policy. */
export interface DecidedBy {
  readonly event: InstanceEvent;
  readonly policy: Pick<Policy, "observes" | "schedule" | "maintenance">;
}
