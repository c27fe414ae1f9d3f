import { z } from "zod";
import { listChannels } from "../../alerts/channels/registry.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { channelExample, channelSchema, channelView } from "./schemas.ts";

/** Where an owner's alerts go. */

const channelsSchema = component("ChannelList", z.object({ channels: z.array(channelSchema) }));

export class ListChannels extends Endpoint {
  override schema = {
    operationId: "listChannels",
    tags: ["Channels"],
    summary: "List the channels that the user is told by",
    security: security("user"),
    responses: {
      200: jsonResponse("The channels, without their secrets", channelsSchema, {
        channels: [channelExample],
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const channels = await listChannels(c.env, userIdOf(c.var.principal));
    return c.json({ channels: channels.map(channelView) });
  }
}
