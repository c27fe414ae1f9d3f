import { z } from "zod";
import { abilitiesOf, PROVIDER_KINDS, type ProviderKind } from "../lifecycle/model/provider.ts";
import { actorOf } from "../platform/address.ts";

/**
 * Which instance watches which machine, in D1. A machine at a provider that is called has one watcher: a second one, silent
 * under an id of its own, would stop what the first one hears.
 */

/** What tells a user's machines apart. */
export interface MachineKey {
  readonly provider: ProviderKind;
  /** The provider's own id of the machine. */
  readonly ref: string;
}

/** The machine that an instance must claim to watch; null with a provider that nobody calls, where it claims nothing. */
export function calledMachine(machine: MachineKey): MachineKey | null {
  return abilitiesOf(machine.provider).reachesSilent ? machine : null;
}

export function sameMachine(one: MachineKey, other: MachineKey): boolean {
  return one.provider === other.provider && one.ref === other.ref;
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
const UNHEARD_MS = 60_000;

type ClaimEnv = Pick<Env, "DB" | "INSTANCES">;

/**
 * Claims the machine for the instance, before the instance's actor hears of it. An older claim that its holder's actor
 * does not confirm was left by a crash, and is taken over. If several try to, one succeeds.
 */
export async function claimMachine(
  env: ClaimEnv,
  userId: string,
  machine: MachineKey,
  instanceId: string,
  now: number,
): Promise<Claim> {
  const found = await claimOrSee(env.DB, userId, machine, instanceId, now);
  if (found.holder === instanceId) return { claimed: true, ...found };
  if (found.claimedAt > now - UNHEARD_MS) return { claimed: false, holder: found.holder };
  const watched = await actorOf(env, userId, found.holder).machine();
  // Nobody knows what a holder whose state can't be read watches: it keeps its claim.
  const holds = watched !== null && (!("ref" in watched) || sameMachine(watched, machine));
  if (holds) return { claimed: false, holder: found.holder };

  await withdrawClaim(env.DB, userId, machine, found.holder, found.claimedAt);
  const second = await claimOrSee(env.DB, userId, machine, instanceId, now);
  return second.holder === instanceId
    ? { claimed: true, ...second }
    : { claimed: false, holder: second.holder };
}

const claimRow = z.object({ instance_id: z.string(), claimed_at: z.number() });

/** Claims the machine if it is free, renews the claim if the instance has it already, and says who has it now. */
async function claimOrSee(
  db: D1Database,
  userId: string,
  { provider, ref }: MachineKey,
  instanceId: string,
  now: number,
): Promise<{ holder: string; isNew: boolean; claimedAt: number }> {
  const [inserted, , held] = await db.batch([
    db
      .prepare(
        `INSERT INTO machines (user_id, provider, ref, instance_id, claimed_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (user_id, provider, ref) DO NOTHING RETURNING instance_id`,
      )
      .bind(userId, provider, ref, instanceId, now),
    // An earlier request for the same instance can no longer withdraw the claim.
    db
      .prepare(
        `UPDATE machines SET claimed_at = MAX(?, claimed_at + 1)
         WHERE user_id = ? AND provider = ? AND ref = ? AND instance_id = ?`,
      )
      .bind(now, userId, provider, ref, instanceId),
    db
      .prepare("SELECT instance_id, claimed_at FROM machines WHERE user_id = ? AND provider = ? AND ref = ?")
      .bind(userId, provider, ref),
  ]);
  const row = claimRow.parse(held?.results[0]);
  return {
    holder: row.instance_id,
    isNew: inserted !== undefined && inserted.results.length > 0,
    claimedAt: row.claimed_at,
  };
}

/** Takes back a claim that came to nothing, unless it was renewed since. */
export async function withdrawClaim(
  db: D1Database,
  userId: string,
  { provider, ref }: MachineKey,
  instanceId: string,
  claimedAt: number,
): Promise<void> {
  await db
    .prepare(
      `DELETE FROM machines
       WHERE user_id = ? AND provider = ? AND ref = ? AND instance_id = ? AND claimed_at = ?`,
    )
    .bind(userId, provider, ref, instanceId, claimedAt)
    .run();
}

/** The instance's row in the registry, unless the instance is deleted: it may hold the machine that this row names. */
const WATCHES = `instances.user_id = machines.user_id AND instances.instance_id = machines.instance_id
  AND instances.status <> 'deleted'`;

/** Releases the machine that the instance has left for another one, unless the registry shows that it is back. */
export async function releaseMachine(
  db: D1Database,
  userId: string,
  { provider, ref }: MachineKey,
  instanceId: string,
): Promise<void> {
  await db
    .prepare(
      `DELETE FROM machines
       WHERE user_id = ? AND provider = ? AND ref = ? AND instance_id = ?
         AND NOT EXISTS (SELECT 1 FROM instances WHERE ${WATCHES} AND instances.provider = machines.provider
                         AND COALESCE(instances.provider_ref, instances.instance_id) = machines.ref)`,
    )
    .bind(userId, provider, ref, instanceId)
    .run();
}

/** Releases everything that the instance holds, if it is deleted or no longer in the registry. */
export function releaseMachines(db: D1Database, userId: string, instanceId: string): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM machines
       WHERE user_id = ? AND instance_id = ? AND NOT EXISTS (SELECT 1 FROM instances WHERE ${WATCHES})`,
    )
    .bind(userId, instanceId);
}

/** Providers with which there is nothing to claim. One that only a newer version knows is none of them. */
const UNCALLED = PROVIDER_KINDS.filter((kind) => !abilitiesOf(kind).reachesSilent)
  .map((kind) => `'${kind}'`)
  .join(", ");

/** Claims the machine that the registry names for the instance, if it is free: so a claim that was lost comes back. */
export function claimIfFree(
  db: D1Database,
  userId: string,
  instanceId: string,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR IGNORE INTO machines (user_id, provider, ref, instance_id, claimed_at)
       SELECT user_id, provider, COALESCE(provider_ref, instance_id), instance_id, ? FROM instances
       WHERE user_id = ? AND instance_id = ? AND provider NOT IN (${UNCALLED}) AND status <> 'deleted'`,
    )
    .bind(now, userId, instanceId);
}

const holderRow = z.object({ instance_id: z.string() });

/** The id of the instance that watches the machine; null when none does. */
export async function holderOf(db: D1Database, userId: string, machine: MachineKey): Promise<string | null> {
  const row = await db
    .prepare("SELECT instance_id FROM machines WHERE user_id = ? AND provider = ? AND ref = ?")
    .bind(userId, machine.provider, machine.ref)
    .first();
  return row === null ? null : holderRow.parse(row).instance_id;
}
