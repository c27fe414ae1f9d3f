import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { actorOf } from "../platform/address.ts";
import { within } from "../platform/within.ts";
import type { Fleet } from "./fleet.ts";
import type { Listed } from "./report.ts";

/** How a user's new policy comes to all instances. */

/** How many instances are told of a policy at the same time, and in one alarm: ten thousand within a minute. */
const PARALLEL_CALLS = 50;
const INSTANCES_PER_ALARM = 1000;

/** An instance that has not answered after this long is out of reach. */
const POLICY_CALL_LIMIT_MS = 10 * SECOND_MS;

/** If an instance was out of reach, another round begins after this long. */
const POLICY_RETRY_MS = 5 * MINUTE_MS;

/**
 * Brings the user's policy to an instance. One that its actor does not know is taken out of the registry, and counts no
 * more: then the answer is true.
 */
export async function visit(env: Env, userId: string, fleet: Fleet, listed: Listed): Promise<boolean> {
  const actor = actorOf(env, userId, listed.instanceId);
  const presence = await within(POLICY_CALL_LIMIT_MS, actor.setUserPolicy(fleet.state.policy));
  return presence === "unknown" && fleet.removeUnknown(listed, Date.now());
}

/**
 * Brings the user's policy to the next instances. One that is out of reach takes it on with its next report, or in another
 * round, since an instance that is well reports nothing for days. That round begins at the first one that was out of reach.
 */
export async function bringPolicy(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const { policy, due } = fleet.state;
  let { after, again } = due.policy ?? { after: "", again: undefined };
  for (let told = 0; told < INSTANCES_PER_ALARM; told += PARALLEL_CALLS) {
    const listed = fleet.registry.listedAfter(after, PARALLEL_CALLS);
    const ids = listed.map(({ instanceId }) => instanceId);
    const calls = await Promise.allSettled(listed.map((one) => visit(env, userId, fleet, one)));
    const failed = calls.findIndex(({ status }) => status === "rejected");
    if (failed >= 0) again ??= failed === 0 ? after : ids[failed - 1];
    const last = ids.at(-1);
    const isEnd = last === undefined || ids.length < PARALLEL_CALLS;
    // A policy that was set meanwhile begins anew.
    if (fleet.state.policy.version !== policy.version) return;
    if (isEnd) {
      const nextAt = Date.now() + POLICY_RETRY_MS;
      return fleet.setDue({ policy: again === undefined ? null : { at: nextAt, after: again } });
    }
    fleet.setDue({ policy: { at: Date.now(), after: last, again } });
    after = last;
  }
}
