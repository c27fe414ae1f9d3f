import { listChannels, noteDelivery, sendTest } from "../../alerts/channels/registry.ts";
import type { Notice } from "../../alerts/notice.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound, tooManyRequests } from "../../http/errors.ts";
import { jsonResponse, security } from "../../http/openapi.ts";
import { channelParams, channelTestSchema } from "./schemas.ts";

/** Whether a channel works. */

const TEST_NOTICE: Notice = {
  title: "Test of this channel",
  severity: "info",
  groups: [
    {
      kind: "changed",
      severity: "info",
      heading: "Test of this channel: alerts of the Dumont Agent System will arrive here",
      lines: [],
      more: 0,
    },
  ],
};

export class TestChannel extends Endpoint {
  override schema = {
    operationId: "testChannel",
    tags: ["Channels"],
    summary: "Send a test message and see what the other side says",
    security: security("user"),
    request: { params: channelParams, channelTestSchema },
    responses: {
      200: jsonResponse("What came of it", channelTestSchema, { delivered: false, detail: "404 no_service" }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { success } = await c.env.CHANNEL_TEST_LIMIT.limit({ key: userId });
    if (!success) throw tooManyRequests("Too many tests of channels: go on in a minute");
    const channel = (await listChannels(c.env, userId)).find(({ id }) => id === params.id);
    if (channel === undefined) throw notFound();
    if (!channel.confirmed) throw new ApiError("unconfirmed", UNCONFIRMED);
    const delivery = await sendTest(
      c.env,
      c.executionCtx,
      userId,
      params.id,
      TEST_NOTICE,
      `test-${crypto.randomUUID()}`,
    );
    if (delivery === null) throw notFound();
    await noteDelivery(c.env, userId, params.id, delivery);
    return c.json({ delivered: delivery.delivered, detail: delivery.detail });
  }
}

const UNCONFIRMED = "The address is not confirmed: open the link in the message that was sent to it";
