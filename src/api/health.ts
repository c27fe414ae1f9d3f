import { z } from "zod";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse } from "../http/openapi.ts";

const healthSchema = component("ServiceHealth", z.object({ status: z.literal("ok") }));

export class GetHealth extends Endpoint {
  override schema = {
    operationId: "getHealth",
    tags: ["Service"],
    summary: "Check that the service and its database answer",
    responses: { 200: jsonResponse("They do", healthSchema, { status: "ok" }), ...errorResponses() },
  };

  override async handle(c: ApiContext): Promise<Response> {
    await c.env.DB.prepare("SELECT 1").first();
    return c.json({ status: "ok" });
  }
}
