import { z } from "zod";
import type { Adoption } from "../fleet/inventory.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, suspended } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { limitRegistrations } from "./instances/registering.ts";
import { issueInstanceToken, tokenExample, tokenSchema } from "./instances/token.ts";

/** Has machines of the inventory watched, with nothing to be typed. */

/** So many are registered by one request. */
const ADOPTED_AT_ONCE = 50;

const placesSchema = z
  .array(z.strictObject({ connection: z.string().min(1).max(100), ref: z.string().min(1).max(200) }))
  .min(1)
  .max(ADOPTED_AT_ONCE);

const adoptSchema = component(
  "AdoptMachinesRequest",
  z
    .strictObject({
      machines: placesSchema.optional(),
      all: z.literal(true).optional().describe("All that bill and that nobody watches"),
    })
    .refine(
      ({ machines, all }) => (machines === undefined) !== (all === undefined),
      text("must.hold_machines_or_all"),
    ),
);

const adoptedSchema = component(
  "AdoptedMachine",
  tokenSchema.omit({ success: true }).extend({ connection: z.string(), ref: z.string() }),
);

const refusedSchema = component(
  "RefusedMachine",
  z.object({
    connection: z.string(),
    ref: z.string(),
    because: z
      .string()
      .describe(
        "`unknown`, `gone`, `member` (of a cluster or group), `watched`, `bad_reference`, `bad_policy`, `too_many`, `unavailable` (try again)",
      ),
  }),
);

const adoptionSchema = component(
  "AdoptedMachines",
  z.object({
    success: z.literal(true),
    adopted: z.array(adoptedSchema),
    refused: z.array(refusedSchema),
    is_more: z.boolean().describe("Whether to ask again for the others"),
  }),
);

export class AdoptMachines extends Endpoint {
  override schema = {
    operationId: "adoptMachines",
    tags: ["Inventory"],
    summary: "Watch machines of the inventory",
    description: `Registers each as an instance, with the name, price and reference that its provider shows, and the token for its agent. At most ${ADOPTED_AT_ONCE} at once. A provider that takes no snapshots is not to delete: such an instance gets \`orphan.delete_after_days: null\`, unless the user's policy fits.`,
    security: security("user"),
    request: { body: jsonBody(adoptSchema, { machines: [{ connection: "vast", ref: "28864630" }] }) },
    responses: {
      200: jsonResponse("What was registered, and what was not", adoptionSchema, {
        success: true,
        adopted: [
          { connection: "vast", ref: "28864630", instance_id: "28864630", token: tokenExample.token },
        ],
        refused: [],
        is_more: false,
      }),
      ...errorResponses(400, 401, 403, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    await limitRegistrations(c.env, userId);
    const adoption = await answerOr(
      fleetOf(c.env, userId).adopt(body.machines ?? "all", ADOPTED_AT_ONCE),
      NONE_ADOPTED,
    );
    if (adoption === null) throw suspended();
    const adopted: z.infer<typeof adoptedSchema>[] = [];
    const refused: z.infer<typeof refusedSchema>[] = [];
    for (const one of adoption.adopted) {
      const { connection, ref } = one;
      if (one.outcome === "refused") refused.push({ connection, ref, because: one.because });
      else {
        const { instanceId, tokenGeneration } = one;
        const { token } = await issueInstanceToken(c.env, userId, instanceId, tokenGeneration);
        adopted.push({ connection, ref, instance_id: instanceId, token });
      }
    }
    return c.json({ success: true, adopted, refused, is_more: adoption.isMore });
  }
}

const NONE_ADOPTED: Adoption = { adopted: [], isMore: false };
