import { z } from "zod";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { actorOf } from "../../platform/address.ts";
import { viewOrThrow } from "../instances/refusals.ts";
import { demandUser, userInstanceParams } from "./act.ts";

/** The operator has an instance try at once whatever it could not deliver. */

const standingSchema = z.object({
  waiting: z.int().describe("Heartbeats' chunks, events, reports and orders that wait for their next try"),
  parked: z.int().describe("Those that failed ten times, and are tried once an hour"),
});

const releaseSchema = component(
  "ReleasedDeliveries",
  z.object({
    before: standingSchema,
    after: standingSchema.describe("After the tries, or after ten seconds of them: they go on"),
  }),
);

export class ReleaseDeliveries extends Endpoint {
  override schema = {
    operationId: "releaseDeliveries",
    tags: ["Administration"],
    summary: "Try at once what an instance could not deliver",
    description:
      "Everything that waits or is parked is tried now, whatever has failed before. What fails again waits as before. Also for an instance that was removed and has something left to deliver.",
    security: security("admin"),
    request: { params: userInstanceParams },
    responses: {
      200: jsonResponse("It was tried", releaseSchema, {
        before: { waiting: 41, parked: 2 },
        after: { waiting: 0, parked: 0 },
      }),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    return c.json(viewOrThrow(await actorOf(c.env, params.id, params.instance_id).release()));
  }
}
