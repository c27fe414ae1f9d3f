import { z } from "zod";
import type { DaysOfInstance } from "../../fleet/views/day-costs.ts";
import { type DayCosts, readInstanceDays } from "../../history/instance-days.ts";
import { historyOf } from "../../history/shards.ts";
import { answerOrUnavailable } from "../../http/answered.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { DAY_MS, SECOND_MS, utcDay } from "../../lifecycle/model/time.ts";
import { fleetOf } from "../../platform/address.ts";
import { within } from "../../platform/within.ts";
import { daysOf, daysQuery } from "../costs/query.ts";
import { costsOfView, sumOfCosts } from "../costs/rows.ts";
import { amounts, totalSchema } from "../costs/schemas.ts";
import { instanceParams } from "./schemas.ts";

/** How long the history may take. */
const HISTORY_LIMIT_MS = 10 * SECOND_MS;

const daySchema = component(
  "InstanceCostDay",
  z.object({ day: z.string().describe("A UTC day, as `2025-12-31`"), ...amounts }),
);

const answerSchema = component(
  "InstanceCosts",
  z.object({
    instance_id: z.string(),
    from: z.string(),
    to: z.string(),
    days: z.array(daySchema).describe("Those of which something is known, oldest first"),
    total: totalSchema,
  }),
);

const exampleAmounts = {
  cost: 9.6,
  wasted: 0.4,
  saved: 1.95,
  hours: { working: 18, idle: 1, silent: 0, hibernated: 5 },
  cost_by_use: { working: 9.07, idle: 0.5, silent: 0, hibernated: 0.03 },
  reported: 0,
  unpriced_hours: 0,
};

export class GetInstanceCosts extends Endpoint {
  override schema = {
    operationId: "getInstanceCosts",
    tags: ["Costs"],
    summary: "See what one instance has cost on each day",
    description:
      "Days are UTC; what is not closed yet, today above all, is counted up to this moment. Days of an instance that was removed can be read until they expire.",
    security: security("user"),
    request: { params: instanceParams, query: daysQuery },
    responses: {
      200: jsonResponse("Its days", answerSchema, {
        instance_id: "28864630",
        from: "2025-12-19",
        to: "2025-12-19",
        days: [{ day: "2025-12-19", ...exampleAmounts }],
        total: exampleAmounts,
      }),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const range = daysOf(query, Date.now());
    const userId = userIdOf(c.var.principal);
    const recent = await answerOrUnavailable<DaysOfInstance>(
      fleetOf(c.env, userId).daysOfInstance(params.id, range),
    );
    const { shard, knownBefore, isListed } = recent;
    const kept = { from: range.from, before: Math.min(range.before, knownBefore) };
    const earlier: readonly DayCosts[] =
      shard === null || kept.from >= kept.before
        ? []
        : await within(HISTORY_LIMIT_MS, readInstanceDays(historyOf(c.env, shard), userId, params.id, kept));
    const days = [...earlier, ...recent.days];
    if (!isListed && days.length === 0) throw notFound();
    return c.json({
      instance_id: params.id,
      from: utcDay(range.from),
      to: utcDay(range.before - DAY_MS),
      days: days.map(({ day, costs }) => ({ day: utcDay(day), ...costsOfView(costs) })),
      total: costsOfView(sumOfCosts(days)),
    });
  }
}
