import { z } from "zod";

/** How a fleet closes its days of costs. As all of its state: fields are only added, with defaults. */

const moment = z.number();

export const closedDaysSchema = z.object({
  /** A release that knows nothing of costs leaves this out: what the tables say may be out of date then. */
  isCurrent: z.boolean(),
  /** The database of the history that keeps them; null until it is chosen. */
  shard: z.number().nullable(),
  /** Days before this are closed. */
  closedBefore: moment,
  closeAt: moment.nullable(),
  /** The history is to be asked for the totals of days before this; null: of none. */
  recallBefore: moment.nullable(),
  /** Calls of the history that have failed in a row. */
  failures: z.number(),
});

export const NO_DAYS_CLOSED: z.infer<typeof closedDaysSchema> = {
  isCurrent: false,
  shard: null,
  closedBefore: 0,
  closeAt: null,
  recallBefore: null,
  failures: 0,
};
