import { z } from "zod";
import {
  type CostTotals,
  type DayCosts,
  type Ledger,
  type Span,
  type Spent,
  USES,
} from "../../lifecycle/model/ledger.ts";
import { exactly } from "./fields.ts";

/** What the ledger of a stored state must be. */

const number = z.number();

const spent = exactly<Spent>({ ms: number, dollars: number });

const costTotals = {
  working: spent,
  idle: spent,
  silent: spent,
  hibernated: spent,
  wasted: number,
  saved: number,
  reported: number,
  unpricedMs: number,
} satisfies { [Key in keyof CostTotals]: z.ZodType<CostTotals[Key]> };

export const ledgerSchema = exactly<Ledger>({
  since: number,
  until: number,
  open: z.array(
    exactly<Span>({
      use: z.enum(USES),
      isWasted: z.boolean(),
      from: number,
      until: number,
      hourlyCost: number.nullable(),
      hourlySaving: number,
    }),
  ),
  settledUnreportedMs: number,
  reported: exactly<NonNullable<Ledger["reported"]>>({ at: number, accumulated: number }).nullable(),
  learnt: spent,
  wastedBefore: number.optional(),
  days: z.array(exactly<DayCosts>({ ...costTotals, day: number })),
  earlier: exactly<CostTotals>(costTotals),
});
