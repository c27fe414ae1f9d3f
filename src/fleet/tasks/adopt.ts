import { toKeptOfInstance } from "../../lifecycle/model/observed-overrides.ts";
import { fittingOverrides } from "../../lifecycle/model/policy-issues.ts";
import { connectedBy } from "../../lifecycle/model/provider.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf } from "../../platform/address.ts";
import { logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { within } from "../../platform/within.ts";
import { isLeftBehind, type MachineKey } from "../../providers/machines.ts";
import type { Fleet } from "../fleet.ts";
import { toldPolicy } from "../report.ts";
import {
  type AdoptionRefusal,
  adoptionIds,
  adoptionName,
  adoptionRefusal,
  isToAdopt,
} from "../rules/adoption.ts";
import { entriesOf } from "../rules/entries.ts";
import type { InventoryPlace } from "../tables/inventory.ts";
import type { InventoryRow } from "../tables/inventory-rows.ts";
import type { Holding } from "../tables/machines.ts";

/** Registers machines of the inventory as instances. */

const REGISTER_LIMIT_MS = 10 * SECOND_MS;

/** However many are out of reach, nobody waits longer than this and one call. */
const TURN_MS = 10 * SECOND_MS;

/** So many at the same time. */
const AT_ONCE = 10;

export type Adopted = InventoryPlace &
  (
    | { readonly outcome: "registered"; readonly instanceId: string; readonly tokenGeneration: number }
    | { readonly outcome: "refused"; readonly because: AdoptionRefusal }
  );

/** All that bill and that nobody watches. */
export function placesToAdopt(fleet: Fleet): InventoryPlace[] {
  const listed = fleet.connections.listed().flatMap(({ id }) => fleet.inventory.of(id));
  return entriesOf(listed).filter(isToAdopt);
}

/** `isChosenByOwner`: whether their owner chose each of them. Only then may one that is never heard be stopped. */
export async function adoptAll(
  env: Env,
  userId: string,
  fleet: Fleet,
  places: readonly InventoryPlace[],
  isChosenByOwner: boolean,
): Promise<Adopted[]> {
  const wanted = onlyOnce(fleet, places);
  const adopted: Adopted[] = [];
  const until = Date.now() + TURN_MS;
  for (let start = 0; start < wanted.length; start += AT_ONCE) {
    const some = wanted.slice(start, start + AT_ONCE);
    if (Date.now() > until) adopted.push(...some.map((place) => refused(place, "unavailable")));
    else
      adopted.push(
        ...(await Promise.all(some.map((one) => adopt(env, userId, fleet, one, isChosenByOwner)))),
      );
  }
  return adopted;
}

/** Each machine once, wherever it is listed. */
function onlyOnce({ inventory }: Fleet, places: readonly InventoryPlace[]): InventoryPlace[] {
  const keyOf = (place: InventoryPlace) => inventory.find(place)?.provider ?? place.connection;
  return [...new Map(places.map((place) => [JSON.stringify([keyOf(place), place.ref]), place])).values()];
}

async function adopt(
  env: Env,
  userId: string,
  fleet: Fleet,
  place: InventoryPlace,
  isChosenByOwner: boolean,
): Promise<Adopted> {
  const { connection, ref } = place;
  const machine = fleet.inventory.find(place);
  const refusal = adoptionRefusal(machine);
  if (machine === null || refusal !== null) return refused(place, refusal ?? "unknown");
  for (const instanceId of adoptionIds(machine)) {
    const registered = await register(env, userId, fleet, machine, { instanceId, isChosenByOwner });
    if (registered === "exists") continue;
    if (typeof registered === "string") return refused(place, registered);
    return { connection, ref, outcome: "registered", instanceId, ...registered };
  }
  return refused(place, "unavailable");
}

function refused({ connection, ref }: InventoryPlace, because: AdoptionRefusal): Adopted {
  return { connection, ref, outcome: "refused", because };
}

async function register(
  env: Env,
  userId: string,
  fleet: Fleet,
  machine: InventoryRow,
  { instanceId, isChosenByOwner }: { readonly instanceId: string; readonly isChosenByOwner: boolean },
): Promise<{ readonly tokenGeneration: number } | AdoptionRefusal | "exists"> {
  if (fleet.registry.has(instanceId)) return "exists";
  const admission = fleet.admit(instanceId, readSettings(env).INSTANCES_PER_USER, Date.now());
  if (admission === null) return "too_many";
  const giveBack = () => {
    const { withdrawBy = null, formerAt = null } = admission;
    if (withdrawBy !== null) fleet.admissions.withdraw(instanceId, withdrawBy, formerAt);
  };
  const overrides = fittingOverrides(admission.policy.overrides, machine.provider);
  const key = { provider: machine.provider, ref: machine.ref };
  const claim = overrides === null ? null : await claimFor(env, userId, fleet, key, instanceId);
  if (overrides === null || claim === null || claim.holder !== instanceId) {
    giveBack();
    if (overrides === null) return "bad_policy";
    return claim === null ? "unavailable" : "watched";
  }
  try {
    const registered = await within(
      REGISTER_LIMIT_MS,
      actorOf(env, userId, instanceId).register({
        userId,
        instanceId,
        profile: {
          name: adoptionName(machine),
          provider: connectedBy(machine.provider, machine.connection),
          providerRef: machine.ref === instanceId ? null : machine.ref,
          // Not its owner's word: what the list says of it may change.
          hourlyCost: null,
          hibernatedHourlyCost: machine.stoppedHourlyCost,
        },
        sighted: sightedIn(fleet, machine),
        overrides: toKeptOfInstance(overrides, admission.policy.overrides),
        userPolicy: toldPolicy(admission.policy).overrides,
        userPolicyVersion: admission.policy.version,
        idsAfter: admission.idsAfter,
        isChosenByOwner,
      }),
    );
    if (registered.outcome === "registered") {
      await tellPrice(env, userId, fleet, machine, instanceId);
      return { tokenGeneration: registered.tokenGeneration };
    }
    giveBack();
    // Else somebody else has registered it under this id meanwhile, and watches it.
    if (!claim.isNew) return "watched";
    fleet.machines.withdraw(key, instanceId, claim.claimedAt);
    return "exists";
  } catch (error) {
    // It may have been registered all the same. A claim and an admission without an instance lapse by themselves.
    logWarning("a machine could not be registered", { user_id: userId, instance_id: instanceId }, error);
    return "unavailable";
  }
}

/** A claim whose holder was never registered is taken over: else nobody would ever watch the machine. */
async function claimFor(
  env: Env,
  userId: string,
  { machines, registry }: Fleet,
  key: MachineKey,
  instanceId: string,
): Promise<Holding | null> {
  const found = machines.claim(key, instanceId, Date.now());
  if (found.holder === instanceId || registry.has(found.holder)) return found;
  try {
    if (!(await within(REGISTER_LIMIT_MS, isLeftBehind(env, userId, key, found)))) return found;
  } catch (error) {
    logWarning("who holds a machine could not be asked", { user_id: userId }, error);
    return null;
  }
  machines.withdraw(key, found.holder, found.claimedAt);
  return machines.claim(key, instanceId, Date.now());
}

/** What the list says that it costs. Should this fail, the next list says it. */
async function tellPrice(
  env: Env,
  userId: string,
  fleet: Fleet,
  machine: InventoryRow,
  instanceId: string,
): Promise<void> {
  const sighted = sightedIn(fleet, machine);
  if (machine.hourlyCost === null || sighted === null) return;
  const { provider, connection, ref, hourlyCost } = machine;
  const event = { type: "machine.listed", shown: null, stoppedUntil: null, hourlyCost, sighted } as const;
  const watched = { provider: connectedBy(provider, connection), ref };
  try {
    await within(REGISTER_LIMIT_MS, actorOf(env, userId, instanceId).noteListed(watched, event));
  } catch (error) {
    const ids = { user_id: userId, instance_id: instanceId };
    logWarning("an instance could not be told what its machine costs", ids, error);
  }
}

/** Only what these very credentials have shown counts as seen. */
function sightedIn(fleet: Fleet, { connection, isCurrent, lastSeenAt, state, gpus }: InventoryRow) {
  const setAt = fleet.connections.find(connection)?.setAt;
  return setAt === undefined || !isCurrent
    ? null
    : { at: lastSeenAt, credentialsSetAt: setAt, gpus: state === "running" ? gpus : null };
}
