import { z } from "zod";

/** What a fleet keeps for the monthly report of costs. As all of its state: fields are only added, with defaults. */

const moment = z.number();

export const countedMonthsSchema = z.object({
  since: moment.nullable(),
  months: z.array(z.object({ month: moment, hibernations: z.number(), regretted: z.number() })).readonly(),
});

export const reportsSchema = z.object({
  /** Months that begin before this are told, or never will be; null: the fleet has had no instance. */
  toldBefore: moment.nullable(),
  /** Tries of the one that is due that have failed in a row. */
  failures: z.number(),
});

export const NONE_REPORTED: z.infer<typeof reportsSchema> = { toldBefore: null, failures: 0 };
