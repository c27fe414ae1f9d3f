import { readableRows } from "../lifecycle/model/stored.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { type CostGroup, costGroupRow, type DayRange } from "./costs.ts";

/** What one instance has cost on each of these days, oldest first. Its days lie among those of all others: each is looked up. */
export async function readInstanceDays(
  db: D1Database,
  userId: string,
  instanceId: string,
  { from, before }: DayRange,
): Promise<readonly DayCosts[]> {
  const days = Array.from({ length: Math.max(0, (before - from) / DAY_MS) }, (_, day) => from + day * DAY_MS);
  const { results } = await db
    .prepare(
      `SELECT CAST(day AS TEXT) AS key, working_seconds, working, idle_seconds, idle, silent_seconds, silent,
              hibernated_seconds, hibernated, wasted, saved, reported, unpriced_seconds
       FROM json_each(?3) AS asked CROSS JOIN cost_days
       WHERE user_id = ?1 AND day = asked.value AND instance_id = ?2 ORDER BY day`,
    )
    .bind(userId, instanceId, JSON.stringify(days))
    .all();
  return readableRows(dayRow, results);
}

/** A day by its first instant. */
export interface DayCosts {
  readonly day: number;
  readonly costs: CostGroup["costs"];
}

const dayRow = costGroupRow.transform(({ key, costs }): DayCosts => ({ day: Number(key), costs }));
