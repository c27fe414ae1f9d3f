import { z } from "zod";
import { text } from "../../lifecycle/model/words/say.ts";
import { publicUrlSchema, webhookSecretSchema } from "../../outbound/endpoint.ts";
import { DISCORD_URL } from "./discord.ts";
import { NTFY_TOPIC } from "./ntfy.ts";
import { PAGERDUTY_KEY, REGIONS } from "./pagerduty.ts";
import { TELEGRAM_CHAT, TELEGRAM_TOKEN } from "./telegram.ts";

/** The kinds of channels, and what each asks for. */

/** What is needed to open a channel of each kind. */
export function channelSettingsSchema(allowLoopback: boolean) {
  const url = publicUrlSchema(allowLoopback);
  return z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("slack"), url }),
    z.strictObject({ kind: z.literal("email"), to: z.email().max(254) }),
    z.strictObject({ kind: z.literal("webhook"), url, secret: webhookSecretSchema }),
    z.strictObject({
      kind: z.literal("discord"),
      url: url.regex(DISCORD_URL, text("must.be_discord_webhook")),
    }),
    z.strictObject({ kind: z.literal("teams"), url }),
    z.strictObject({
      kind: z.literal("telegram"),
      token: z.string().regex(TELEGRAM_TOKEN, text("must.be_bot_token")),
      chat_id: z.string().regex(TELEGRAM_CHAT, text("must.be_chat")),
    }),
    z.strictObject({
      kind: z.literal("ntfy"),
      server: url.default("https://ntfy.sh"),
      topic: z.string().regex(NTFY_TOPIC, text("must.be_topic")),
      token: z
        .string()
        .regex(/^[\w-]{1,200}$/, text("must.be_access_token"))
        .optional(),
    }),
    z.strictObject({
      kind: z.literal("pagerduty"),
      routing_key: z.string().regex(PAGERDUTY_KEY, text("must.be_integration_key")),
      region: z.enum(REGIONS).default("us"),
    }),
  ]);
}

/** Kinds whose address anybody could enter: whoever gets the messages must have agreed. */
export const TO_CONFIRM: ReadonlySet<ChannelKind> = new Set<ChannelKind>(["email"]);

/** Kinds that keep an incident for each problem: they must hear of its end, whatever they want to hear of. */
export const KEEPS_INCIDENTS: ReadonlySet<ChannelKind> = new Set<ChannelKind>(["pagerduty"]);

export function keepsIncidents(kind: ChannelKind): boolean {
  return KEEPS_INCIDENTS.has(kind);
}

export type ChannelSettings = z.infer<ReturnType<typeof channelSettingsSchema>>;
export type ChannelKind = ChannelSettings["kind"];

/** What each kind asks for, without the kind itself. */
export const CHANNEL_FIELDS: ReadonlyMap<ChannelKind, readonly string[]> = new Map(
  channelSettingsSchema(false).options.map(({ shape: { kind, ...fields } }) => [
    kind.value,
    Object.keys(fields),
  ]),
);

/** Those of them that may be left out. */
export const OPTIONAL_FIELDS: ReadonlyMap<ChannelKind, readonly string[]> = new Map(
  channelSettingsSchema(false).options.map(({ shape: { kind, ...fields } }) => [
    kind.value,
    Object.entries(fields).flatMap(([name, field]) => (field.safeParse(undefined).success ? [name] : [])),
  ]),
);

export const channelKindSchema = z.enum([...CHANNEL_FIELDS.keys()]);

/** What of a channel's settings nobody may see. */
export function secretsOf(settings: ChannelSettings): string[] {
  switch (settings.kind) {
    case "slack":
    case "discord":
    case "teams":
      return secretsOfUrl(settings.url);
    case "telegram":
      return [settings.token];
    case "ntfy":
      return [settings.topic, ...(settings.token === undefined ? [] : [settings.token])];
    case "pagerduty":
      return [settings.routing_key];
    case "email":
      return [];
    case "webhook":
      return [settings.secret, ...secretsOfUrl(settings.url)];
  }
}

/** Shorter ones in the middle of an address are words. */
const SECRET_PART_LENGTH = 16;
const SECRET_LENGTH = 8;

/** An address that whoever knows it may send to: the other side may name a part of it alone. */
function secretsOfUrl(url: string): string[] {
  const { pathname, search, searchParams } = new URL(url);
  const parts = pathname.split("/");
  const named = parts.filter(
    ({ length }, index) => length >= (index === parts.length - 1 ? SECRET_LENGTH : SECRET_PART_LENGTH),
  );
  const values = [...searchParams.values()].filter(({ length }) => length >= SECRET_LENGTH);
  return [url, pathname, search, ...named, ...values, ...values.map(encodeURIComponent)];
}
