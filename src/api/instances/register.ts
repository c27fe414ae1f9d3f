import { z } from "zod";
import type { Admission } from "../../fleet/report.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, invalid, suspended, tooManyRequests } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { addedIssues, policyIssues } from "../../lifecycle/model/policy-issues.ts";
import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { providerKindSchema } from "../../lifecycle/model/provider.ts";
import { actorOf, fleetOf } from "../../platform/address.ts";
import { logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { calledMachine } from "../../providers/machines.ts";
import { policyIssueAt } from "../policy.ts";
import { connectedProvider, inspectMachine, MACHINE_REFUSALS, sightQuery, whileHolding } from "./machine.ts";
import {
  connectionIdSchema,
  hourlyCostSchema,
  instanceIdSchema,
  nameSchema,
  ownOverridesSchema,
  providerRefSchema,
} from "./schemas.ts";
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
    policy: ownOverridesSchema.default({}),
  }),
);

interface RegisterRequest {
  readonly query: z.infer<typeof sightQuery>;
  readonly body: z.infer<typeof registrationSchema>;
}

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
        policy: { idle: { threshold_percent: 10 } },
      }),
    },
    responses: {
      201: jsonResponse("Registered", tokenSchema, tokenExample),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const request = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const instanceId = request.body.instance_id;
    const { success } = await c.env.REGISTRATION_LIMIT.limit({ key: userId });
    if (!success) throw tooManyRequests("Too many registrations: go on in a minute");
    const admission = await fleetOf(c.env, userId).admit(instanceId);
    if (admission === null) {
      throw new ApiError(
        "too_many",
        `A user has ${readSettings(c.env).INSTANCES_PER_USER} instances at most: remove those that are no longer needed`,
      );
    }
    try {
      return await this.#register(c, userId, request, admission);
    } catch (error) {
      // One that exists may have been admitted by another request that has not been heard of yet.
      const cameToNothing = error instanceof ApiError && error.code !== "exists";
      const { withdrawBy = null, formerAt = null } = admission;
      if (cameToNothing && withdrawBy !== null) {
        await fleetOf(c.env, userId)
          .withdrawAdmission(instanceId, withdrawBy, formerAt)
          .catch((failure) =>
            logWarning(
              "an admission stays until the daily look",
              { user_id: userId, instance_id: instanceId },
              failure,
            ),
          );
      }
      throw error;
    }
  }

  async #register(
    c: ApiContext,
    userId: string,
    { query, body }: RegisterRequest,
    { policy: userPolicy, idsAfter }: Admission,
  ): Promise<Response> {
    const instanceId = body.instance_id;
    if (userPolicy.suspended) throw suspended();
    const provider = await connectedProvider(c.env, userId, body.provider, body.connection);
    const without = policyIssues(mergePolicy(userPolicy.overrides), "agent");
    const merged = policyIssues(mergePolicy(userPolicy.overrides, body.policy), provider);
    const contradictions = addedIssues(without, merged);
    if (contradictions.length > 0) throw invalid(contradictions.map(policyIssueAt("body.policy")));
    const watched = { provider, ref: body.provider_ref ?? instanceId };
    const machine = calledMachine(watched);
    // Before its provider is asked: a program that registers at each boot costs no call.
    const actor = actorOf(c.env, userId, instanceId);
    if (machine !== null && (await actor.machine()) !== null) throw exists();
    const sighted =
      machine &&
      (await inspectMachine(c.env, {
        userId,
        instanceId,
        machine: watched,
        referencePath: body.provider_ref === null ? "body.instance_id" : "body.provider_ref",
        sight: query.sight === "true",
      }));
    return whileHolding(c.env, userId, machine, instanceId, async () => {
      const registered = await actor.register({
        userId,
        instanceId,
        profile: {
          name: body.name ?? instanceId,
          provider,
          providerRef: body.provider_ref,
          hourlyCost: body.hourly_cost,
          hibernatedHourlyCost: body.hibernated_hourly_cost,
        },
        sighted,
        overrides: body.policy,
        userPolicy: userPolicy.overrides,
        userPolicyVersion: userPolicy.version,
        idsAfter,
        requestId: c.var.requestId,
      });
      if (registered.outcome === "exists") throw registered.isLeaving ? stillLeaving() : exists();
      return c.json(await issueInstanceToken(c.env, userId, instanceId, registered.tokenGeneration), 201);
    });
  }
}

const stillLeaving = () =>
  new ApiError("unavailable", "The instance that had this id is still being removed", {
    retryAfterSeconds: 60,
  });

const exists = () => new ApiError("exists", "An instance of this id is registered already");
