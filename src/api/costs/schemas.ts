import { z } from "zod";
import { component } from "../../http/openapi.ts";
import { USES } from "../../lifecycle/model/ledger.ts";
import type { ForecastView } from "../../lifecycle/views/forecast.ts";
import { instant } from "../instances/instant.ts";
import { GROUPINGS } from "./query.ts";
import type { CostRow, CostsOfView } from "./rows.ts";

/** The shapes of the answer, with an example. */

const byUse = (what: string) =>
  z
    .object({ working: z.number(), idle: z.number(), silent: z.number(), hibernated: z.number() })
    .describe(what);

export const amounts = {
  cost: z.number().describe("Dollars"),
  wasted: z.number().describe("Of the cost: while idle past the warning, orphaned, or never heard"),
  saved: z.number().describe("What confirmed hibernation has saved, in dollars"),
  hours: byUse("Hours, by what the machines did"),
  cost_by_use: byUse("The same in dollars"),
  reported: z
    .number()
    .describe("Of the cost: what machines have reported; the rest is their price times the time"),
  unpriced_hours: z
    .number()
    .describe("Hours of machines without a known price, of which `cost` says nothing"),
};

export const totalSchema = component("CostTotal", z.object(amounts) satisfies z.ZodType<CostsOfView>);

const rowSchema = component(
  "CostRow",
  z.object({
    key: z
      .string()
      .describe(
        "A day (`2025-12-31`), an instance, a provider, the value of the tag (empty: it has none), or a use",
      ),
    ...amounts,
    wasted: z.number().nullable().describe("By status null where it is not known apart"),
    reported: z.number().nullable().describe("As `wasted`"),
    unpriced_hours: z.number().nullable().describe("As `wasted`"),
  }) satisfies z.ZodType<CostRow>,
);

const wastingSchema = component(
  "WastingInstance",
  z.object({
    instance_id: z.string(),
    name: z.string(),
    rate: z.number().nullable().describe("Dollars an hour; null while it is unknown"),
    use: z.string().describe(USES.map((use) => `\`${use}\``).join(", ")),
    wasted_today: z.number(),
  }),
);

const nowSchema = component(
  "CostsNow",
  z.object({
    at: instant,
    rate: z.number().describe("Dollars an hour of all instances whose rate is known"),
    unknown_rates: z
      .number()
      .int()
      .describe("How many instances have no known rate: nobody knows what they cost"),
    wasted_rate: z.number().describe("The part of the rate that is wasted"),
    wasting: z.array(wastingSchema).describe("The 20 dearest instances that waste money"),
  }),
);

export const forecastSchema = component(
  "CostForecast",
  z.object({
    month: z.string().describe("The UTC month: `2025-12`"),
    cost: z.number().describe("What it will have cost, in dollars"),
    method: z.string().describe("How that was reckoned, as a sentence"),
    spent: z.number().describe("What of it was spent so far"),
    daily: z.number().describe("What each of the days that remain is taken to cost"),
    days_left: z.number(),
    closed_days: z
      .number()
      .describe("Of so many closed days `daily` is the mean; of none: the present rate's"),
    unknown_rates: z.number().describe("How many instances it leaves out, since nobody knows what they cost"),
  }) satisfies z.ZodType<ForecastView>,
);

const costsSchema = component(
  "Costs",
  z.object({
    from: z.string(),
    to: z.string(),
    by: z.enum(GROUPINGS),
    rows: z.array(rowSchema).readonly(),
    total: totalSchema,
    now: nowSchema,
    forecast: z
      .union([forecastSchema, z.null()])
      .describe("Of this month; null while nothing is known that it could go by"),
    next_cursor: z.string().nullable(),
  }),
);

export type CostsAnswer = z.infer<typeof costsSchema>;

const totalExample: z.infer<typeof totalSchema> = {
  cost: 10.99,
  wasted: 1.2,
  saved: 3.51,
  hours: { working: 24, idle: 3, silent: 0, hibernated: 9 },
  cost_by_use: { working: 9.6, idle: 1.3, silent: 0, hibernated: 0.09 },
  reported: 9.6,
  unpriced_hours: 0,
};

const costsExample: CostsAnswer = {
  from: "2025-12-01",
  to: "2025-12-19",
  by: "instance",
  rows: [{ key: "28864630", ...totalExample }],
  total: totalExample,
  now: {
    at: "2025-12-19T03:25:30Z",
    rate: 12.4,
    unknown_rates: 0,
    wasted_rate: 0.4,
    wasting: [{ instance_id: "98765432", name: "Render Farm", rate: 0.4, use: "silent", wasted_today: 1.32 }],
  },
  forecast: {
    month: "2025-12",
    cost: 3900.15,
    method:
      "$96.20 so far, and for each of the 12.9 days that remain the $294.88 that each of the last 7 closed days has cost on average.",
    spent: 96.2,
    daily: 294.88,
    days_left: 12.9,
    closed_days: 7,
    unknown_rates: 0,
  },
  next_cursor: null,
};

const CSV_EXAMPLE =
  "instance,cost,wasted,saved,hours_working,hours_idle,hours_silent,hours_hibernated,cost_working,cost_idle,cost_silent,cost_hibernated,reported,unpriced_hours\r\n" +
  "28864630,10.99,1.2,3.51,24,3,0,9,9.6,1.3,0,0.09,9.6,0\r\n";

export const costsResponse = {
  description: "The costs",
  content: {
    "application/json": { schema: costsSchema, example: costsExample },
    "text/csv": { schema: z.string(), example: CSV_EXAMPLE },
  },
};
