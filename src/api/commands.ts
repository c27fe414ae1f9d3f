import { z } from "zod";
import { security, userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint, errorResponses, jsonBody, jsonResponse } from "../http/endpoint.ts";
import { ApiError, notFound, unavailable, unreadable } from "../http/errors.ts";
import type { CommandOutcome } from "../instance/outcomes.ts";
import { keepAliveMinutesSchema } from "../lifecycle/model/policy.ts";
import { actorOf } from "../platform/address.ts";
import { instanceParams } from "./instances.ts";
import { detailExample, detailSchema } from "./views.ts";

/** What an owner can ask of an instance. */

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
      body: jsonBody(
        z
          .strictObject({
            minutes: keepAliveMinutesSchema.optional().describe("As the policy says, if left out"),
          })
          .optional(),
        { minutes: 60 },
        false,
      ),
    },
    responses: {
      200: jsonResponse(
        "It is kept alive",
        z.object({
          success: z.literal(true),
          message: z.string(),
          valid_for_minutes: z.number(),
        }),
        { success: true, message: "Manual keep-alive registered", valid_for_minutes: 60 },
      ),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const actor = actorOf(c.env, userIdOf(c.var.principal), params.id);
    const kept = await actor.keepAlive(body?.minutes ?? null);
    switch (kept.outcome) {
      case "accepted":
        return c.json({
          success: true,
          message: "Manual keep-alive registered",
          valid_for_minutes: kept.validForMinutes,
        });
      case "refused":
        throw new ApiError(409, kept.refusal.code, kept.refusal.message);
      case "unknown":
        throw notFound();
      case "unreadable":
        throw unreadable();
      case "unavailable":
        throw unavailable(60);
    }
  }
}

export class Hibernate extends Endpoint {
  override schema = {
    operationId: "hibernate",
    tags: ["Commands"],
    summary: "Hibernate an instance",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      202: jsonResponse("The order is given", detailSchema, {
        ...detailExample,
        status: "hibernating",
      }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    return answer(c, await actorOf(c.env, userIdOf(c.var.principal), params.id).hibernate());
  }
}

export class Wake extends Endpoint {
  override schema = {
    operationId: "wake",
    tags: ["Commands"],
    summary: "Wake a hibernated instance",
    description: "For ten minutes no ladder step is taken.",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      202: jsonResponse("The order is given", detailSchema, { ...detailExample, status: "waking" }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    return answer(c, await actorOf(c.env, userIdOf(c.var.principal), params.id).wake());
  }
}

function answer(c: ApiContext, command: CommandOutcome): Response {
  switch (command.outcome) {
    case "accepted":
      return c.json(command.detail, 202);
    case "refused":
      throw new ApiError(409, command.refusal.code, command.refusal.message);
    case "unknown":
      throw notFound();
    case "unreadable":
      throw unreadable();
    case "unavailable":
      throw unavailable(60);
  }
}
