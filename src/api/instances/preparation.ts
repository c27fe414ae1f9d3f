import { z } from "zod";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import type { Unreadable } from "../../instance/outcomes.ts";
import type { PreparationsView } from "../../lifecycle/views/preparation-view.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { instant } from "./instant.ts";
import { preparationCauseSchema, preparationSchema } from "./preparation-schemas.ts";
import { viewOrThrow } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

const log = z
  .string()
  .nullable()
  .describe("The last 4000 bytes of what the hooks have printed; null where it was not sent");

const preparationsSchema = component(
  "Preparations",
  z.object({
    current: z.union([component("PreparationWithLog", preparationSchema.extend({ log })), z.null()]),
    last: z.union([
      component(
        "EndedPreparation",
        preparationSchema.omit({ limit_at: true, state: true }).extend({
          because: preparationCauseSchema,
          ended_at: instant,
          outcome: z
            .enum(["succeeded", "failed", "overdue", "cancelled"])
            .describe("`failed` and `overdue`: it was hibernated at the limit all the same"),
          log,
        }),
      ),
      z.null(),
    ]),
  }) satisfies z.ZodType<PreparationsView>,
);

/** An instance of the former release prepares nothing. */
const NOTHING: PreparationsView = { current: null, last: null };

export class GetPreparation extends Endpoint {
  override schema = {
    operationId: "getPreparation",
    tags: ["Instances"],
    summary: "See how its hooks prepare an instance for its hibernation",
    description:
      "The preparation under way, and the last one that is over, with what the hooks printed. Each is null where there is none.",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      200: jsonResponse("The preparations", preparationsSchema, {
        current: null,
        last: {
          preparation_id: "prepare-mjc3rpc7",
          because: "idle",
          began_at: "2025-12-19T03:25:30Z",
          ended_at: "2025-12-19T03:29:34Z",
          outcome: "succeeded",
          seconds: 240,
          line: "saved step 1200",
          log: "saving\nsaved step 1200",
        },
      }),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const actor = actorOf(c.env, userIdOf(c.var.principal), params.id);
    const ask = async (): Promise<PreparationsView | Unreadable | null> => actor.preparations();
    return c.json(viewOrThrow(await answerOr(ask(), NOTHING)));
  }
}
