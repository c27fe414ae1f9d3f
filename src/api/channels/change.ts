import { z } from "zod";
import type { ChannelRecord } from "../../alerts/channels/record.ts";
import { changeChannel, listChannels } from "../../alerts/channels/registry.ts";
import {
  type ChannelSettings,
  channelKindSchema,
  channelSettingsSchema,
} from "../../alerts/channels/settings.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint, issuesOf } from "../../http/endpoint.ts";
import { errorResponses, invalid, issueAt, notFound } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { allowsLoopback } from "../../outbound/endpoint.ts";
import { channelExample, channelParams, channelSchema, channelView } from "./schemas.ts";

/** Other settings of a channel, or a pause. */

const changeChannelSchema = component(
  "ChangeChannelRequest",
  z.strictObject({
    name: z.string().trim().min(1).max(200).optional(),
    minimum_severity: severitySchema.optional(),
    paused: z
      .boolean()
      .optional()
      .describe("While it is `true`, the channel is told of nothing, and hears nothing of it later either"),
    settings: z
      .looseObject({ kind: channelKindSchema })
      .optional()
      .describe(
        "All of them, of the same kind: what is kept is never shown, and so can't be changed in part",
      ),
  }),
);

export class ChangeChannel extends Endpoint {
  override schema = {
    operationId: "changeChannel",
    tags: ["Channels"],
    summary: "Change a channel, pause it, or take it up again",
    description:
      "What is left out stays as it is. The address of an e-mail channel can't be changed: its owner agreed to be told, and nobody else. New settings take a channel up again that was gone.",
    security: security("user"),
    request: {
      params: channelParams,
      body: jsonBody(changeChannelSchema, { minimum_severity: "critical", paused: false }),
    },
    responses: {
      200: jsonResponse("The channel", channelSchema, { ...channelExample, minimum_severity: "critical" }),
      ...errorResponses(400, 401, 403, 404, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const known = (await listChannels(c.env, userId)).find(({ id }) => id === params.id);
    if (known === undefined) throw notFound();
    const changed = await changeChannel(c.env, userId, params.id, {
      name: body.name,
      minimumSeverity: body.minimum_severity,
      paused: body.paused,
      settings: body.settings && newSettings(c.env, known, body.settings),
    });
    if (changed === null) throw notFound();
    return c.json(channelView(changed));
  }
}

function newSettings(env: Env, { kind }: ChannelRecord, entered: { readonly kind: string }): ChannelSettings {
  if (kind === "email") {
    throw invalid([issueAt("body.settings", text("error.email_fixed"))]);
  }
  if (entered.kind !== kind) {
    throw invalid([issueAt("body.settings.kind", phrase("error.channel_kind", { kind }))]);
  }
  const settings = channelSettingsSchema(allowsLoopback(env)).safeParse(entered);
  if (!settings.success) throw invalid(issuesOf("body.settings", settings.error));
  return settings.data;
}
