import { z } from "zod";
import { abilitiesOf, type ProviderKind } from "../lifecycle/model/provider.ts";
import { actorOf } from "../platform/address.ts";

/**
 * Which instance watches which machine, in D1. A machine at a provider that is called has one watcher: a second one, silent
 * under an id of its own, would stop what the first one hears.
 */

export interface Machine {
  readonly provider: ProviderKind;
  /** The provider's own id of the machine. */
  readonly ref: string;
}

/** The machine that an instance with this provider watches; null with one that nobody calls, which binds nothing. */
export function calledMachine(machine: Machine): Machine | null {
  return abilitiesOf(machine.provider).reachesSilent ? machine : null;
}

export function sameMachine(one: Machine, other: Machine): boolean {
  return one.provider === other.provider && one.ref === other.ref;
}

export type Claim =
  | {
      readonly claimed: true;
      /** False when the instance held it before. */
      readonly isNew: boolean;
      readonly claimedAt: number;
    }
  | { readonly claimed: false; readonly holder: string };

/** A claim this young may belong to a registration or a change that its actor has not heard of yet. */
const UNHEARD_MS = 60_000;

type ClaimEnv = Pick<Env, "DB" | "INSTANCES">;

/**
 * Claims the machine for the instance before its actor hears of it. An older claim that its holder's actor does not bear
 * out was left by a crash, and is taken over; of several who find it so, one gets it.
 */
export async function claimMachine(
  env: ClaimEnv,
  userId: string,
  machine: Machine,
  instanceId: string,
  now: number,
): Promise<Claim> {
  const found = await claimOrSee(env.DB, userId, machine, instanceId, now);
  if (found.holder === instanceId) return { claimed: true, ...found };
  if (found.claimedAt > now - UNHEARD_MS) return { claimed: false, holder: found.holder };
  const watched = await actorOf(env, userId, found.holder).machine();
  // Of a holder that can't be read nobody knows what it watches.
  const holds = watched !== null && (!("ref" in watched) || sameMachine(watched, machine));
  if (holds) return { claimed: false, holder: found.holder };

  await withdrawClaim(env.DB, userId, machine, found.holder, found.claimedAt);
  const second = await claimOrSee(env.DB, userId, machine, instanceId, now);
  return second.holder === instanceId
    ? { claimed: true, ...second }
    : { claimed: false, holder: second.holder };
}

const claimRow = z.object({ instance_id: z.string(), claimed_at: z.number() });

/** Takes the machine if nobody has it, claims it anew if the instance has it, and says who has it now. */
async function claimOrSee(
  db: D1Database,
  userId: string,
  { provider, ref }: Machine,
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
    // Whoever claimed it earlier for the same instance can't withdraw it any more.
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

/** Takes back a claim that came to nothing, unless it was claimed anew since. */
export async function withdrawClaim(
  db: D1Database,
  userId: string,
  { provider, ref }: Machine,
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

/** The registry's row of the instance, unless it is deleted: what it names is the instance's to hold. */
const WATCHES = `instances.user_id = machines.user_id AND instances.instance_id = machines.instance_id
  AND instances.status <> 'deleted'`;

/** Releases the machine that the instance has left for another, unless the registry shows that it is back. */
export async function releaseMachine(
  db: D1Database,
  userId: string,
  { provider, ref }: Machine,
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

/** Releases all that an instance holds whose row in the registry is gone, or says that it is deleted. */
export function releaseMachines(db: D1Database, userId: string, instanceId: string): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM machines
       WHERE user_id = ? AND instance_id = ? AND NOT EXISTS (SELECT 1 FROM instances WHERE ${WATCHES})`,
    )
    .bind(userId, instanceId);
}

/** Claims what the registry says that the instance watches, if nobody has it: a claim that was lost comes back. */
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
       WHERE user_id = ? AND instance_id = ? AND provider NOT IN ('agent', 'none') AND status <> 'deleted'`,
    )
    .bind(now, userId, instanceId);
}

const holderRow = z.object({ instance_id: z.string() });

/** The id of the instance that watches the machine; null when none does. */
export async function holderOf(db: D1Database, userId: string, machine: Machine): Promise<string | null> {
  const row = await db
    .prepare("SELECT instance_id FROM machines WHERE user_id = ? AND provider = ? AND ref = ?")
    .bind(userId, machine.provider, machine.ref)
    .first();
  return row === null ? null : holderRow.parse(row).instance_id;
}
