import { z } from "zod";
import {
  CHANNEL_FIELDS,
  type ChannelRecord,
  channelKindSchema,
  channelSettingsSchema,
  createChannel,
  deleteChannel,
  listChannels,
  noteDelivery,
  sendNotice,
} from "../alerts/channels/registry.ts";
import type { Notice } from "../alerts/notice.ts";
import { userIdOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint, issuesOf } from "../http/endpoint.ts";
import { ApiError, errorResponses, invalid, notFound, tooManyRequests } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { severitySchema } from "../lifecycle/model/history-event.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { allowsLoopback } from "../outbound/endpoint.ts";

/** Where an owner's alerts go. */

const settingsForms = [...CHANNEL_FIELDS].map(
  ([kind, fields]) => `\`{kind: ${[kind, ...fields].join(", ")}}\``,
);

const channelSchema = component(
  "Channel",
  z.object({
    id: z.string(),
    kind: channelKindSchema,
    name: z.string(),
    minimum_severity: severitySchema,
    created_at: z.string(),
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

/** More than any user needs. */
const MAXIMUM_CHANNELS = 20;

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
    description: `\`settings\` is one of ${settingsForms.join(", ")}. A webhook's secret begins with \`whsec_\` and signs by Standard Webhooks. URLs must be https and public. Settings are sealed and never shown again.`,
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
    const channel = await createChannel(
      c.env,
      userId,
      {
        name: body.name,
        minimumSeverity: body.minimum_severity,
        settings: settings.data,
        origin: new URL(c.req.url).origin,
      },
      MAXIMUM_CHANNELS,
    );
    if (channel === null) {
      throw new ApiError("too_many", `A user has ${MAXIMUM_CHANNELS} channels at most`);
    }
    return c.json(channelView(channel), 201);
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
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const { success } = await c.env.CHANNEL_TEST_LIMIT.limit({ key: userId });
    if (!success) throw tooManyRequests("Too many tests of channels: go on in a minute");
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

function channelView(channel: ChannelRecord): z.infer<typeof channelSchema> {
  const { lastDelivery } = channel;
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    minimum_severity: channel.minimumSeverity,
    created_at: toIso(channel.createdAt),
    last_delivery: lastDelivery && { ...lastDelivery, at: toIso(lastDelivery.at) },
  };
}
