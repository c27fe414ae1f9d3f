import { seal, unseal } from "../../accounts/seal.ts";
import { issueToken } from "../../accounts/tokens.ts";
import type { Severity } from "../../lifecycle/model/history-event.ts";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { allowsLoopback } from "../../outbound/endpoint.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { count } from "../../service/meter.ts";
import type { Notice } from "../notice.ts";
import { type Channel, type Delivery, type Links, undeliverable, withoutSecrets } from "./channel.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import { ntfy } from "./ntfy.ts";
import { pagerduty } from "./pagerduty.ts";
import { inPlainText } from "./plain.ts";
import type { ChannelRecord } from "./record.ts";
import { type ChannelSettings, channelSettingsSchema, secretsOf, TO_CONFIRM } from "./settings.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

/** The channels through which a user is alerted. Their settings rest sealed in the user's fleet. */

/** What is kept of a channel that is needed to send by it. */
export interface SealedChannel {
  readonly settings: string;
  /** Where the service was reached when the channel was made: links begin with it. */
  readonly origin: string;
}

/** A channel that has told nothing yet. */
export type NewChannel = Omit<ChannelRecord, "lastDelivery">;

/** What of a channel changes; what is absent stays. */
export interface ChannelChanges {
  readonly name?: string | undefined;
  readonly minimumSeverity?: Severity | undefined;
  readonly paused?: boolean | undefined;
  /** Sealed. */
  readonly settings?: string | undefined;
}

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

/** Changes a channel; null when there is none. New settings are of the same kind. */
export async function changeChannel(
  env: Pick<Env, "FLEETS" | "SEAL_KEY">,
  userId: string,
  id: string,
  {
    settings,
    ...changes
  }: Omit<ChannelChanges, "settings"> & { readonly settings?: ChannelSettings | undefined },
): Promise<ChannelRecord | null> {
  const sealed =
    settings === undefined
      ? undefined
      : await seal(env.SEAL_KEY, channelPurpose(userId, id), JSON.stringify(settings));
  return fleetOf(env, userId).changeChannel(id, { ...changes, settings: sealed });
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

/** The same, also by a channel that is paused: whoever asks wants to see whether it works. */
export async function sendTest(
  env: Env,
  context: Pick<ExecutionContext, "waitUntil">,
  userId: string,
  id: string,
  notice: Notice,
  messageId: string,
): Promise<Delivery | null> {
  const fleet = fleetOf(env, userId);
  const sealed = (await answerOr(fleet.pausedChannel(id), null)) ?? (await fleet.sealedChannel(id));
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
  const channel = open(settings, env, `${userId}/${id}`);
  const answered = await channel.send(inPlainText(notice), links, `${messageId}-${id}`);
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
