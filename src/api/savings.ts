import { z } from "zod";
import { listInstanceIds } from "../fleet/registry.ts";
import { userIdOf } from "../http/authenticate.ts";
import { idCursor, nextIdCursor, pageLimit } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { askActors } from "../instance/ask.ts";
import { isReadable } from "../instance/outcomes.ts";
import { roundDollars } from "../lifecycle/model/counters.ts";

const totalSchema = component(
  "SavingsTotal",
  z.object({
    saved_this_month: z.number().describe("Dollars, this UTC month"),
    saved_total: z.number().describe("Dollars, ever"),
    hibernated_seconds_this_month: z.number(),
    hibernated_seconds_total: z.number(),
  }),
);

const instanceSavingsSchema = component(
  "InstanceSavings",
  z.object({ instance_id: z.string(), name: z.string(), ...totalSchema.shape }),
);

const savingsSchema = component(
  "Savings",
  z.object({
    in_all: totalSchema,
    instances: z.array(instanceSavingsSchema),
    unreadable: z.number().describe("Instances left out because what is stored of them cannot be read"),
    computed: z.string(),
    next_cursor: z.string().nullable(),
  }),
);

const COMPUTED =
  "Hours of hibernation that were confirmed, times (hourly_cost - hibernated_hourly_cost). An instance without an hourly cost claims nothing.";

const totalExample: z.infer<typeof totalSchema> = {
  saved_this_month: 142.35,
  saved_total: 285.09,
  hibernated_seconds_this_month: 1_314_000,
  hibernated_seconds_total: 2_631_600,
};

const savingsQuery = z.object({ limit: pageLimit(1000), cursor: idCursor.optional() });

export class GetSavings extends Endpoint {
  override schema = {
    operationId: "getSavings",
    tags: ["Savings"],
    summary: "See what hibernation has saved",
    description: "`in_all` sums the instances of this page.",
    security: security("user"),
    request: { query: savingsQuery },
    responses: {
      200: jsonResponse("The savings", savingsSchema, {
        in_all: totalExample,
        instances: [{ instance_id: "28864630", name: "ML Training Rig", ...totalExample }],
        unreadable: 0,
        computed: COMPUTED,
        next_cursor: null,
      }),
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
    const sum = (field: keyof z.infer<typeof totalSchema>) =>
      roundDollars(instances.reduce((total, instance) => total + instance[field], 0));
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
      next_cursor: nextIdCursor(ids, query.limit),
    });
  }
}
