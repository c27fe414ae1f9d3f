import { sendConfirmation } from "../../alerts/channels/confirmation.ts";
import { noteDelivery } from "../../alerts/channels/registry.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../../http/errors.ts";
import { jsonResponse, security } from "../../http/openapi.ts";
import { channelParams, channelTestSchema, whyNotAsked } from "./schemas.ts";

/** The link by which the owner of an address agrees. */

export class SendConfirmation extends Endpoint {
  override schema = {
    operationId: "sendChannelConfirmation",
    tags: ["Channels"],
    summary: "Send the link that confirms an e-mail channel once more",
    description: "Once a minute, and so often a day as the operator allows: then 429.",
    security: security("user"),
    request: { params: channelParams },
    responses: {
      200: jsonResponse("What came of it", channelTestSchema, { delivered: true, detail: "taken as m-1" }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const sent = await sendConfirmation(c.env, userId, params.id);
    switch (sent.outcome) {
      case "tried":
        await noteDelivery(c.env, userId, params.id, sent.delivery);
        return c.json({ delivered: sent.delivery.delivered, detail: sent.delivery.detail });
      case "unknown":
        throw notFound();
      case "confirmed":
        throw new ApiError("not_possible", whyNotAsked(sent));
      case "too_many": {
        const { retryAfterSeconds } = sent;
        throw new ApiError("too_many_requests", whyNotAsked(sent), { retryAfterSeconds });
      }
    }
  }
}
