import { z } from "zod";
import { type PolicyOverrides, policyOverridesSchema } from "../lifecycle/policy.ts";
import { orphanOf } from "../lifecycle/state.ts";
import type { StoredInstance } from "./storage.ts";

/** The registry in D1: which instances a user has. Only an instance's own actor writes its row. */

/** Brings the row up to date. An older revision that arrives late changes nothing. */
export function upsertInstance(db: D1Database, stored: StoredInstance): D1PreparedStatement {
  const { profile, phase, nextEffectId } = stored.state;
  return db
    .prepare(
      `INSERT INTO instances (user_id, instance_id, name, provider, hourly_cost, hibernated_hourly_cost,
                              policy, status, registered_at, orphaned_since, revision)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (user_id, instance_id) DO UPDATE SET
         name = excluded.name, provider = excluded.provider, hourly_cost = excluded.hourly_cost,
         hibernated_hourly_cost = excluded.hibernated_hourly_cost, policy = excluded.policy,
         status = excluded.status, registered_at = excluded.registered_at,
         orphaned_since = excluded.orphaned_since, revision = excluded.revision
       WHERE excluded.revision >= instances.revision`,
    )
    .bind(
      stored.userId,
      stored.instanceId,
      profile.name,
      profile.provider,
      profile.hourlyCost,
      profile.hibernatedHourlyCost,
      JSON.stringify(stored.overrides),
      phase.status,
      profile.registeredAt,
      orphanOf(phase)?.since ?? null,
      nextEffectId,
    );
}

export function deleteInstance(db: D1Database, userId: string, instanceId: string): D1PreparedStatement {
  return db.prepare("DELETE FROM instances WHERE user_id = ? AND instance_id = ?").bind(userId, instanceId);
}

const idRow = z.object({ instance_id: z.string() });

/** Ids of the user's instances after `after`, in order; at most `limit`. */
export async function listInstanceIds(
  db: D1Database,
  userId: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      "SELECT instance_id FROM instances WHERE user_id = ? AND instance_id > ? ORDER BY instance_id LIMIT ?",
    )
    .bind(userId, after, limit)
    .all();
  return z
    .array(idRow)
    .parse(results)
    .map((row) => row.instance_id);
}

/** Whether the user has such an instance. */
export async function isRegistered(db: D1Database, userId: string, instanceId: string): Promise<boolean> {
  const row = await db
    .prepare("SELECT 1 AS found FROM instances WHERE user_id = ? AND instance_id = ?")
    .bind(userId, instanceId)
    .first();
  return row !== null;
}

const overridesRow = z.object({
  instance_id: z.string(),
  policy: z.string().transform((text) => policyOverridesSchema.parse(JSON.parse(text))),
});

/** The user's instances that have overrides of their own, and these. */
export async function listOverrides(
  db: D1Database,
  userId: string,
): Promise<{ instanceId: string; overrides: PolicyOverrides }[]> {
  const { results } = await db
    .prepare("SELECT instance_id, policy FROM instances WHERE user_id = ? AND policy <> '{}'")
    .bind(userId)
    .all();
  return z
    .array(overridesRow)
    .parse(results)
    .map((row) => ({ instanceId: row.instance_id, overrides: row.policy }));
}
