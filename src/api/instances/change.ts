import { z } from "zod";
import { shownView } from "../../fleet/report.ts";
import { askedBy, userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid, unavailable } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { kindOf, providerKindSchema } from "../../lifecycle/model/provider.ts";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { actorOf, fleetOf } from "../../platform/address.ts";
import { standingsFor } from "../../providers/connections.ts";
import { calledMachine, releaseMachine, sameMachine } from "../../providers/machines.ts";
import { policyIssueAt } from "../policy.ts";
import { writtenOut } from "../presets.ts";
import { detailSchema } from "./detail-schema.ts";
import { detailExample } from "./examples.ts";
import { connectedProvider, inspectMachine, MACHINE_REFUSALS, sightQuery, whileHolding } from "./machine.ts";
import { refusalError, viewOrThrow } from "./refusals.ts";
import {
  connectionIdSchema,
  hourlyCostSchema,
  instanceParams,
  nameSchema,
  newOwnOverridesSchema,
  providerRefSchema,
} from "./schemas.ts";
import { newTagsSchema } from "./tags.ts";

const changesSchema = component(
  "ChangeInstanceRequest",
  z.strictObject({
    name: nameSchema.optional(),
    provider: providerKindSchema.optional(),
    connection: connectionIdSchema
      .nullable()
      .optional()
      .describe("By which of the user's connections the provider is called; null: the first of its kind"),
    provider_ref: providerRefSchema.optional(),
    hourly_cost: hourlyCostSchema.optional(),
    hibernated_hourly_cost: hourlyCostSchema.optional(),
    tags: newTagsSchema.optional(),
    policy: newOwnOverridesSchema.optional(),
  }),
);

export class ChangeInstance extends Endpoint {
  override schema = {
    operationId: "changeInstance",
    tags: ["Instances"],
    summary: "Change an instance's name, provider, costs, tags or policy",
    description: `What is left out stays. \`policy\` replaces the instance's own overrides as a whole, and \`tags\` its tags. Another provider, connection or reference is another machine; another provider is called by the first connection of its kind. ${MACHINE_REFUSALS}`,
    security: security("user"),
    request: {
      params: instanceParams,
      query: sightQuery,
      body: jsonBody(changesSchema, { name: "Render Farm", hourly_cost: 0.55, tags: { team: "render" } }),
    },
    responses: {
      200: jsonResponse("The instance", detailSchema, detailExample),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const actor = actorOf(c.env, userId, params.id);
    const mayMove =
      body.provider !== undefined || body.connection !== undefined || body.provider_ref !== undefined;
    const held = mayMove ? await fleetOf(c.env, userId).claimsOf(params.id) : [];
    const former = viewOrThrow(await actor.machine());
    const kind = body.provider ?? kindOf(former.provider);
    const stays = kind === kindOf(former.provider) && body.connection === undefined;
    const next = {
      provider: stays
        ? former.provider
        : await connectedProvider(c.env, userId, kind, body.connection ?? null),
      ref: body.provider_ref === undefined ? former.ref : (body.provider_ref ?? params.id),
    };
    const moves = !sameMachine(former, next);
    const machine = moves ? calledMachine(next) : null;
    const sighted =
      machine &&
      (await inspectMachine(c.env, {
        userId,
        instanceId: params.id,
        machine: next,
        referencePath: "body.provider_ref",
        sight: query.sight === "true",
      }));
    const detail = await whileHolding(c.env, userId, machine, params.id, async () => {
      const changes = {
        profile: {
          ...(body.name === undefined ? {} : { name: body.name }),
          // Provider and reference together, as they were claimed: another change may be under way.
          ...(moves
            ? { provider: next.provider, providerRef: next.ref === params.id ? null : next.ref }
            : {}),
          ...(body.hourly_cost === undefined ? {} : { hourlyCost: body.hourly_cost }),
          ...(body.hibernated_hourly_cost === undefined
            ? {}
            : { hibernatedHourlyCost: body.hibernated_hourly_cost }),
        },
        ...(body.tags === undefined ? {} : { tags: body.tags }),
        ...(moves ? { sighted } : {}),
        ...(body.policy === undefined ? {} : { overrides: writtenOut(body.policy) }),
      };
      const changed = await actor.change(changes, c.var.requestId, askedBy(c));
      switch (changed.outcome) {
        case "accepted":
          if (body.tags !== undefined && !knowsTags(changed.detail)) throw unavailable(60);
          return changed.detail;
        case "bad_policy":
          throw invalid(changed.issues.map(policyIssueAt("body.policy")));
        case "refused":
        case "unknown":
        case "unreadable":
        case "unavailable":
          throw refusalError(changed);
      }
    });
    const left = moves ? calledMachine(former) : null;
    // By another connection it is still claimed by the same key.
    const isKept = left !== null && machine !== null && sameMachine(left, machine);
    if (left !== null && !isKept) await releaseMachine(c.env, userId, left, params.id, held);
    return c.json(shownView(detail, await standingsFor(c.env, userId, [detail])));
  }
}

/** An instance of the former release has left them out. */
function knowsTags(detail: Partial<LiveView>): boolean {
  return detail.tags !== undefined;
}
