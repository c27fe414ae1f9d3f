import { z } from "zod";
import { seal, unseal } from "../../accounts/seal.ts";
import { issueToken } from "../../accounts/tokens.ts";
import type { Severity } from "../../lifecycle/model/history-event.ts";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { allowsLoopback, publicUrlSchema, webhookSecretSchema } from "../../outbound/endpoint.ts";
import { fleetOf } from "../../platform/address.ts";
import { count } from "../../service/meter.ts";
import type { Notice } from "../notice.ts";
import { type Channel, type Delivery, type Links, undeliverable, withoutSecrets } from "./channel.ts";
import { DISCORD_URL, discord } from "./discord.ts";
import { email } from "./email.ts";
import { NTFY_TOPIC, ntfy } from "./ntfy.ts";
import { PAGERDUTY_KEY, pagerduty, REGIONS } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { TELEGRAM_CHAT, TELEGRAM_TOKEN, telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

/** The channels through which a user is alerted. Their settings rest sealed in the user's fleet. */

/** What is needed to open a channel of each kind. */
export function channelSettingsSchema(allowLoopback: boolean) {
  const url = publicUrlSchema(allowLoopback);
  return z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("slack"), url }),
    z.strictObject({ kind: z.literal("email"), to: z.email().max(254) }),
    z.strictObject({ kind: z.literal("webhook"), url, secret: webhookSecretSchema }),
    z.strictObject({
      kind: z.literal("discord"),
      url: url.regex(DISCORD_URL, "must be a webhook of Discord: https://discord.com/api/webhooks/…"),
    }),
    z.strictObject({ kind: z.literal("teams"), url }),
    z.strictObject({
      kind: z.literal("telegram"),
      token: z.string().regex(TELEGRAM_TOKEN, "must be a bot's token: 123456:ABC…"),
      chat_id: z.string().regex(TELEGRAM_CHAT, "must be a chat's number, or @ and a public channel's name"),
    }),
    z.strictObject({
      kind: z.literal("ntfy"),
      server: url.default("https://ntfy.sh"),
      topic: z.string().regex(NTFY_TOPIC, "must be 1 to 64 letters, digits, - and _"),
      token: z
        .string()
        .regex(/^[\w-]{1,200}$/, "must be an access token: tk_…")
        .optional(),
    }),
    z.strictObject({
      kind: z.literal("pagerduty"),
      routing_key: z.string().regex(PAGERDUTY_KEY, "must be an integration key: 32 letters and digits"),
      region: z.enum(REGIONS).default("us"),
    }),
  ]);
}

/** Kinds whose address anybody could enter: whoever gets the messages must have agreed. */
const TO_CONFIRM: ReadonlySet<ChannelKind> = new Set<ChannelKind>(["email"]);

/** Kinds that keep an incident for each problem: they must hear of its end, whatever they want to hear of. */
const KEEPS_INCIDENTS: ReadonlySet<ChannelKind> = new Set<ChannelKind>(["pagerduty"]);

export function keepsIncidents(kind: ChannelKind): boolean {
  return KEEPS_INCIDENTS.has(kind);
}

type ChannelSettings = z.infer<ReturnType<typeof channelSettingsSchema>>;
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

export interface ChannelRecord {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly minimumSeverity: Severity;
  readonly createdAt: number;
  /** False until the owner of its address has agreed: until then it is told of nothing. */
  readonly confirmed: boolean;
  readonly lastDelivery: { readonly at: number; readonly delivered: boolean; readonly detail: string } | null;
}

/** What is kept of a channel that is needed to send by it. */
export interface SealedChannel {
  readonly settings: string;
  /** Where the service was reached when the channel was made: links begin with it. */
  readonly origin: string;
}

/** A channel that has told nothing yet. */
export type NewChannel = Omit<ChannelRecord, "lastDelivery">;

export async function listChannels(env: Pick<Env, "FLEETS">, userId: string): Promise<ChannelRecord[]> {
  return fleetOf(env, userId).channels();
}

/** Adds a channel; null when the user has `limit` already. */
export async function createChannel(
  env: Pick<Env, "FLEETS" | "SEAL_KEY">,
  userId: string,
  {
    name,
    minimumSeverity,
    settings,
    origin,
  }: {
    readonly name: string;
    readonly minimumSeverity: Severity;
    readonly settings: ChannelSettings;
    readonly origin: string;
  },
  limit: number,
): Promise<ChannelRecord | null> {
  const id = `c-${crypto.randomUUID()}`;
  const confirmed = !TO_CONFIRM.has(settings.kind);
  const channel = { id, kind: settings.kind, name, minimumSeverity, createdAt: Date.now(), confirmed };
  const sealed = {
    settings: await seal(env.SEAL_KEY, channelPurpose(userId, id), JSON.stringify(settings)),
    origin,
  };
  const isAdded = await fleetOf(env, userId).addChannel(channel, sealed, limit);
  return isAdded ? { ...channel, lastDelivery: null } : null;
}

/** False when there is no such channel. */
export async function deleteChannel(env: Pick<Env, "FLEETS">, userId: string, id: string): Promise<boolean> {
  return fleetOf(env, userId).deleteChannel(id);
}

/** `deliveryId`: of the message, if the fleet keeps it until it hears how it ended. */
export async function noteDelivery(
  env: Pick<Env, "FLEETS">,
  userId: string,
  id: string,
  delivery: Delivery,
  deliveryId?: string,
): Promise<void> {
  await fleetOf(env, userId).noteDelivery(id, delivery, deliveryId);
}

/** Sends a notice by one channel; null when the user has no such channel any more. */
export async function sendNotice(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  userId: string,
  id: string,
  notice: Notice,
  messageId: string,
): Promise<Delivery | null> {
  const sealed = await fleetOf(env, userId).sealedChannel(id);
  return sealed === null ? null : sendBy(env, context, { userId, id, sealed }, notice, messageId);
}

/** Sends a notice by a channel of which everything is known. */
export async function sendBy(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  { userId, id, sealed }: { readonly userId: string; readonly id: string; readonly sealed: SealedChannel },
  notice: Notice,
  messageId: string,
): Promise<Delivery> {
  const settings = await openSettings(env, { userId, id, sealed });
  if (settings === null) return undeliverable("this version of the service does not know such a channel");
  const links = await linksOf(env, userId, sealed.origin, notice);
  const answered = await open(settings, env, `${userId}/${id}`).send(notice, links, `${messageId}-${id}`);
  const delivery = withoutSecrets(answered, secretsOf(settings));
  const outcome = delivery.delivered ? "delivered" : "failed";
  count(env, context, "alerts", { channel: settings.kind, outcome });
  return delivery;
}

/** The settings of a channel; null for one of another version of the service. */
export async function openSettings(
  env: Env,
  { userId, id, sealed }: { readonly userId: string; readonly id: string; readonly sealed: SealedChannel },
): Promise<ChannelSettings | null> {
  const text = await unseal(env.SEAL_KEY, channelPurpose(userId, id), sealed.settings);
  return jsonText(channelSettingsSchema(allowsLoopback(env))).safeParse(text).data ?? null;
}

/** `scope`: names the channel among all. */
function open(settings: ChannelSettings, env: Env, scope: string): Channel {
  switch (settings.kind) {
    case "slack":
      return slack(settings, allowsLoopback(env));
    case "email":
      return email(settings, env);
    case "webhook":
      return webhook(settings, allowsLoopback(env));
    case "discord":
      return discord(settings, allowsLoopback(env));
    case "teams":
      return teams(settings, allowsLoopback(env));
    case "telegram":
      return telegram(settings, allowsLoopback(env));
    case "ntfy":
      return ntfy(settings, allowsLoopback(env));
    case "pagerduty":
      return pagerduty(settings, scope, allowsLoopback(env));
  }
}

/** What of a channel's settings nobody may see. */
function secretsOf(settings: ChannelSettings): string[] {
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
      return [settings.secret];
  }
}

/** An address that whoever knows it may send to. */
function secretsOfUrl(url: string): string[] {
  const { pathname, search } = new URL(url);
  return [url, pathname, ...(search === "" ? [] : [search])];
}

async function linksOf(
  env: Pick<Env, "TOKEN_KEY">,
  userId: string,
  origin: string,
  notice: Notice,
): Promise<Links> {
  const lines = notice.groups.flatMap((group) => group.lines);
  const links = await Promise.all(
    lines.map(async ({ eventId, instanceId, keepAlive }): Promise<[string, string] | null> => {
      // A notice that a former version composed has no such field: it is told without links.
      if (keepAlive == null) return null;
      const token = await issueToken(env.TOKEN_KEY, {
        scope: "keep_alive",
        sub: userId,
        instance: instanceId,
        registered_at: keepAlive.registeredAt,
        jti: eventId,
        exp: Math.floor(keepAlive.until / 1000),
      });
      return [eventId, `${origin}/keep-alive/${token}`];
    }),
  );
  return { keepAlive: new Map(links.filter((link) => link !== null)), origin };
}

/** What the settings of a channel are sealed for. */
export function channelPurpose(userId: string, id: string): string {
  return `channel/${userId}/${id}`;
}
