import { askedBy, userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { security, successResponse } from "../../http/openapi.ts";
import { actorOf, fleetOf } from "../../platform/address.ts";
import { refusalError } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

export class RemoveInstance extends Endpoint {
  override schema = {
    operationId: "removeInstance",
    tags: ["Instances"],
    summary: "Stop watching an instance",
    description:
      "The provider is not touched; what has been kept of its history stays, and can be read under the same id, until it expires.",
    security: security("user"),
    request: { params: instanceParams },
    responses: { 200: successResponse("Not watched any more"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const place = { userId: userIdOf(c.var.principal), instanceId: params.id };
    const removed = await actorOf(c.env, place.userId, place.instanceId).remove(
      place,
      c.var.requestId,
      askedBy(c),
    );
    if (removed.outcome === "removed") return c.json({ success: true });
    const isGhost =
      removed.outcome === "unknown" && (await fleetOf(c.env, place.userId).removeGhost(place.instanceId));
    if (!isGhost) throw refusalError(removed);
    return c.json({ success: true });
  }
}
