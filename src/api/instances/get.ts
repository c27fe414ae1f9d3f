import { z } from "zod";
import { shownView } from "../../fleet/report.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { answerUnlessKnown, notModified } from "../../http/entity-tag.ts";
import { errorResponses } from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { DEFAULT_POLICY } from "../../lifecycle/model/policy-settings.ts";
import { presetOf } from "../../lifecycle/model/presets.ts";
import { actorOf } from "../../platform/address.ts";
import { standingsFor } from "../../providers/connections.ts";
import { overridesSchema, policySchema } from "../policy.ts";
import { shownPresetSchema } from "../presets.ts";
import { detailSchema } from "./detail-schema.ts";
import { detailExample } from "./examples.ts";
import { viewOrThrow } from "./refusals.ts";
import { instanceParams, ownOverridesSchema } from "./schemas.ts";

const detailWithPolicySchema = component(
  "InstanceDetailWithPolicy",
  detailSchema.extend({
    policy: policySchema,
    preset: shownPresetSchema,
    policy_overrides: z
      .object({ user: overridesSchema, instance: ownOverridesSchema })
      .describe(
        "Where its values come from: the instance's own, else the user's, else the service's defaults",
      ),
  }),
);

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
        preset: "thrifty",
        policy_overrides: { user: {}, instance: {} },
      }),
      304: notModified,
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { language, timeZone } = readerOfRequest(c);
    const detail = viewOrThrow(await actorOf(c.env, userId, params.id).detail(language, timeZone));
    const view = shownView(detail, await standingsFor(c.env, userId, [detail]));
    return answerUnlessKnown(c, { ...view, preset: presetOf(detail.policy) });
  }
}
