import { z } from "zod";
import { jsonText, readableRows } from "../../lifecycle/model/stored.ts";
import type { ComparedRow } from "../report.ts";

/** Rows of the registry as their instances compare them with themselves. */

const comparedRow = z
  .object({
    instance_id: z.string(),
    revision: z.number(),
    registered_at: z.number(),
    name: z.string(),
    provider: z.string(),
    provider_ref: z.string().nullable(),
    status: z.string(),
    orphaned_since: z.number().nullable(),
    silent_since: z.number().nullable(),
    overrides: jsonText(z.unknown()).catch(null),
  })
  .transform(
    (row): ComparedRow => ({
      instanceId: row.instance_id,
      revision: row.revision,
      says: JSON.stringify([
        row.registered_at,
        row.name,
        row.provider,
        row.provider_ref,
        row.status,
        row.orphaned_since,
        row.silent_since,
        row.overrides,
      ]),
    }),
  );

const COLUMNS = `instance_id, revision, registered_at, name, provider, provider_ref, status, orphaned_since,
  silent_since, overrides`;

/** Rows after `after`, in the order of their ids. */
export function comparedAfter(sql: SqlStorage, after: string, limit: number): ComparedRow[] {
  const rows = sql.exec(
    `SELECT ${COLUMNS} FROM instances WHERE instance_id > ? ORDER BY instance_id LIMIT ?`,
    after,
    limit,
  );
  return readableRows(comparedRow, rows.toArray());
}

/** Those of these instances that are listed. */
export function comparedAmong(sql: SqlStorage, instanceIds: readonly string[]): ComparedRow[] {
  const rows = sql.exec(
    `SELECT ${COLUMNS} FROM instances
     WHERE instance_id IN (SELECT value FROM json_each(?)) ORDER BY instance_id`,
    JSON.stringify(instanceIds),
  );
  return readableRows(comparedRow, rows.toArray());
}

/** Who holds machines: ids after `after`, in order. */
export function claimantsAfter(sql: SqlStorage, after: string, limit: number): string[] {
  return sql
    .exec<{ instance_id: string }>(
      `SELECT DISTINCT instance_id FROM machines INDEXED BY machines_by_instance
       WHERE instance_id > ? ORDER BY instance_id LIMIT ?`,
      after,
      limit,
    )
    .toArray()
    .map(({ instance_id }) => instance_id);
}
