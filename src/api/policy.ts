import { z } from "zod";
import type { PolicyContradiction } from "../fleet/rules/policy-contradiction.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { type ApiError, errorResponses, type Issue, invalid, issueAt } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import type { PolicyIssue } from "../lifecycle/model/policy-issues.ts";
import {
  DEFAULT_POLICY,
  mergePolicy,
  type PolicyOverrides,
  policyOverridesSchema,
  policySettingsSchema,
} from "../lifecycle/model/policy-settings.ts";
import { PRESET_VALUES, presetOf } from "../lifecycle/model/presets.ts";
import { kindOf } from "../lifecycle/model/provider.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { fleetOf } from "../platform/address.ts";
import { presetSchema, presetsSchema, shownPresetSchema, writtenOut } from "./presets.ts";

export const policySchema = component(
  "Policy",
  policySettingsSchema.describe("The policy as it stands: the service's defaults with all overrides"),
);

export const overridesSchema = component(
  "PolicyOverrides",
  policyOverridesSchema.describe("What the user has set"),
);

export const newOverridesSchema = component(
  "NewPolicyOverrides",
  policyOverridesSchema.extend({ preset: presetSchema.optional() }),
);

const defaultsSchema = component(
  "PolicyDefaults",
  policySettingsSchema.describe("The service's own policy: what holds where nobody has set anything"),
);

const userPolicySchema = component(
  "UserPolicy",
  z.object({
    policy: policySchema,
    preset: shownPresetSchema,
    overrides: overridesSchema,
    defaults: defaultsSchema,
    presets: presetsSchema,
  }),
);

const policyResponse = jsonResponse(
  "The policy for instances without overrides of their own",
  userPolicySchema,
  answerOf({}),
);

function answerOf(overrides: PolicyOverrides) {
  const policy = mergePolicy(overrides);
  return { policy, preset: presetOf(policy), overrides, defaults: DEFAULT_POLICY, presets: PRESET_VALUES };
}

export class GetPolicy extends Endpoint {
  override schema = {
    operationId: "getPolicy",
    tags: ["Policy"],
    summary: "See the user's default policy",
    security: security("user"),
    responses: { 200: policyResponse, ...errorResponses(401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { overrides } = await fleetOf(c.env, userIdOf(c.var.principal)).policy();
    return c.json(answerOf(overrides));
  }
}

export class PutPolicy extends Endpoint {
  override schema = {
    operationId: "putPolicy",
    tags: ["Policy"],
    summary: "Replace the user's overrides of the default policy",
    description:
      "Refused when it contradicts itself or, merged, any instance's own overrides. It reaches the first thousand instances before the answer, and all others within minutes; one that is out of reach takes it on with its next report.",
    security: security("user"),
    request: {
      body: jsonBody(newOverridesSchema, {
        preset: "balanced",
        idle: { threshold_percent: 10, warn_after_seconds: 600, hibernate_after_seconds: 900 },
      }),
    },
    responses: { 200: policyResponse, ...errorResponses(400, 401, 403, 413) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const overrides = writtenOut(body);
    const set = await fleetOf(c.env, userId).setPolicy(overrides);
    if ("issues" in set) throw contradictory("body", set);
    return c.json(answerOf(overrides));
  }
}

/** Says where in the request an issue of a policy is, the policy being at `path`. */
export function policyIssueAt(path: string): (issue: PolicyIssue) => Issue {
  return (issue) => ({ ...issue, path: [path, ...issue.path].join(".") });
}

/** A policy at `path` of the request that may not be set. */
export function contradictory(path: string, { issues, instance }: PolicyContradiction): ApiError {
  const found = issues.map(policyIssueAt(path));
  if (instance === null) return invalid(found);
  const whose = { id: instance.id, provider: kindOf(instance.provider) };
  return invalid(
    found.map(({ path, message, said: issue = message }) =>
      issueAt(path, phrase("error.of_overrides", { ...whose, issue })),
    ),
  );
}
