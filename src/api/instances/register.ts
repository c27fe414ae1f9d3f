import { z } from "zod";
import { noteAct } from "../../http/audit.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { providerKindSchema } from "../../lifecycle/model/provider.ts";
import { writtenOut } from "../presets.ts";
import { inspectMachine, MACHINE_REFUSALS, sightQuery } from "./machine.ts";
import { registerInstance, type Wanted } from "./registering.ts";
import {
  connectionIdSchema,
  hourlyCostSchema,
  instanceIdSchema,
  nameSchema,
  newOwnOverridesSchema,
  providerRefSchema,
} from "./schemas.ts";
import { newTagsSchema } from "./tags.ts";
import { issueInstanceToken, tokenExample, tokenSchema } from "./token.ts";

const registrationSchema = component(
  "RegisterInstanceRequest",
  z.strictObject({
    instance_id: instanceIdSchema,
    name: nameSchema.optional().describe("The id, if left out"),
    provider: providerKindSchema.default("agent"),
    connection: connectionIdSchema
      .nullable()
      .default(null)
      .describe(
        "By which of the user's connections the provider is called: the first of its kind, if left out",
      ),
    provider_ref: providerRefSchema.default(null),
    hourly_cost: hourlyCostSchema.default(null),
    hibernated_hourly_cost: hourlyCostSchema.default(null),
    tags: newTagsSchema.default({}),
    policy: newOwnOverridesSchema.default({}),
  }),
);

export class RegisterInstance extends Endpoint {
  override schema = {
    operationId: "registerInstance",
    tags: ["Instances"],
    summary: "Register an instance",
    description: `A user has 100,000 instances at most, unless the operator set another number: then 409 \`too_many\`. ${MACHINE_REFUSALS}`,
    security: security("user"),
    request: {
      query: sightQuery,
      body: jsonBody(registrationSchema, {
        instance_id: "28864630",
        name: "ML Training Rig",
        provider: "agent",
        hourly_cost: 0.4,
        hibernated_hourly_cost: 0.01,
        tags: { team: "vision", env: "prod" },
        policy: { idle: { threshold_percent: 10 } },
      }),
    },
    responses: {
      201: jsonResponse("Registered", tokenSchema, tokenExample),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const instanceId = body.instance_id;
    const wanted: Wanted = {
      instanceId,
      name: body.name ?? instanceId,
      provider: body.provider,
      connection: body.connection,
      providerRef: body.provider_ref,
      hourlyCost: body.hourly_cost,
      hibernatedHourlyCost: body.hibernated_hourly_cost,
      tags: body.tags,
      overrides: writtenOut(body.policy),
    };
    const generation = await registerInstance(c.env, userId, wanted, {
      limitKey: userId,
      look: (machine) =>
        inspectMachine(c.env, {
          userId,
          instanceId,
          machine,
          referencePath: body.provider_ref === null ? "body.instance_id" : "body.provider_ref",
          sight: query.sight === "true",
        }),
      requestId: c.var.requestId,
    });
    noteAct(c, { subject: instanceId });
    return c.json(await issueInstanceToken(c.env, userId, instanceId, generation), 201);
  }
}
