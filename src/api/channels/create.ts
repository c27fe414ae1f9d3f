import { z } from "zod";
import { undeliverable } from "../../alerts/channels/channel.ts";
import { sendConfirmation } from "../../alerts/channels/confirmation.ts";
import { createChannel, noteDelivery } from "../../alerts/channels/registry.ts";
import {
  CHANNEL_FIELDS,
  channelKindSchema,
  channelSettingsSchema,
  OPTIONAL_FIELDS,
} from "../../alerts/channels/settings.ts";
import { noteAct } from "../../http/audit.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint, issuesOf } from "../../http/endpoint.ts";
import { errorResponses, invalid, tooMany } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { allowsLoopback } from "../../outbound/endpoint.ts";
import { readSettings } from "../../platform/settings.ts";
import { channelExample, channelSchema, channelView, whyNotAsked } from "./schemas.ts";

/** A further place where alerts go. */

const settingsForms = [...CHANNEL_FIELDS].map(([kind, fields]) => {
  const optional = OPTIONAL_FIELDS.get(kind) ?? [];
  const named = fields.map((field) => (optional.includes(field) ? `${field}?` : field));
  return `\`{kind: ${[kind, ...named].join(", ")}}\``;
});

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
    noteAct(c, { subject: channel.id, detail: { name: channel.name, kind: channel.kind } });
    if (channel.confirmed) return c.json(channelView(channel), 201);
    const sent = await sendConfirmation(c.env, userId, channel.id);
    const delivery = sent.outcome === "tried" ? sent.delivery : undeliverable(whyNotAsked(sent));
    await noteDelivery(c.env, userId, channel.id, delivery);
    return c.json(channelView({ ...channel, lastDelivery: { ...delivery, at: Date.now() } }), 201);
  }
}
