import type { InstanceEvent } from "../model/instance-event.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { stoppedUntil } from "./witness.ts";

/** From this moment on, after this event, nobody knows whether a hibernated machine stayed so; null where there is no doubt. */
export function doubtedFrom(state: InstanceState, event: InstanceEvent, policy: Policy): number | null {
  const { phase } = state;
  if (event.type === "resumed") return event.knownUntil ?? 0;
  if (event.type === "machine.listed" || event.type === "machine.vanished") {
    return stoppedUntil(state, event, policy);
  }
  const isFoundRunning =
    event.type === "action.found_running" &&
    phase.status === "deleting" &&
    phase.action.id === event.actionId;
  return isFoundRunning ? phase.action.orderedAt : null;
}
