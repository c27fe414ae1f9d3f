import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf } from "../../platform/address.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { removeUnknown } from "../ghosts.ts";
import { type Listed, toldPolicy } from "../report.ts";
import type { Due } from "../rules/state.ts";
import { BRINGING_RESUMES_MS, isPolicySure } from "../rules/state.ts";

/**
 * How a user's new policy comes to all instances: in one round, and then again to those that were out of reach. An instance
 * that is well may report nothing for days, so it can't be left to its next report.
 */

/** How many instances a policy is brought to at the same time, and in one alarm: ten thousand within a minute. */
const PARALLEL_CALLS = 50;
const INSTANCES_PER_ALARM = 1000;

/** An instance that has not answered after this long is out of reach. */
const POLICY_CALL_LIMIT_MS = 10 * SECOND_MS;

/**
 * Brings the user's policy to an instance. One that its actor does not know is taken out of the registry, and counts no
 * more: then the answer is true.
 */
export async function bringPolicyTo(
  env: Env,
  userId: string,
  fleet: Fleet,
  listed: Listed,
): Promise<boolean> {
  const actor = actorOf(env, userId, listed.instanceId);
  const { state } = fleet;
  // Nobody takes the policy of version 0.
  const policy = isPolicySure(state) ? state.policy : { ...state.policy, version: 0 };
  const presence = await within(POLICY_CALL_LIMIT_MS, actor.setUserPolicy(toldPolicy(policy)));
  return presence === "unknown" && removeUnknown(fleet, listed, Date.now());
}

/** However many are out of reach, a turn ends after this long, for whoever has set the policy, and for other tasks. */
const LONGEST_TURN_MS = 20 * SECOND_MS;

/** Brings the user's policy to the next instances of the round, or once more to those that were out of reach. */
export async function bringPolicy(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const { policy } = fleet.state.due;
  if (policy === null || !isPolicySure(fleet.state)) return;
  if (policy.after === null) await tryAgain(env, userId, fleet);
  else await goOn(env, userId, fleet, policy.after);
}

async function goOn(env: Env, userId: string, fleet: Fleet, from: string): Promise<void> {
  const until = Date.now() + LONGEST_TURN_MS;
  let after = from;
  for (let called = 0; called < INSTANCES_PER_ALARM && Date.now() <= until; called += PARALLEL_CALLS) {
    const listed = fleet.registry.listedAfter(after, PARALLEL_CALLS);
    if (!(await bringPolicyToAll(env, userId, fleet, listed))) return;
    const last = listed.at(-1);
    if (last === undefined || listed.length < PARALLEL_CALLS) return restUntilRetry(fleet);
    after = last.instanceId;
    fleet.setDue({ policy: { at: Date.now() + BRINGING_RESUMES_MS, after } });
  }
  fleet.setDue({ policy: { at: Date.now(), after } });
}

async function tryAgain(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const until = Date.now() + LONGEST_TURN_MS;
  const ids = fleet.retries.due(Date.now(), INSTANCES_PER_ALARM);
  for (let start = 0; start < ids.length && Date.now() <= until; start += PARALLEL_CALLS) {
    const listed = fleet.registry.listedAmong(ids.slice(start, start + PARALLEL_CALLS));
    if (!(await bringPolicyToAll(env, userId, fleet, listed))) return;
  }
  restUntilRetry(fleet);
}

/** False when the policy was set anew meanwhile: then another round has begun. Nor is one brought that is not sure, which nobody takes. */
async function bringPolicyToAll(
  env: Env,
  userId: string,
  fleet: Fleet,
  listed: readonly Listed[],
): Promise<boolean> {
  if (!isPolicySure(fleet.state)) return false;
  const { version } = fleet.state.policy;
  const calls = await Promise.allSettled(listed.map((one) => bringPolicyTo(env, userId, fleet, one)));
  if (fleet.state.policy.version !== version) return false;
  const idsThat = (status: "fulfilled" | "rejected") =>
    listed.filter((_, index) => calls[index]?.status === status).map(({ instanceId }) => instanceId);
  fleet.update((state) => {
    fleet.retries.settled(idsThat("fulfilled"));
    fleet.retries.failed(idsThat("rejected"), Date.now());
    return state;
  });
  return true;
}

function restUntilRetry(fleet: Fleet): void {
  const { nextAt } = fleet.retries;
  const policy: Due["policy"] = nextAt === null ? null : { at: nextAt, after: null };
  fleet.setDue({ policy });
}
