import { z } from "zod";
import { DELETED_LISTED_MS } from "../../lifecycle/model/policy.ts";
import { DAY_MS } from "../../lifecycle/model/time.ts";
import type { Listed } from "../report.ts";
import { REGISTERED_WITHIN_MS } from "./admissions.ts";
import { visitRow } from "./registry.ts";

/** Which instances of the registry the daily cleanup visits. */

/** An instance that has come to rest is visited for this long: at least once, by a cleanup that runs daily. */
const RESTING_VISITED_MS = 2 * DAY_MS;

/** A deleted instance is visited again after this long: by then its own alarm should have taken it out. */
const DELETED_VISITED_MS = DELETED_LISTED_MS + DAY_MS;

/**
 * Instances after `after` that are to be visited. One that has rested for two days, hibernated for idleness or deleted, is left
 * alone: it must cost nothing. Until then it is visited: something may wait there whose alarm was lost. So is a deleted one that
 * should have left, and one that was admitted and has not reported.
 */
export function instancesToVisit(sql: SqlStorage, after: string, limit: number, now: number): Listed[] {
  const rows = sql.exec(
    `SELECT instance_id, revision FROM instances
     WHERE instance_id > ?1
       AND (as_of > ?2 OR status = 'deleted' AND as_of <= ?3
            OR NOT (status IN ('deleted', 'pending') OR status = 'hibernated' AND orphaned_since IS NULL))
     UNION ALL
     SELECT instance_id, NULL FROM admissions WHERE instance_id > ?1 AND admitted_at <= ?4
     ORDER BY instance_id LIMIT ?5`,
    after,
    now - RESTING_VISITED_MS,
    now - DELETED_VISITED_MS,
    now - REGISTERED_WITHIN_MS,
    limit,
  );
  return z.array(visitRow).parse(rows.toArray());
}
