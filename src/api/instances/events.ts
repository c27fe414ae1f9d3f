import { historyOf, historyShards } from "../../history/shards.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { security } from "../../http/openapi.ts";
import { isUnreadable } from "../../instance/outcomes.ts";
import { actorOf } from "../../platform/address.ts";
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
    const history = await actorOf(c.env, userId, params.id).history();
    if (history === null) throw notFound();
    // Former versions kept all events in the first database. What can't be read does not say which one it has now.
    const databases = isUnreadable(history)
      ? historyShards(c.env)
      : [...new Set([0, history.shard])].map((shard) => historyOf(c.env, shard));
    return answerEvents(c, databases, { userId, instanceId: params.id }, query);
  }
}
