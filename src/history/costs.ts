import { z } from "zod";
import type { CostTotals } from "../lifecycle/model/ledger.ts";
import { type Found, readFound } from "../lifecycle/model/stored.ts";
import { DAY_MS, SECOND_MS } from "../lifecycle/model/time.ts";

/** What each instance has cost on each UTC day that is over. All days of a user stand in one database. */

/** Days are kept for this long. */
export const COST_DAYS_KEPT_MS = 400 * DAY_MS;

/** What an instance has cost on a day. */
export interface CostDay {
  /** Its first instant. */
  readonly day: number;
  readonly instanceId: string;
  readonly costs: CostTotals;
  readonly provider: string;
  /** JSON. */
  readonly tags: string;
  /** When that was reckoned. */
  readonly closedAt: number;
}

/** Keeps days of a user, in one statement. One that is there is replaced, unless it was reckoned later. */
export async function keepCostDays(db: D1Database, userId: string, days: readonly CostDay[]): Promise<void> {
  const rows = days.map(({ day, instanceId, costs, provider, tags, closedAt }) => [
    day,
    instanceId,
    ...columnsOf(costs),
    provider,
    tags,
    closedAt,
  ]);
  await db
    .prepare(
      `INSERT INTO cost_days (user_id, day, instance_id, working_seconds, working, idle_seconds, idle,
                              silent_seconds, silent, hibernated_seconds, hibernated, wasted, saved, reported,
                              unpriced_seconds, provider, tags, closed_at)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
              value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
              value ->> 16
       FROM json_each(?2) WHERE true
       ON CONFLICT DO UPDATE SET
         working_seconds = excluded.working_seconds, working = excluded.working,
         idle_seconds = excluded.idle_seconds, idle = excluded.idle,
         silent_seconds = excluded.silent_seconds, silent = excluded.silent,
         hibernated_seconds = excluded.hibernated_seconds, hibernated = excluded.hibernated,
         wasted = excluded.wasted, saved = excluded.saved, reported = excluded.reported,
         unpriced_seconds = excluded.unpriced_seconds, provider = excluded.provider, tags = excluded.tags,
         closed_at = excluded.closed_at
       WHERE excluded.closed_at >= cost_days.closed_at`,
    )
    .bind(userId, JSON.stringify(rows))
    .run();
}

function columnsOf({ working, idle, silent, hibernated, ...costs }: CostTotals): number[] {
  return [
    ...[working, idle, silent, hibernated].flatMap(({ ms, dollars }) => [ms / SECOND_MS, dollars]),
    costs.wasted,
    costs.saved,
    costs.reported,
    costs.unpricedMs / SECOND_MS,
  ];
}

/** What the costs of days are grouped by. Days have their first instant for a key. */
export type CostGrouping =
  | { readonly by: "day" | "instance" | "provider" }
  /** By the value of this tag; the key is empty where an instance has none. */
  | { readonly by: "tag"; readonly tag: string };

/** UTC days from `from` on, before `before`: both the first instants of days. */
export interface DayRange {
  readonly from: number;
  readonly before: number;
}

/** Groups in the order of their keys, those after `after`. */
export interface GroupPage {
  readonly after: string | null;
  readonly limit: number;
}

/** What everything of one key has cost. */
export interface CostGroup {
  readonly key: string;
  readonly costs: CostTotals;
}

/** Costs as the columns of `cost_days`, by their names. */
export const costFigures = {
  working_seconds: z.number(),
  working: z.number(),
  idle_seconds: z.number(),
  idle: z.number(),
  silent_seconds: z.number(),
  silent: z.number(),
  hibernated_seconds: z.number(),
  hibernated: z.number(),
  wasted: z.number(),
  saved: z.number(),
  reported: z.number(),
  unpriced_seconds: z.number(),
};

export const costGroupRow = z.object({ key: z.string(), ...costFigures }).transform(
  (row): CostGroup => ({
    key: row.key,
    costs: {
      working: { ms: row.working_seconds * SECOND_MS, dollars: row.working },
      idle: { ms: row.idle_seconds * SECOND_MS, dollars: row.idle },
      silent: { ms: row.silent_seconds * SECOND_MS, dollars: row.silent },
      hibernated: { ms: row.hibernated_seconds * SECOND_MS, dollars: row.hibernated },
      wasted: row.wasted,
      saved: row.saved,
      reported: row.reported,
      unpricedMs: row.unpriced_seconds * SECOND_MS,
    },
  }),
);

const keyOf = z.object({ key: z.string() }).transform(({ key }) => key);

/** The key of a row of a day, as SQL: the same where the fleet keeps days. ?4 is the key of the tag. */
export const COST_KEYS = {
  // As a text that sorts as the days do.
  day: "printf('%014d', day)",
  instance: "instance_id",
  provider: "provider",
  tag: `COALESCE(tags ->> ('$."' || ?4 || '"'), '')`,
} as const satisfies Record<CostGrouping["by"], string>;

/** What a user's instances have cost on these days: a page of groups. */
export async function readCostDays(
  db: D1Database,
  userId: string,
  { from, before }: DayRange,
  grouping: CostGrouping,
  { after, limit }: GroupPage,
): Promise<Found<CostGroup, string>> {
  const tag = grouping.by === "tag" ? grouping.tag : "";
  const { results } = await db
    .prepare(
      `SELECT ${COST_KEYS[grouping.by]} AS key, SUM(working_seconds) AS working_seconds, SUM(working) AS working,
              SUM(idle_seconds) AS idle_seconds, SUM(idle) AS idle,
              SUM(silent_seconds) AS silent_seconds, SUM(silent) AS silent,
              SUM(hibernated_seconds) AS hibernated_seconds, SUM(hibernated) AS hibernated,
              SUM(wasted) AS wasted, SUM(saved) AS saved, SUM(reported) AS reported,
              SUM(unpriced_seconds) AS unpriced_seconds
       FROM cost_days
       WHERE user_id = ?1 AND day >= ?2 AND day < ?3 AND (?5 IS NULL OR ${COST_KEYS[grouping.by]} > ?5)
       GROUP BY 1 ORDER BY 1 LIMIT ?6`,
    )
    .bind(userId, from, before, tag, after, limit)
    .all();
  return readFound(costGroupRow, keyOf, results, limit);
}
