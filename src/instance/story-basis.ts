import type { WaitingPast } from "../history/past.ts";
import { hibernatedCost } from "../lifecycle/model/hibernated-cost.ts";
import { waitingHeartbeats } from "../lifecycle/model/outbox.ts";
import { type PolicyOverrides, withoutGuard } from "../lifecycle/model/policy-settings.ts";
import type { Profile } from "../lifecycle/model/state.ts";
import { awakeRate, ledgerAt } from "../lifecycle/rules/costs.ts";
import { eventsOf } from "../replay/line.ts";
import type { WaitingRange } from "./held.ts";
import type { Outbox } from "./outbox.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** What an instance itself knows of its past, for whoever replays it. */
export interface StoryBasis {
  /** The database that has its heartbeats. */
  readonly shard: number;
  readonly waiting: WaitingPast;
  /** Its prices are those that count now, whoever said them; null where nobody knows. */
  readonly profile: Profile;
  readonly hasGpu: boolean;
  readonly userPolicy: PolicyOverrides;
  /** Its own level. */
  readonly overrides: PolicyOverrides;
  readonly suspended: boolean;
}

/** `range`: of the heartbeats that wait. */
export function storyBasis(
  stored: StoredInstance,
  outbox: Outbox,
  range: WaitingRange,
  now: number,
): StoryBasis {
  const { state } = stored;
  return {
    shard: stored.historyShard,
    waiting: {
      heartbeats: [...outbox.heldHeartbeats(stored, range).toReversed(), ...waitingHeartbeats(state)],
      events: eventsOf(state.outbox).map(({ id, at, kind, detail }) => ({ id, at, kind, detail })),
    },
    profile: {
      ...state.profile,
      hourlyCost: awakeRate(state, ledgerAt(state, now)).hourlyCost,
      hibernatedHourlyCost: hibernatedCost(state).hourly,
    },
    hasGpu: state.agent.hasGpu,
    userPolicy: stored.userPolicy,
    overrides: withoutGuard(stored.overrides),
    suspended: stored.suspended,
  };
}
