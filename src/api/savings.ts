import { z } from "zod";
import { userIdOf } from "../http/authenticate.ts";
import { encodeId, idCursor, pageLimit } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { roundDollars } from "../lifecycle/model/dollars.ts";
import { fleetOf } from "../platform/address.ts";

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
    computed: z.string(),
    next_cursor: z.string().nullable(),
  }),
);

const COMPUTED =
  "Hours of hibernation that were confirmed, times what it costs an hour less than awake. An instance whose hourly cost nobody knows claims nothing.";

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
    description: "`in_all` sums all of the user's instances, `instances` is a page of them.",
    security: security("user"),
    request: { query: savingsQuery },
    responses: {
      200: jsonResponse("The savings", savingsSchema, {
        in_all: totalExample,
        instances: [{ instance_id: "28864630", name: "ML Training Rig", ...totalExample }],
        computed: COMPUTED,
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { total, instances, end } = await fleetOf(c.env, userId).savings(query.cursor ?? "", query.limit);
    return c.json({
      in_all: {
        ...total,
        saved_this_month: roundDollars(total.saved_this_month),
        saved_total: roundDollars(total.saved_total),
      },
      instances,
      computed: COMPUTED,
      next_cursor: encodeId(end),
    });
  }
}
