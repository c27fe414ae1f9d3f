import { deleteChannel } from "../../alerts/channels/registry.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { security, successResponse } from "../../http/openapi.ts";
import { channelParams } from "./schemas.ts";

/** A place where alerts go no more. */

export class DeleteChannel extends Endpoint {
  override schema = {
    operationId: "deleteChannel",
    tags: ["Channels"],
    summary: "Remove a channel",
    security: security("user"),
    request: { params: channelParams },
    responses: { 200: successResponse("Nobody is told by it any more"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    if (!(await deleteChannel(c.env, userIdOf(c.var.principal), params.id))) throw notFound();
    return c.json({ success: true });
  }
}
