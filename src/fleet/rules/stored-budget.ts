import { z } from "zod";
import { AT_LIMIT, type Budget, NO_BUDGET } from "./budget.ts";

/** How a fleet's state keeps the budget, and what was asked of many at once. */

const moment = z.number();

/** The last hibernation of many: whom it was asked of, and how many that were. */
const round = z
  .object({
    askedAt: moment,
    asked: z.object({
      respectKeepAlive: z.boolean(),
      onlyIdle: z.boolean(),
      status: z.string().nullable(),
      provider: z.string().optional(),
      connection: z.string().optional(),
      tag: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
    }),
    hibernate: z.number(),
    skip: z.number(),
    savesHourly: z.number(),
    unknownRates: z.number(),
  })
  .nullable();

export const NO_ROUNDS = { kill_switch: null, budget: null };

/** By whose word: of the kill switch, and of the budget. */
export const roundsSchema = z.object({ kill_switch: round, budget: round }).default(NO_ROUNDS);

const told = z.object({ from: moment, percent: z.number(), isAllDone: z.boolean() });

const dollars = z.number().nullable();

export const budgetSchema = z
  .object({
    day: dollars,
    month: dollars,
    // What a newer version does at the limit, this one tells.
    atLimit: z.enum(AT_LIMIT).catch("alert"),
    told: z.object({ day: told, month: told }),
    lookedAt: moment,
    actedAt: moment,
    doubtedUntil: moment,
    seenRevision: z.number(),
  } satisfies { [Field in keyof Budget]: z.ZodType<Budget[Field]> })
  .default(NO_BUDGET);
