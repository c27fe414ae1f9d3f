import type { CostTotals } from "../lifecycle/model/ledger.ts";
import { readableRows } from "../lifecycle/model/stored.ts";
import { costGroupRow } from "./costs.ts";

/**
 * What a user's instances have cost from a day on, before another one, of those of these ids, and of so many others that cost the most
 * without work.
 */
export async function readCostliest(
  db: D1Database,
  userId: string,
  { from, before }: { readonly from: number; readonly before: number },
  ids: readonly string[],
  others: number,
): Promise<{ readonly instanceId: string; readonly costs: CostTotals }[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM (
         SELECT instance_id AS key, SUM(working_seconds) AS working_seconds, SUM(working) AS working,
              SUM(idle_seconds) AS idle_seconds, SUM(idle) AS idle,
              SUM(silent_seconds) AS silent_seconds, SUM(silent) AS silent,
              SUM(hibernated_seconds) AS hibernated_seconds, SUM(hibernated) AS hibernated,
              SUM(wasted) AS wasted, SUM(saved) AS saved, SUM(reported) AS reported,
              SUM(unpriced_seconds) AS unpriced_seconds, MIN(SUM(idle), MAX(0, SUM(wasted) - SUM(silent))) AS past_warning
         FROM cost_days WHERE user_id = ?1 AND day >= ?2 AND day < ?3 GROUP BY instance_id)
       ORDER BY key IN (SELECT value FROM json_each(?4)) DESC,
                MAX(past_warning, idle - past_warning, silent, hibernated) DESC, key
       LIMIT ?5`,
    )
    .bind(userId, from, before, JSON.stringify(ids), ids.length + others)
    .all();
  return readableRows(costGroupRow, results).map(({ key, costs }) => ({ instanceId: key, costs }));
}
