import { z } from "zod";
import { orphanOf } from "../lifecycle/model/phase.ts";
import type { PolicyOverrides } from "../lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../lifecycle/model/provider.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { jsonText, openEnum, readableRows, storedOverridesSchema } from "../lifecycle/model/stored.ts";
import { silentSince } from "../lifecycle/rules/outage-guard.ts";

/** The registry in D1: which instances a user has. Only an instance's own actor writes its row. */

interface Registered {
  readonly userId: string;
  readonly instanceId: string;
  readonly overrides: PolicyOverrides;
  readonly state: InstanceState;
}

/** Brings the row up to date. An older revision that arrives late changes nothing. */
export function upsertInstance(db: D1Database, stored: Registered): D1PreparedStatement {
  const { profile, phase, nextEffectId } = stored.state;
  return db
    .prepare(
      `INSERT INTO instances (user_id, instance_id, name, provider, hourly_cost, hibernated_hourly_cost,
                              provider_ref, policy, status, registered_at, orphaned_since, silent_since, revision)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (user_id, instance_id) DO UPDATE SET
         name = excluded.name, provider = excluded.provider, hourly_cost = excluded.hourly_cost,
         hibernated_hourly_cost = excluded.hibernated_hourly_cost, provider_ref = excluded.provider_ref, policy = excluded.policy,
         status = excluded.status, registered_at = excluded.registered_at,
         orphaned_since = excluded.orphaned_since, silent_since = excluded.silent_since, revision = excluded.revision
       WHERE excluded.revision >= instances.revision`,
    )
    .bind(
      stored.userId,
      stored.instanceId,
      profile.name,
      profile.provider,
      profile.hourlyCost,
      profile.hibernatedHourlyCost,
      profile.providerRef,
      JSON.stringify(stored.overrides),
      phase.status,
      profile.registeredAt,
      orphanOf(phase)?.since ?? null,
      silentSince(stored.state),
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
  provider: openEnum<ProviderKind>(),
  policy: jsonText(storedOverridesSchema),
});

/** Each combination of provider and own overrides among the user's instances, with one instance that has it. */
export async function listOverrides(
  db: D1Database,
  userId: string,
): Promise<{ instanceId: string; provider: ProviderKind; overrides: PolicyOverrides }[]> {
  const { results } = await db
    .prepare(
      `SELECT MIN(instance_id) AS instance_id, provider, policy FROM instances
       WHERE user_id = ? AND status <> 'deleted' GROUP BY provider, policy`,
    )
    .bind(userId)
    .all();
  return readableRows(overridesRow, results).map((row) => ({
    instanceId: row.instance_id,
    provider: row.provider,
    overrides: row.policy,
  }));
}

export async function hasInstanceOf(
  db: D1Database,
  userId: string,
  provider: ProviderKind,
): Promise<boolean> {
  const row = await db
    .prepare("SELECT 1 FROM instances WHERE user_id = ? AND provider = ? AND status <> 'deleted' LIMIT 1")
    .bind(userId, provider)
    .first();
  return row !== null;
}

export interface InstancePlace {
  readonly userId: string;
  readonly instanceId: string;
}

/** Instances of all users that the daily cleanup visits, after `after` in the order of the key. */
export async function listToVisit(
  db: D1Database,
  after: InstancePlace | null,
  limit: number,
): Promise<InstancePlace[]> {
  const { results } = await db
    .prepare(
      // One that rests, hibernated for idleness or deleted, is left alone: it must cost nothing.
      `SELECT user_id, instance_id FROM instances
       WHERE (user_id, instance_id) > (?, ?)
         AND status NOT IN ('deleted', 'pending') AND NOT (status = 'hibernated' AND orphaned_since IS NULL)
       ORDER BY user_id, instance_id LIMIT ?`,
    )
    .bind(after?.userId ?? "", after?.instanceId ?? "", limit)
    .all<{ user_id: string; instance_id: string }>();
  return results.map((row) => ({ userId: row.user_id, instanceId: row.instance_id }));
}
