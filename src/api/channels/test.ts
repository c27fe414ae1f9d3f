import { findProfile } from "../../accounts/users.ts";
import { listChannels, noteDelivery, sendTest } from "../../alerts/channels/registry.ts";
import { languageOf, type Notice } from "../../alerts/notice.ts";
import { readerOf } from "../../fleet/rules/addressee.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound, tooManyRequests } from "../../http/errors.ts";
import { jsonResponse, security } from "../../http/openapi.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import { say, text } from "../../lifecycle/model/words/say.ts";
import { channelParams, channelTestSchema } from "./schemas.ts";

/** Whether a channel works. */

/** In the account's language, so that it looks as alerts will. */
function testNotice(reader: Reader): Notice {
  const heading = say(reader, phrase("channel.test_heading"));
  return {
    title: say(reader, phrase("channel.test_title")),
    severity: "info",
    groups: [{ kind: "changed", severity: "info", heading, lines: [], more: 0 }],
    ...languageOf(reader),
  };
}

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
    if (!success) throw tooManyRequests(text("error.tests_too_fast"));
    const channel = (await listChannels(c.env, userId)).find(({ id }) => id === params.id);
    if (channel === undefined) throw notFound();
    if (!channel.confirmed) throw new ApiError("unconfirmed", UNCONFIRMED);
    const reader = readerOf(await findProfile(c.env.DB, userId));
    const delivery = await sendTest(
      c.env,
      c.executionCtx,
      userId,
      params.id,
      testNotice(reader),
      `test-${crypto.randomUUID()}`,
    );
    if (delivery === null) throw notFound();
    await noteDelivery(c.env, userId, params.id, delivery);
    return c.json({ delivered: delivery.delivered, detail: delivery.detail });
  }
}

const UNCONFIRMED = text("error.channel_unconfirmed");
