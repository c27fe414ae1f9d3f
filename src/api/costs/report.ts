import { z } from "zod";
import {
  costReportSchema,
  monthOf,
  reportedCosts,
  reportedHabitSchema,
  reportedMonthSchema,
  reportedPreviewSchema,
} from "../../alerts/cost-report.ts";
import { nextMonth, oldestMonth } from "../../fleet/rules/report-times.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid, issueAt, unavailable } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { startOfUtcMonth } from "../../lifecycle/model/time.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";

const monthSchema = component("MonthCosts", reportedMonthSchema);
const habitSchema = component("CostHabit", reportedHabitSchema);
const previewSchema = component("PreviewedSavings", reportedPreviewSchema);
const reportSchema = component("CostReport", costReportSchema(monthSchema, habitSchema, previewSchema));

const monthExample: z.infer<typeof monthSchema> = {
  month: "2025-10",
  cost: 700.2,
  wasted: 12,
  saved: 250,
  hours: { working: 300, idle: 20, silent: 0, hibernated: 400 },
  cost_by_use: { working: 650.2, idle: 42, silent: 0, hibernated: 8 },
  reported: 650.2,
  unpriced_hours: 0,
  hibernations: 38,
  regretted: 0,
};

const reportExample: z.infer<typeof reportSchema> = {
  month: "2025-11",
  cost: 814.4,
  wasted: 175,
  saved: 310,
  hours: { working: 250, idle: 61, silent: 9, hibernated: 720 },
  cost_by_use: { working: 625, idle: 152.5, silent: 22.5, hibernated: 14.4 },
  reported: 600,
  unpriced_hours: 0,
  hibernations: 40,
  regretted: 3,
  so_far: false,
  complete: true,
  habits: [
    { habit: "idle_past_warning", instance_id: "28864630", name: "ML Training Rig", hours: 61, cost: 152.5 },
    { habit: "silent", instance_id: "98765432", name: "Render Farm", hours: 9, cost: 22.5 },
  ],
  before: monthExample,
  previewed: {
    from: "2025-11-20T09:00:00Z",
    to: "2025-11-27T09:00:00Z",
    instances: 12,
    saved_beyond: 42.5,
    hibernated_hours_beyond: 21.3,
    interruptions: 0,
    proposal:
      "With idle 20 min at 3 % you would have kept 94 % of the savings ($88.10) and interrupted nobody.",
  },
};

const reportQuery = z.object({
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, text("must.be_month"))
    .optional()
    .describe("A UTC month, as `2025-11`; the present one without it"),
});

export class GetCostReport extends Endpoint {
  override schema = {
    operationId: "getCostReport",
    tags: ["Costs"],
    summary: "See what a month has cost, and what of it could be spared",
    description:
      "What the channels are told on the first of the next month. Of the present month it says what it has cost so far. Months are kept as long as days of costs: 400 days.",
    security: security("user"),
    request: { query: reportQuery },
    responses: {
      200: jsonResponse("The report", reportSchema, reportExample),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const month = askedMonth(query.month, Date.now());
    const report = await answerOr(fleetOf(c.env, userIdOf(c.var.principal)).costReport(month), null);
    if (report === null) throw unavailable(60);
    return c.json(reportedCosts(report));
  }
}

/** Its first instant. */
function askedMonth(asked: string | undefined, now: number): number {
  const present = startOfUtcMonth(now);
  const month = asked === undefined ? present : Date.parse(`${asked}-01T00:00:00Z`);
  const oldest = oldestMonth(now);
  if (month >= oldest && month < nextMonth(present)) return month;
  const months = { from: monthOf(oldest), to: monthOf(present) };
  throw invalid([issueAt("query.month", phrase("must.be_of_months", months))]);
}
