import { isAlert } from "../../lifecycle/model/history-event.ts";
import type { Fleet } from "../fleet.ts";
import { addAlert } from "../rules/digest-window.ts";
import { type FleetState, withDue } from "../rules/state.ts";
import type { Snooze } from "../tables/snoozes.ts";

/** Quiet about an instance for a while, after which its owner is told what is so still: much is told only once. */

export function snooze(fleet: Fleet, asked: Snooze): void {
  fleet.change((state) => {
    fleet.snoozes.set(asked);
    return { state: withSnoozesDue(state, fleet), result: undefined };
  });
}

/** False when there was no snooze. */
export function endSnooze(fleet: Fleet, instanceId: string, now: number): boolean {
  return fleet.change((state) => {
    const wasThere = fleet.snoozes.end(instanceId);
    return { state: wasThere ? tellWhatIsOpen(state, fleet, instanceId, now) : state, result: wasThere };
  });
}

/** Those that are over by now. */
export function endSnoozes(state: FleetState, fleet: Fleet, now: number): FleetState {
  return fleet.snoozes
    .takeEnded(now)
    .reduce((before, instanceId) => tellWhatIsOpen(before, fleet, instanceId, now), state);
}

/** The alarm that prunes ends snoozes, too. */
export function withSnoozesDue(state: FleetState, fleet: Fleet): FleetState {
  const endAt = fleet.snoozes.nextEnd();
  return endAt === null ? state : withDue(state, { pruneAt: Math.min(state.due.pruneAt ?? endAt, endAt) });
}

function tellWhatIsOpen(state: FleetState, fleet: Fleet, instanceId: string, now: number): FleetState {
  if (fleet.channels.isEmpty) return state;
  const open = fleet.events.numbered(fleet.openAlerts.unseenOf(instanceId)).filter(isAlert);
  const isAny = fleet.events.tellAfterAll(open.map(({ number }) => number));
  return isAny ? { ...state, digest: addAlert(state.digest, "warning", now) } : state;
}
