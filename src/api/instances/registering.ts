import { type Admission, toldPolicy } from "../../fleet/report.ts";
import { ApiError, invalid, suspended, tooMany, tooManyRequests } from "../../http/errors.ts";
import type { MachineEnrollment } from "../../instance/outcomes.ts";
import type { Sighted } from "../../lifecycle/model/effects.ts";
import { toKeptOfInstance } from "../../lifecycle/model/observed-overrides.ts";
import { issuesOfOverrides } from "../../lifecycle/model/policy-issues.ts";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../lifecycle/model/provider.ts";
import type { Tags } from "../../lifecycle/model/tags.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { actorOf, fleetOf } from "../../platform/address.ts";
import { logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { calledMachine, type WatchedMachine } from "../../providers/machines.ts";
import { policyIssueAt } from "../policy.ts";
import { connectedProvider, whileHolding } from "./machine.ts";

/** The one way in which an instance is registered, by its owner or by the machine itself. */

export interface Wanted {
  readonly instanceId: string;
  readonly name: string;
  readonly provider: ProviderKind;
  /** By which connection the provider is called; null is the first of its kind. */
  readonly connection: string | null;
  readonly providerRef: string | null;
  readonly hourlyCost: number | null;
  readonly hibernatedHourlyCost: number | null;
  readonly tags: Tags;
  readonly overrides: PolicyOverrides;
}

export interface Registering {
  /** Whose registrations are counted together, so that there are not too many of them. */
  readonly limitKey: string;
  /** What its provider shows of a machine that is called; throws where it must not be registered. */
  readonly look: (machine: WatchedMachine) => Promise<Sighted | null>;
  readonly enrollment?: MachineEnrollment;
  readonly requestId: string;
}

/** Throws 429 where there are too many. */
export async function limitRegistrations(env: Env, key: string): Promise<void> {
  const { success } = await env.REGISTRATION_LIMIT.limit({ key });
  if (!success) throw tooManyRequests(text("error.registrations_too_fast"));
}

/** Registers an instance, and gives back the generation of its token. Throws an `ApiError` where it is refused. */
export async function registerInstance(
  env: Env,
  userId: string,
  wanted: Wanted,
  registering: Registering,
): Promise<number> {
  const { instanceId } = wanted;
  await limitRegistrations(env, registering.limitKey);
  const admission = await fleetOf(env, userId).admit(instanceId);
  if (admission === null) {
    throw tooMany(readSettings(env).INSTANCES_PER_USER, "instances");
  }
  try {
    return await registerAdmitted(env, userId, wanted, registering, admission);
  } catch (error) {
    // One that exists may have been admitted by another request that has not been heard of yet.
    const cameToNothing = error instanceof ApiError && error.code !== "exists";
    const { withdrawBy = null, formerAt = null } = admission;
    if (cameToNothing && withdrawBy !== null) {
      await fleetOf(env, userId)
        .withdrawAdmission(instanceId, withdrawBy, formerAt)
        .catch((failure) =>
          logWarning(
            "an admission stays until the daily look",
            { user_id: userId, instance_id: instanceId },
            failure,
          ),
        );
    }
    throw error;
  }
}

async function registerAdmitted(
  env: Env,
  userId: string,
  wanted: Wanted,
  { look, enrollment, requestId }: Registering,
  { policy: userPolicy, idsAfter }: Admission,
): Promise<number> {
  const { instanceId, name, providerRef, hourlyCost, hibernatedHourlyCost, tags, overrides } = wanted;
  if (userPolicy.suspended) throw suspended();
  const provider = await connectedProvider(env, userId, wanted.provider, wanted.connection);
  const contradictions = issuesOfOverrides(userPolicy.overrides, overrides, provider);
  if (contradictions.length > 0) throw invalid(contradictions.map(policyIssueAt("body.policy")));
  const watched = { provider, ref: providerRef ?? instanceId };
  const machine = calledMachine(watched);
  // Before its provider is asked: a program that registers at each boot costs no call.
  const actor = actorOf(env, userId, instanceId);
  if (machine !== null && (await actor.machine()) !== null) throw exists();
  const sighted = machine && (await look(watched));
  return whileHolding(env, userId, machine, instanceId, async () => {
    const registered = await actor.register({
      userId,
      instanceId,
      profile: { name, provider, providerRef, hourlyCost, hibernatedHourlyCost, tags },
      sighted,
      overrides: toKeptOfInstance(overrides, userPolicy.overrides),
      userPolicy: toldPolicy(userPolicy).overrides,
      userPolicyVersion: userPolicy.version,
      idsAfter,
      ...(enrollment === undefined ? {} : { enrollment, isChosenByOwner: false }),
      requestId,
    });
    if (registered.outcome === "exists") throw registered.isLeaving ? stillLeaving() : exists();
    return registered.tokenGeneration;
  });
}

const stillLeaving = () =>
  new ApiError("unavailable", text("error.still_removing"), {
    retryAfterSeconds: 60,
  });

const exists = () => new ApiError("exists", text("error.exists"));
