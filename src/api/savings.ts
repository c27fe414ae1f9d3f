import { z } from "zod";
import { listInstanceIds } from "../fleet/registry.ts";
import { security, userIdOf } from "../http/authenticate.ts";
import { encodeText, idCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint, errorResponses, jsonResponse } from "../http/endpoint.ts";
import { askActors } from "../instance/ask.ts";
import { isReadable } from "../instance/outcomes.ts";
import { roundDollars } from "../lifecycle/model/counters.ts";

const savedFields = {
  saved_this_month: z.number().describe("Dollars, this UTC month"),
  saved_total: z.number().describe("Dollars, ever"),
  hibernated_seconds_this_month: z.number(),
  hibernated_seconds_total: z.number(),
};

const COMPUTED =
  "Hours of hibernation that were confirmed, times (hourly_cost - hibernated_hourly_cost). An instance without an hourly cost claims nothing.";

export class GetSavings extends Endpoint {
  override schema = {
    operationId: "getSavings",
    tags: ["Savings"],
    summary: "See what hibernation has saved",
    description: "`in_all` sums the instances of this page.",
    security: security("user"),
    request: {
      query: z.object({
        limit: z.coerce.number().int().min(1).max(1000).default(1000),
        cursor: idCursor.optional(),
      }),
    },
    responses: {
      200: jsonResponse(
        "The savings",
        z.object({
          in_all: z.object(savedFields),
          instances: z.array(z.object({ instance_id: z.string(), name: z.string(), ...savedFields })),
          unreadable: z.number().describe("Instances left out because what is stored of them cannot be read"),
          computed: z.string(),
          next_cursor: z.string().nullable(),
        }),
        {
          in_all: {
            saved_this_month: 142.35,
            saved_total: 285.09,
            hibernated_seconds_this_month: 1_314_000,
            hibernated_seconds_total: 2_631_600,
          },
          instances: [
            {
              instance_id: "28864630",
              name: "ML Training Rig",
              saved_this_month: 142.35,
              saved_total: 285.09,
              hibernated_seconds_this_month: 1_314_000,
              hibernated_seconds_total: 2_631_600,
            },
          ],
          unreadable: 0,
          computed: COMPUTED,
          next_cursor: null,
        },
      ),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const ids = await listInstanceIds(c.env.DB, userId, query.cursor ?? "", query.limit);
    const answers = await askActors(c.env, userId, ids, async (actor) => await actor.savings());
    const known = answers.filter((answer) => answer !== null);
    const instances = known.filter(isReadable);
    const sum = (field: keyof typeof savedFields) =>
      roundDollars(instances.reduce((total, instance) => total + instance[field], 0));
    const last = ids.at(-1);
    return c.json({
      in_all: {
        saved_this_month: sum("saved_this_month"),
        saved_total: sum("saved_total"),
        hibernated_seconds_this_month: sum("hibernated_seconds_this_month"),
        hibernated_seconds_total: sum("hibernated_seconds_total"),
      },
      instances,
      unreadable: known.length - instances.length,
      computed: COMPUTED,
      next_cursor: last !== undefined && ids.length === query.limit ? encodeText(last) : null,
    });
  }
}
