import { z } from "zod";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { keepAliveMinutesSchema } from "../../lifecycle/model/policy-settings.ts";
import { actorOf } from "../../platform/address.ts";
import { refusalError } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

const requestSchema = component(
  "KeepAliveRequest",
  z.strictObject({
    minutes: keepAliveMinutesSchema.optional().describe("As the policy says, if left out"),
  }),
);

const answerSchema = component(
  "KeepAlive",
  z.object({ success: z.literal(true), message: z.string(), valid_for_minutes: z.number() }),
);

export class KeepAlive extends Endpoint {
  override schema = {
    operationId: "keepAlive",
    tags: ["Commands"],
    summary: "Keep an instance alive by hand",
    description:
      "For debugging, and for batch instances that run no agent. Until it ends no idle and no orphan step is taken; then both clocks start anew. A shorter keep-alive never cuts a longer one.",
    security: security("user"),
    request: {
      params: instanceParams,
      body: jsonBody(requestSchema.optional(), { minutes: 60 }, false),
    },
    responses: {
      200: jsonResponse("It is kept alive", answerSchema, {
        success: true,
        message: "Manual keep-alive registered",
        valid_for_minutes: 60,
      }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const actor = actorOf(c.env, userIdOf(c.var.principal), params.id);
    const kept = await actor.keepAlive(body?.minutes ?? null, c.var.requestId);
    if (kept.outcome !== "accepted") throw refusalError(kept);
    return c.json({
      success: true,
      message: "Manual keep-alive registered",
      valid_for_minutes: kept.validForMinutes,
    });
  }
}
