import {
  abilitiesOf,
  type ConnectedProvider,
  kindOf,
  type ProviderKind,
} from "../lifecycle/model/provider.ts";
import { actorOf, fleetOf } from "../platform/address.ts";

/** Claims a machine for the instance that is to watch it. Who has which is kept by the fleet: see `fleet/tables/machines.ts`. */

/** A machine as its instance has it. By another connection it is another machine. */
export interface WatchedMachine {
  readonly provider: ConnectedProvider;
  /** The provider's own id of the machine. */
  readonly ref: string;
}

/** By what a user's machines are claimed: whatever the connection, so that a machine is watched once. */
export interface MachineKey {
  readonly provider: ProviderKind;
  /** The provider's own id of the machine. */
  readonly ref: string;
}

/** A claim as it was when it was looked up. */
export interface HeldClaim extends MachineKey {
  readonly claimedAt: number;
}

/** The machine that an instance must claim to watch; null with a provider that nobody calls, where it claims nothing. */
export function calledMachine({ provider, ref }: WatchedMachine): MachineKey | null {
  return abilitiesOf(provider).reachesSilent ? { provider: kindOf(provider), ref } : null;
}

export function sameMachine(one: WatchedMachine, other: WatchedMachine): boolean {
  return one.provider === other.provider && one.ref === other.ref;
}

/** Whether whoever watches this machine claims it by this key. */
function isClaimedBy(watched: WatchedMachine, machine: MachineKey): boolean {
  const key = calledMachine(watched);
  return key !== null && sameMachine(key, machine);
}

type Claim =
  | {
      readonly claimed: true;
      /** False when the instance held it before. */
      readonly isNew: boolean;
      readonly claimedAt: number;
    }
  | { readonly claimed: false; readonly holder: string };

/** A claim this young may belong to a registration, or a change of machine, that its actor has not heard of yet. */
export const UNHEARD_MS = 60_000;

/**
 * Claims the machine for the instance, before the instance's actor hears of it. An older claim that its holder's actor
 * does not confirm was left by a crash, and is taken over. If several try to, one succeeds.
 */
export async function claimMachine(
  env: Pick<Env, "FLEETS" | "INSTANCES">,
  userId: string,
  machine: MachineKey,
  instanceId: string,
): Promise<Claim> {
  const fleet = fleetOf(env, userId);
  const found = await fleet.claim(machine, instanceId);
  if (found.holder === instanceId) return { claimed: true, ...found };
  if (!(await isLeftBehind(env, userId, machine, found))) return { claimed: false, holder: found.holder };

  await fleet.withdrawClaim(machine, found.holder, found.claimedAt);
  const second = await fleet.claim(machine, instanceId);
  return second.holder === instanceId
    ? { claimed: true, ...second }
    : { claimed: false, holder: second.holder };
}

/** Whether the claim is old, and its holder's actor does not confirm it. */
export async function isLeftBehind(
  env: Pick<Env, "INSTANCES">,
  userId: string,
  machine: MachineKey,
  { holder, claimedAt }: { readonly holder: string; readonly claimedAt: number },
): Promise<boolean> {
  if (claimedAt > Date.now() - UNHEARD_MS) return false;
  const watched = await actorOf(env, userId, holder).machine();
  // Nobody knows what a holder whose state can't be read watches: it keeps its claim.
  return watched === null || ("ref" in watched && !isClaimedBy(watched, machine));
}

/**
 * Releases a machine that the instance has left. `former`: what it held before it was asked which machine it watches. A claim
 * that it has made anew since, on its way back, stays.
 */
export async function releaseMachine(
  env: Pick<Env, "FLEETS">,
  userId: string,
  left: MachineKey,
  instanceId: string,
  former: readonly HeldClaim[],
): Promise<void> {
  const claim = former.find((held) => sameMachine(held, left));
  if (claim !== undefined) await fleetOf(env, userId).withdrawClaim(left, instanceId, claim.claimedAt);
}
