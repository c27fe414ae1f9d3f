import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { type Origin, withoutPast } from "../lifecycle/rules/resumption.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** How an instance goes on whose storage was set back to a former moment, or that comes from an export. */

/** What has been given out. */
export interface Used {
  /** Ids of effects up to here may have been used. */
  readonly lastId: number;
  /** Tokens of this generation have been issued. */
  readonly tokenGeneration: number;
}

/** What is known of the time that its storage knows nothing of. */
export interface Past extends Used {
  readonly origin: Origin;
  /** Up to when its state is known to be true; null when nobody knows. */
  readonly knownUntil: number | null;
}

/** Nothing but that it was set back. */
export const UNKNOWN_PAST: Past = { origin: "restore", lastId: 0, tokenGeneration: 0, knownUntil: null };

/** Whoever decides upon an instance. */
interface Decider {
  decide(
    stored: StoredInstance,
    event: InstanceEvent,
    now: number,
    more: { readonly former: InstanceState },
  ): Promise<{ readonly outcome: "decided" | "unavailable" }>;
}

/**
 * The time in between counts as a downtime of the service. Done twice it does no harm: silence then counts from the second
 * time on.
 */
export async function resume(life: Decider, stored: StoredInstance, past: Past): Promise<void> {
  const now = Date.now();
  const state = withoutPast(stored.state, past.lastId, now);
  const tokenGeneration = Math.max(stored.tokenGeneration, past.tokenGeneration);
  const { origin, knownUntil } = past;
  const event = { type: "resumed", origin, knownUntil } as const;
  const decided = await life.decide({ ...stored, tokenGeneration, state }, event, now, { former: state });
  if (decided.outcome === "unavailable") throw new Error("resuming it would break an invariant");
}
