import { isRegistered } from "../../fleet/registry.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { security } from "../../http/openapi.ts";
import { answerEvents, eventsQuery, eventsResponse } from "../events.ts";
import { instanceParams } from "./schemas.ts";

export class ListInstanceEvents extends Endpoint {
  override schema = {
    operationId: "listInstanceEvents",
    tags: ["History"],
    summary: "Read what happened to an instance, newest first",
    security: security("user"),
    request: { params: instanceParams, query: eventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    if (!(await isRegistered(c.env.DB, userId, params.id))) throw notFound();
    return answerEvents(c, { userId, instanceId: params.id }, query);
  }
}
