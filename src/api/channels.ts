import { z } from "zod";
import { undeliverable } from "../alerts/channels/channel.ts";
import { type ConfirmationSent, sendConfirmation } from "../alerts/channels/confirmation.ts";
import {
  CHANNEL_FIELDS,
  type ChannelRecord,
  channelKindSchema,
  channelSettingsSchema,
  createChannel,
  deleteChannel,
  listChannels,
  noteDelivery,
  OPTIONAL_FIELDS,
  sendNotice,
} from "../alerts/channels/registry.ts";
import type { Notice } from "../alerts/notice.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint, issuesOf } from "../http/endpoint.ts";
import { ApiError, errorResponses, invalid, notFound, tooMany, tooManyRequests } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { severitySchema } from "../lifecycle/model/history-event.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { allowsLoopback } from "../outbound/endpoint.ts";
import { readSettings } from "../platform/settings.ts";

/** Where an owner's alerts go. */

const settingsForms = [...CHANNEL_FIELDS].map(([kind, fields]) => {
  const optional = OPTIONAL_FIELDS.get(kind) ?? [];
  const named = fields.map((field) => (optional.includes(field) ? `${field}?` : field));
  return `\`{kind: ${[kind, ...named].join(", ")}}\``;
});

const channelSchema = component(
  "Channel",
  z.object({
    id: z.string(),
    kind: channelKindSchema,
    name: z.string(),
    minimum_severity: severitySchema,
    created_at: z.string(),
    confirmed: z
      .boolean()
      .describe(
        "Whether alerts go there: an e-mail address must be confirmed by the link that was sent to it",
      ),
    last_delivery: z
      .object({
        at: z.string(),
        delivered: z.boolean(),
        detail: z.string().describe("What the other side said"),
      })
      .nullable(),
  }),
);

const channelsSchema = component("ChannelList", z.object({ channels: z.array(channelSchema) }));

const channelExample: z.infer<typeof channelSchema> = {
  id: "c-7a0c5b43-6d9b-4f6c-9a51-2f6f3f1f2b10",
  kind: "slack",
  name: "#gpus",
  minimum_severity: "warning",
  created_at: "2025-12-18T12:00:00Z",
  confirmed: true,
  last_delivery: { at: "2025-12-19T02:20:30Z", delivered: true, detail: "200 ok" },
};

const channelParams = z.object({ id: z.string().max(64) });

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

const createChannelSchema = component(
  "CreateChannelRequest",
  z.strictObject({
    name: z.string().trim().min(1).max(200),
    minimum_severity: severitySchema.default("warning"),
    // Which URLs are allowed depends on the service's settings, so the handler checks the rest.
    settings: z.looseObject({ kind: channelKindSchema }),
  }),
);

export class CreateChannel extends Endpoint {
  override schema = {
    operationId: "createChannel",
    tags: ["Channels"],
    summary: "Add a channel",
    description: `\`settings\` is one of ${settingsForms.join(", ")}. A webhook's secret begins with \`whsec_\` and signs by Standard Webhooks. URLs must be https and public. Settings are sealed and never shown again. An e-mail address gets one message with a link, and nothing else until that is opened.`,
    security: security("user"),
    request: {
      body: jsonBody(createChannelSchema, {
        name: "#gpus",
        minimum_severity: "warning",
        settings: { kind: "slack", url: "https://hooks.slack.com/services/T0/B0/x" },
      }),
    },
    responses: {
      201: jsonResponse("The channel", channelSchema, { ...channelExample, last_delivery: null }),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const settings = channelSettingsSchema(allowsLoopback(c.env)).safeParse(body.settings);
    if (!settings.success) throw invalid(issuesOf("body.settings", settings.error));
    const limit = readSettings(c.env).CHANNELS_PER_USER;
    const channel = await createChannel(
      c.env,
      userId,
      {
        name: body.name,
        minimumSeverity: body.minimum_severity,
        settings: settings.data,
        origin: new URL(c.req.url).origin,
      },
      limit,
    );
    if (channel === null) {
      throw tooMany(limit, "channels");
    }
    if (channel.confirmed) return c.json(channelView(channel), 201);
    const sent = await sendConfirmation(c.env, userId, channel.id);
    const delivery = sent.outcome === "tried" ? sent.delivery : undeliverable(whyNotAsked(sent));
    await noteDelivery(c.env, userId, channel.id, delivery);
    return c.json(channelView({ ...channel, lastDelivery: { ...delivery, at: Date.now() } }), 201);
  }
}

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

const testSchema = component(
  "ChannelTest",
  z.object({ delivered: z.boolean(), detail: z.string().describe("What the other side said") }),
);

export class TestChannel extends Endpoint {
  override schema = {
    operationId: "testChannel",
    tags: ["Channels"],
    summary: "Send a test message and see what the other side says",
    security: security("user"),
    request: { params: channelParams },
    responses: {
      200: jsonResponse("What came of it", testSchema, { delivered: false, detail: "404 no_service" }),
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
    const delivery = await sendNotice(
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

export class SendConfirmation extends Endpoint {
  override schema = {
    operationId: "sendChannelConfirmation",
    tags: ["Channels"],
    summary: "Send the link that confirms an e-mail channel once more",
    description: "Once a minute, and so often a day as the operator allows: then 429.",
    security: security("user"),
    request: { params: channelParams },
    responses: {
      200: jsonResponse("What came of it", testSchema, { delivered: true, detail: "taken as m-1" }),
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

function whyNotAsked({ outcome }: Exclude<ConfirmationSent, { outcome: "tried" }>): string {
  switch (outcome) {
    case "unknown":
      return "The channel is not there any more";
    case "confirmed":
      return "The address is confirmed already";
    case "too_many":
      return "Too many links to confirm an address were sent: wait, and have it sent again";
  }
}

function channelView(channel: ChannelRecord): z.infer<typeof channelSchema> {
  const { lastDelivery } = channel;
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    minimum_severity: channel.minimumSeverity,
    created_at: toIso(channel.createdAt),
    confirmed: channel.confirmed,
    last_delivery: lastDelivery && {
      at: toIso(lastDelivery.at),
      delivered: lastDelivery.delivered,
      detail: lastDelivery.detail,
    },
  };
}
