import { z } from "zod";
import { issueToken } from "../accounts/tokens.ts";
import { readUserPolicy } from "../accounts/users.ts";
import { readGuards } from "../fleet/outage-guard.ts";
import { listInstanceIds } from "../fleet/registry.ts";
import { security, userIdOf } from "../http/authenticate.ts";
import { encodeText, idCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint, errorResponses, jsonBody, jsonResponse } from "../http/endpoint.ts";
import { answerUnlessKnown } from "../http/entity-tag.ts";
import { ApiError, type Issue, invalid, notFound, unavailable, unreadable } from "../http/errors.ts";
import { askActors } from "../instance/ask.ts";
import { isUnreadable } from "../instance/outcomes.ts";
import {
  addedIssues,
  DEFAULT_POLICY,
  instancePolicyOverridesSchema,
  mergePolicy,
  type PolicyIssue,
  policyIssues,
} from "../lifecycle/model/policy.ts";
import { providerKindSchema } from "../lifecycle/model/provider.ts";
import { toIso } from "../lifecycle/model/time.ts";
import type { LiveView } from "../lifecycle/views/instance-view.ts";
import { actorOf } from "../platform/address.ts";
import { calledMachine, releaseMachine, sameMachine } from "../providers/machines.ts";
import { inspectMachine, MACHINE_REFUSALS, sightQuery, whileHolding } from "./machine.ts";
import {
  detailExample,
  detailSchema,
  detailWithPolicySchema,
  guardSchema,
  guardView,
  healthSchema,
  type ListEntry,
  listEntrySchema,
  listExample,
  statusSchema,
  unreadableEntry,
} from "./views.ts";

/** No slash: actors are named `user/instance`. */
const instanceIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
    "must be 1 to 128 of letters, digits, '.', '_', ':', '-', beginning with a letter or digit",
  );

export const instanceParams = z.object({ id: instanceIdSchema });

const providerRefSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._:/-]+$/, "must be letters, digits, '.', '_', ':', '/', '-'")
  .nullable()
  .describe("The provider's own id of the instance; null when it is the same");

const hourlyCostSchema = z.number().min(0).max(1_000_000).nullable().describe("Dollars an hour");

const nameSchema = z.string().trim().min(1).max(200);

const tokenResponse = z.object({
  success: z.literal(true),
  instance_id: z.string(),
  token: z.string().describe("The instance's token. It is shown this once"),
});

const tokenExample: z.infer<typeof tokenResponse> = {
  success: true,
  instance_id: "28864630",
  token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6Imluc3RhbmNlIn0.c2lnbmF0dXJl",
};

/** The longest list that one request may ask for; each entry asks one actor. */
const MAXIMUM_LIST = 1000;

export class ListInstances extends Endpoint {
  override schema = {
    operationId: "listInstances",
    tags: ["Instances"],
    summary: "List instances as they are now",
    description:
      "In the order of their ids. With an `ETag` for polling. With a filter a page may hold fewer than `limit`: follow `next_cursor` until it is null. An instance whose stored state cannot be read is an entry with `error` in place of the rest, in lists without a filter.",
    security: security("user"),
    request: {
      query: z.object({
        status: statusSchema.optional(),
        health: healthSchema.optional(),
        limit: z.coerce.number().int().min(1).max(MAXIMUM_LIST).default(200),
        cursor: idCursor.optional(),
      }),
    },
    responses: {
      200: jsonResponse(
        "The user's instances",
        z.object({
          server_time: z.string(),
          instances: z.array(listEntrySchema),
          next_cursor: z.string().nullable(),
          guard: guardSchema,
        }),
        listExample,
      ),
      304: { description: "As `If-None-Match` has it, but for the passing of time" },
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const [ids, guards] = await Promise.all([
      listInstanceIds(c.env.DB, userId, query.cursor ?? "", query.limit),
      readGuards(c.env.DB, userId),
    ]);
    const views = await askActors(c.env, userId, ids, async (actor) => await actor.live());
    const wanted = (view: LiveView): boolean =>
      (query.status === undefined || view.status === query.status) &&
      (query.health === undefined || view.health === query.health);
    const unfiltered = query.status === undefined && query.health === undefined;
    const last = ids.at(-1);
    return answerUnlessKnown(c, {
      server_time: toIso(Date.now()),
      instances: views.flatMap((view, index): ListEntry[] => {
        const id = ids[index];
        if (view === null || id === undefined) return [];
        if (isUnreadable(view)) return unfiltered ? [unreadableEntry(id, view.because)] : [];
        return wanted(view) ? [view] : [];
      }),
      next_cursor: last !== undefined && ids.length === query.limit ? encodeText(last) : null,
      guard: guardView(guards),
    });
  }
}

export class RegisterInstance extends Endpoint {
  override schema = {
    operationId: "registerInstance",
    tags: ["Instances"],
    summary: "Register an instance",
    description: MACHINE_REFUSALS,
    security: security("user"),
    request: {
      query: sightQuery,
      body: jsonBody(
        z.strictObject({
          instance_id: instanceIdSchema,
          name: nameSchema.optional().describe("The id, if left out"),
          provider: providerKindSchema.default("agent"),
          provider_ref: providerRefSchema.default(null),
          hourly_cost: hourlyCostSchema.default(null),
          hibernated_hourly_cost: hourlyCostSchema.default(null),
          policy: instancePolicyOverridesSchema.default({}),
        }),
        {
          instance_id: "28864630",
          name: "ML Training Rig",
          provider: "agent",
          hourly_cost: 0.4,
          hibernated_hourly_cost: 0.01,
          policy: { idle: { threshold_percent: 10 } },
        },
      ),
    },
    responses: {
      201: jsonResponse("Registered", tokenResponse, tokenExample),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const instanceId = body.instance_id;
    const userPolicy = await readUserPolicy(c.env.DB, userId);
    const without = policyIssues(mergePolicy(userPolicy.overrides), "agent");
    const merged = policyIssues(mergePolicy(userPolicy.overrides, body.policy), body.provider);
    refuseContradiction(addedIssues(without, merged));
    const machine = calledMachine({ provider: body.provider, ref: body.provider_ref ?? instanceId });
    // Before its provider is asked: programs that register at each boot are answered without a call.
    const actor = actorOf(c.env, userId, instanceId);
    if (machine !== null && (await actor.machine()) !== null) throw exists();
    const sighted =
      machine &&
      (await inspectMachine(c.env, {
        userId,
        instanceId,
        machine,
        referencePath: body.provider_ref === null ? "body.instance_id" : "body.provider_ref",
        sight: query.sight === "true",
      }));
    return whileHolding(c.env, userId, machine, instanceId, async () => {
      const registered = await actor.register({
        userId,
        instanceId,
        profile: {
          name: body.name ?? instanceId,
          provider: body.provider,
          providerRef: body.provider_ref,
          hourlyCost: body.hourly_cost,
          hibernatedHourlyCost: body.hibernated_hourly_cost,
        },
        sighted,
        overrides: body.policy,
        userPolicy: userPolicy.overrides,
        userPolicyVersion: userPolicy.version,
      });
      if (registered.outcome === "exists") throw exists();
      return c.json(await tokenAnswer(c, instanceId, registered.tokenGeneration), 201);
    });
  }
}

export class GetInstance extends Endpoint {
  override schema = {
    operationId: "getInstance",
    tags: ["Instances"],
    summary: "See one instance in full",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      200: jsonResponse("The instance", detailWithPolicySchema, {
        ...detailExample,
        policy: DEFAULT_POLICY,
        policy_overrides: { user: {}, instance: {} },
      }),
      304: { description: "As `If-None-Match` has it, but for the passing of time" },
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const detail = await actorOf(c.env, userIdOf(c.var.principal), params.id).detail();
    if (detail === null) throw notFound();
    if (isUnreadable(detail)) throw unreadable();
    return answerUnlessKnown(c, detail);
  }
}

export class ChangeInstance extends Endpoint {
  override schema = {
    operationId: "changeInstance",
    tags: ["Instances"],
    summary: "Change an instance's name, provider, costs or policy",
    description: `What is left out stays. \`policy\` replaces the instance's own overrides as a whole. Another provider or reference is another machine. ${MACHINE_REFUSALS}`,
    security: security("user"),
    request: {
      params: instanceParams,
      query: sightQuery,
      body: jsonBody(
        z.strictObject({
          name: nameSchema.optional(),
          provider: providerKindSchema.optional(),
          provider_ref: providerRefSchema.optional(),
          hourly_cost: hourlyCostSchema.optional(),
          hibernated_hourly_cost: hourlyCostSchema.optional(),
          policy: instancePolicyOverridesSchema.optional(),
        }),
        { name: "Render Farm", hourly_cost: 0.55 },
      ),
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
    const former = await actor.machine();
    if (former === null) throw notFound();
    if (isUnreadable(former)) throw unreadable();
    const next = {
      provider: body.provider ?? former.provider,
      ref: body.provider_ref === undefined ? former.ref : (body.provider_ref ?? params.id),
    };
    const moves = !sameMachine(former, next);
    const machine = moves ? calledMachine(next) : null;
    const sighted =
      machine &&
      (await inspectMachine(c.env, {
        userId,
        instanceId: params.id,
        machine,
        referencePath: "body.provider_ref",
        sight: query.sight === "true",
      }));
    const detail = await whileHolding(c.env, userId, machine, params.id, async () => {
      const changed = await actor.change({
        profile: {
          ...(body.name === undefined ? {} : { name: body.name }),
          // Both of what was claimed: another change may be under way.
          ...(moves
            ? { provider: next.provider, providerRef: next.ref === params.id ? null : next.ref }
            : {}),
          ...(body.hourly_cost === undefined ? {} : { hourlyCost: body.hourly_cost }),
          ...(body.hibernated_hourly_cost === undefined
            ? {}
            : { hibernatedHourlyCost: body.hibernated_hourly_cost }),
        },
        ...(moves ? { sighted } : {}),
        ...(body.policy === undefined ? {} : { overrides: body.policy }),
      });
      switch (changed.outcome) {
        case "accepted":
          return changed.detail;
        case "refused":
          throw new ApiError(409, changed.refusal.code, changed.refusal.message);
        case "bad_policy":
          throw invalid(changed.issues.map(toApiIssue));
        case "unknown":
          throw notFound();
        case "unreadable":
          throw unreadable();
        case "unavailable":
          throw unavailable(60);
      }
    });
    const left = moves ? calledMachine(former) : null;
    if (left !== null) await releaseMachine(c.env.DB, userId, left, params.id);
    return c.json(detail);
  }
}

export class RemoveInstance extends Endpoint {
  override schema = {
    operationId: "removeInstance",
    tags: ["Instances"],
    summary: "Stop watching an instance",
    description: "The provider is not touched; what has been kept of its history stays until it expires.",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      200: jsonResponse("Not watched any more", z.object({ success: z.literal(true) }), { success: true }),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const place = { userId: userIdOf(c.var.principal), instanceId: params.id };
    const removed = await actorOf(c.env, place.userId, place.instanceId).remove(place);
    if (removed.outcome === "unknown") throw notFound();
    if (removed.outcome === "unreadable") throw unreadable();
    if (removed.outcome === "unavailable") throw unavailable(60);
    return c.json({ success: true });
  }
}

export class RotateInstanceToken extends Endpoint {
  override schema = {
    operationId: "rotateInstanceToken",
    tags: ["Instances"],
    summary: "Replace an instance's token",
    description: "The former token is refused from this moment on.",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      200: jsonResponse("The new token", tokenResponse, tokenExample),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const rotated = await actorOf(c.env, userIdOf(c.var.principal), params.id).rotateToken();
    if (rotated.outcome === "unknown") throw notFound();
    if (rotated.outcome === "unreadable") throw unreadable();
    if (rotated.outcome === "unavailable") throw unavailable(60);
    return c.json(await tokenAnswer(c, params.id, rotated.tokenGeneration));
  }
}

async function tokenAnswer(
  c: ApiContext,
  instanceId: string,
  generation: number,
): Promise<z.infer<typeof tokenResponse>> {
  const token = await issueToken(c.env.TOKEN_KEY, {
    scope: "instance",
    sub: userIdOf(c.var.principal),
    instance: instanceId,
    generation,
  });
  return { success: true, instance_id: instanceId, token };
}

const exists = () => new ApiError(409, "exists", "An instance of this id is registered already");

function refuseContradiction(issues: readonly PolicyIssue[]): void {
  if (issues.length > 0) throw invalid(issues.map(toApiIssue));
}

function toApiIssue(issue: PolicyIssue): Issue {
  return { path: ["body", "policy", ...issue.path].join("."), message: issue.message };
}
