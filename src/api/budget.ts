import { z } from "zod";
import type { BudgetNow } from "../fleet/budget.ts";
import { AT_LIMIT, isExceeded, PERIODS } from "../fleet/rules/budget.ts";
import { answerOrUnavailable } from "../http/answered.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import { roundDollars } from "../lifecycle/model/dollars.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { fleetOf } from "../platform/address.ts";
import { forecastSchema } from "./costs/schemas.ts";
import { instant } from "./instances/instant.ts";

/** What a user may spend, and what is done when it is spent. */

/** In dollars. Less than a cent is no sum that anybody means: a fraction of it is reached before anything costs money. */
const limit = z.number().min(0.01).max(1e9).nullable();

const settingsSchema = component(
  "BudgetSettings",
  z.strictObject({
    day: limit.default(null).describe("Dollars a UTC day; null: no limit"),
    month: limit.default(null).describe("Dollars a UTC month; null: no limit"),
    at_limit: z
      .enum(AT_LIMIT)
      .default("alert")
      .describe(
        "What is done once a limit is used up, beside the alert. `hibernate_idle`: those that are idle are hibernated, then and later in the period; those that work go on, and are named in the alert. `hibernate_all`: all are, once; then as `hibernate_idle`. A keep-alive holds either back",
      ),
  }),
);

const dollarsOrNull = z.number().nullable();
const instantOrNull = instant.nullable();

const budgetSchema = component(
  "Budget",
  z.object({
    day: dollarsOrNull,
    month: dollarsOrNull,
    at_limit: z.enum(AT_LIMIT),
    spent_today: z.number().describe("Dollars since 00:00 UTC, of instances whose price is known"),
    spent_this_month: z.number(),
    rate: z.number().describe("Dollars an hour now"),
    unknown_rates: z.number().describe("Instances of which nobody knows what they cost: they are in no sum"),
    forecast: z.union([forecastSchema, z.null()]).describe("Of this month, as in the costs"),
    exceeded: z.array(z.enum(PERIODS)).describe("Which limits are used up"),
    breaks_at: instantOrNull.describe(
      "When the rate of now uses up the first limit within its period; null where it does not, or has",
    ),
    day_breaks_at: instantOrNull,
    month_breaks_at: instantOrNull,
  }),
);

const example: z.infer<typeof budgetSchema> = {
  day: 50,
  month: 1000,
  at_limit: "hibernate_idle",
  spent_today: 21.4,
  spent_this_month: 812.55,
  rate: 2.9,
  unknown_rates: 0,
  forecast: {
    month: "2025-12",
    cost: 1290.3,
    method:
      "$812.55 so far, and for each of the 12.9 days that remain the $37.03 that each of the last 7 closed days has cost on average.",
    spent: 812.55,
    daily: 37.03,
    days_left: 12.9,
    closed_days: 7,
    unknown_rates: 0,
  },
  exceeded: [],
  breaks_at: "2025-12-19T13:17:29Z",
  day_breaks_at: "2025-12-19T13:17:29Z",
  month_breaks_at: "2025-12-21T20:04:08Z",
};

const DESCRIPTION =
  "Each limit is told at 50, 80 and 100 % (`budget_reached`), once a period; the last one critically. A limit that is raised is told anew only as far as it is reached after that.";

export class GetBudget extends Endpoint {
  override schema = {
    operationId: "getBudget",
    tags: ["Costs"],
    summary: "See the budget, and what is spent of it",
    security: security("user"),
    responses: {
      200: jsonResponse("The budget", budgetSchema, example),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const budget = await answerOrUnavailable<BudgetNow>(fleetOf(c.env, userIdOf(c.var.principal)).budget());
    return c.json(budgetView(budget));
  }
}

export class PutBudget extends Endpoint {
  override schema = {
    operationId: "putBudget",
    tags: ["Costs"],
    summary: "Replace the budget",
    description: DESCRIPTION,
    security: security("user"),
    request: { body: jsonBody(settingsSchema, { day: 50, month: 1000, at_limit: "hibernate_idle" }) },
    responses: {
      200: jsonResponse("The budget", budgetSchema, example),
      ...errorResponses(400, 401, 403, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { day, month, at_limit: atLimit } = body;
    const budget = await answerOrUnavailable<BudgetNow>(
      fleetOf(c.env, userIdOf(c.var.principal)).setBudget({ day, month, atLimit }),
    );
    return c.json(budgetView(budget));
  }
}

function budgetView({
  day,
  month,
  atLimit,
  spent,
  breaksAt,
  forecast,
}: BudgetNow): z.infer<typeof budgetSchema> {
  const moments = PERIODS.flatMap((period) => breaksAt[period] ?? []);
  const iso = (moment: number | null) => (moment === null ? null : toIso(moment));
  return {
    day,
    month,
    at_limit: atLimit,
    spent_today: roundDollars(spent.day),
    spent_this_month: roundDollars(spent.month),
    rate: roundDollars(spent.rate),
    unknown_rates: spent.unknownRates,
    forecast,
    exceeded: PERIODS.filter((period) => isExceeded({ day, month }, spent, period)),
    breaks_at: moments.length === 0 ? null : toIso(Math.min(...moments)),
    day_breaks_at: iso(breaksAt.day),
    month_breaks_at: iso(breaksAt.month),
  };
}
