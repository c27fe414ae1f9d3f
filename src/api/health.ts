import { z } from "zod";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse } from "../http/openapi.ts";
import { readSettings } from "../platform/settings.ts";

const healthSchema = component(
  "ServiceHealth",
  z.object({
    status: z.literal("ok"),
    simulation_speed: z
      .number()
      .describe("How much faster than in life time passes: 1 unless it is a simulation"),
  }),
);

export class GetHealth extends Endpoint {
  override schema = {
    operationId: "getHealth",
    tags: ["Service"],
    summary: "Check that the service and its database answer, and that its settings are right",
    responses: {
      200: jsonResponse("They do", healthSchema, { status: "ok", simulation_speed: 1 }),
      ...errorResponses(),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    await c.env.DB.prepare("SELECT 1").first();
    return c.json({ status: "ok", simulation_speed: readSettings(c.env).SIMULATION_SPEED });
  }
}
