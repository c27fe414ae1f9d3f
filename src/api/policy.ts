import { z } from "zod";
import { readUserPolicy, writeUserPolicy } from "../accounts/users.ts";
import { listOverrides } from "../fleet/registry.ts";
import { security, userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint, errorResponses, jsonBody, jsonResponse } from "../http/endpoint.ts";
import { invalid } from "../http/errors.ts";
import { askEveryActor } from "../instance/ask.ts";
import { addedIssues, policyIssues } from "../lifecycle/model/policy-issues.ts";
import {
  DEFAULT_POLICY,
  mergePolicy,
  type PolicyOverrides,
  policyOverridesSchema,
  policySettingsSchema,
} from "../lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../lifecycle/model/provider.ts";

const policyResponse = jsonResponse(
  "The policy for instances without overrides of their own",
  z.object({
    policy: policySettingsSchema.describe("The service's defaults with the user's overrides"),
    overrides: policyOverridesSchema.describe("What the user has set"),
  }),
  { policy: DEFAULT_POLICY, overrides: {} },
);

export class GetPolicy extends Endpoint {
  override schema = {
    operationId: "getPolicy",
    tags: ["Policy"],
    summary: "See the user's default policy",
    security: security("user"),
    responses: { 200: policyResponse, ...errorResponses(401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { overrides } = await readUserPolicy(c.env.DB, userIdOf(c.var.principal));
    return c.json({ policy: mergePolicy(overrides), overrides });
  }
}

export class PutPolicy extends Endpoint {
  override schema = {
    operationId: "putPolicy",
    tags: ["Policy"],
    summary: "Replace the user's overrides of the default policy",
    description:
      "Refused when it contradicts itself or, merged, any instance's own overrides. It reaches every instance before the answer; one that is out of reach takes it on with its next write to the history.",
    security: security("user"),
    request: {
      body: jsonBody(policyOverridesSchema, {
        idle: { threshold_percent: 10, warn_after_seconds: 600, hibernate_after_seconds: 900 },
      }),
    },
    responses: { 200: policyResponse, ...errorResponses(400, 401, 403, 413) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    await refuseContradictions(c.env.DB, userId, body);
    await writeUserPolicy(c.env.DB, userId, body);
    await askEveryActor(c.env, userId, (actor) => actor.refreshPolicy());
    return c.json({ policy: mergePolicy(body), overrides: body });
  }
}

async function refuseContradictions(db: D1Database, userId: string, next: PolicyOverrides): Promise<void> {
  const { overrides: former } = await readUserPolicy(db, userId);
  const added = (provider: ProviderKind, instance: PolicyOverrides = {}) =>
    addedIssues(
      policyIssues(mergePolicy(former, instance), provider),
      policyIssues(mergePolicy(next, instance), provider),
    );
  const own = added("agent");
  if (own.length > 0) {
    throw invalid(own.map(({ path, message }) => ({ path: ["body", ...path].join("."), message })));
  }
  for (const { instanceId, provider, overrides } of await listOverrides(db, userId)) {
    const issues = added(provider, overrides);
    if (issues.length > 0) {
      throw invalid(
        issues.map(({ path, message }) => ({
          path: ["body", ...path].join("."),
          message: `for instance ${instanceId} (${provider}, with its own overrides) ${message}`,
        })),
      );
    }
  }
}
