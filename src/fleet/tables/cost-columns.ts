import { z } from "zod";
import type { CostTotals } from "../../lifecycle/model/ledger.ts";

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
