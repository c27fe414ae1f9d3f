import { z } from "zod";
import { readUserPolicy, writeUserPolicy } from "../accounts/users.ts";
import { listOverrides } from "../fleet/registry.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, type Issue, invalid } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import { askEveryActor } from "../instance/ask.ts";
import { addedIssues, type PolicyIssue, policyIssues } from "../lifecycle/model/policy-issues.ts";
import {
  DEFAULT_POLICY,
  mergePolicy,
  type PolicyOverrides,
  policyOverridesSchema,
  policySettingsSchema,
} from "../lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../lifecycle/model/provider.ts";

export const policySchema = component(
  "Policy",
  policySettingsSchema.describe("The policy as it stands: the service's defaults with all overrides"),
);

export const overridesSchema = component(
  "PolicyOverrides",
  policyOverridesSchema.describe("What the user has set"),
);

const userPolicySchema = component(
  "UserPolicy",
  z.object({ policy: policySchema, overrides: overridesSchema }),
);

const policyResponse = jsonResponse(
  "The policy for instances without overrides of their own",
  userPolicySchema,
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
      body: jsonBody(overridesSchema, {
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

/** Says where in the request an issue of a policy is, the policy being at `path`. */
export function policyIssueAt(path: string): (issue: PolicyIssue) => Issue {
  return (issue) => ({ path: [path, ...issue.path].join("."), message: issue.message });
}

async function refuseContradictions(db: D1Database, userId: string, next: PolicyOverrides): Promise<void> {
  const { overrides: former } = await readUserPolicy(db, userId);
  const added = (provider: ProviderKind, instance: PolicyOverrides = {}) =>
    addedIssues(
      policyIssues(mergePolicy(former, instance), provider),
      policyIssues(mergePolicy(next, instance), provider),
    );
  const own = added("agent");
  if (own.length > 0) throw invalid(own.map(policyIssueAt("body")));
  for (const { instanceId, provider, overrides } of await listOverrides(db, userId)) {
    const issues = added(provider, overrides);
    if (issues.length > 0) {
      throw invalid(
        issues.map(policyIssueAt("body")).map(({ path, message }) => ({
          path,
          message: `for instance ${instanceId} (${provider}, with its own overrides) ${message}`,
        })),
      );
    }
  }
}
