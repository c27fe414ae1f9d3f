import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { security } from "../../http/openapi.ts";
import { answerEvents, eventsQuery, eventsResponse } from "../events.ts";
import { eventPlaces } from "./history.ts";
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
    const databases = await eventPlaces(c.env, userId, params.id);
    return answerEvents(c, databases, { userId, instanceId: params.id }, query);
  }
}
