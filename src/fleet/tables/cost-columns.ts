import { z } from "zod";
import type { CostTotals } from "../../lifecycle/model/ledger.ts";
import { HOUR_MS } from "../../lifecycle/model/time.ts";

/** Costs as the columns of a row, in milliseconds and dollars. */

const totalsObject = z.object({
  working_ms: z.number(),
  working: z.number(),
  idle_ms: z.number(),
  idle: z.number(),
  silent_ms: z.number(),
  silent: z.number(),
  hibernated_ms: z.number(),
  hibernated: z.number(),
  wasted: z.number(),
  saved: z.number(),
  reported: z.number(),
  unpriced_ms: z.number(),
});

export type TotalsRow = z.infer<typeof totalsObject>;

export const totalsRow = totalsObject.transform(
  (row): CostTotals => ({
    working: { ms: row.working_ms, dollars: row.working },
    idle: { ms: row.idle_ms, dollars: row.idle },
    silent: { ms: row.silent_ms, dollars: row.silent },
    hibernated: { ms: row.hibernated_ms, dollars: row.hibernated },
    wasted: row.wasted,
    saved: row.saved,
    reported: row.reported,
    unpricedMs: row.unpriced_ms,
  }),
);

/** The values of the columns, in their order. */
export function totalsColumns({ working, idle, silent, hibernated, ...costs }: CostTotals): number[] {
  return [
    ...[working, idle, silent, hibernated].flatMap(({ ms, dollars }) => [ms, dollars]),
    costs.wasted,
    costs.saved,
    costs.reported,
    costs.unpricedMs,
  ];
}

/** The names of the columns, in their order. */
export const COST_COLUMNS = `working_ms, working, idle_ms, idle, silent_ms, silent, hibernated_ms, hibernated, wasted, saved,
  reported, unpriced_ms`;

/** For an upsert: takes all columns over from the new row. */
export const REPLACED_COSTS = `
  working_ms = excluded.working_ms, working = excluded.working, idle_ms = excluded.idle_ms, idle = excluded.idle,
  silent_ms = excluded.silent_ms, silent = excluded.silent, hibernated_ms = excluded.hibernated_ms,
  hibernated = excluded.hibernated, wasted = excluded.wasted, saved = excluded.saved, reported = excluded.reported,
  unpriced_ms = excluded.unpriced_ms`;

/** What a rate comes to in `ms`: dollars. */
export const DOLLARS_OF_TIME = `ms * COALESCE(rate, 0) / ${HOUR_MS}.0`;

/** The columns of rows with a use, its `ms` and its `dollars`, of which nothing was reported. */
export const COSTS_OF_TIME = `
  iif(use = 'working', ms, 0) AS working_ms, iif(use = 'working', dollars, 0) AS working,
  iif(use = 'idle', ms, 0) AS idle_ms, iif(use = 'idle', dollars, 0) AS idle,
  iif(use = 'silent', ms, 0) AS silent_ms, iif(use = 'silent', dollars, 0) AS silent,
  iif(use = 'hibernated', ms, 0) AS hibernated_ms, iif(use = 'hibernated', dollars, 0) AS hibernated,
  iif(is_wasted, dollars, 0) AS wasted, hourly_saving * ms / ${HOUR_MS}.0 AS saved, 0 AS reported,
  iif(rate IS NULL, ms, 0) AS unpriced_ms`;
