import { z } from "zod";
import { seal, unseal } from "../../accounts/seal.ts";
import { issueToken } from "../../accounts/tokens.ts";
import { type Severity, severitySchema } from "../../lifecycle/model/history-event.ts";
import { jsonText, openEnum, readableRows } from "../../lifecycle/model/stored.ts";
import { allowsLoopback, publicUrlSchema, webhookSecretSchema } from "../../outbound/endpoint.ts";
import { count } from "../../service/meter.ts";
import type { Notice } from "../notice.ts";
import { type Channel, type Delivery, type KeepAliveLinks, undeliverable } from "./channel.ts";
import { email } from "./email.ts";
import { slack } from "./slack.ts";
import { webhook } from "./webhook.ts";

/** A user's channels in D1, their settings sealed. */

/** What is needed to open a channel of each kind. */
export function channelSettingsSchema(allowLoopback: boolean) {
  const url = publicUrlSchema(allowLoopback);
  return z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("slack"), url }),
    z.strictObject({ kind: z.literal("email"), to: z.email().max(254) }),
    z.strictObject({ kind: z.literal("webhook"), url, secret: webhookSecretSchema }),
  ]);
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

export const channelKindSchema = z.enum([...CHANNEL_FIELDS.keys()]);

export interface ChannelRecord {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly minimumSeverity: Severity;
  readonly createdAt: number;
  readonly lastDelivery: { readonly at: number; readonly delivered: boolean; readonly detail: string } | null;
}

const channelRow = z
  .object({
    id: z.string(),
    kind: openEnum<ChannelKind>(),
    name: z.string(),
    // One of a newer version: rather too much is told than nothing.
    minimum_severity: severitySchema.catch("info"),
    created_at: z.number(),
    last_delivery: jsonText(z.object({ at: z.number(), delivered: z.boolean(), detail: z.string() }))
      .nullable()
      .catch(null),
  })
  .transform(
    (row): ChannelRecord => ({
      id: row.id,
      kind: row.kind,
      name: row.name,
      minimumSeverity: row.minimum_severity,
      createdAt: row.created_at,
      lastDelivery: row.last_delivery,
    }),
  );

export async function listChannels(db: D1Database, userId: string): Promise<ChannelRecord[]> {
  const { results } = await db
    .prepare(
      `SELECT id, kind, name, minimum_severity, created_at, last_delivery
       FROM channels WHERE user_id = ? ORDER BY id`,
    )
    .bind(userId)
    .all();
  return readableRows(channelRow, results);
}

export async function createChannel(
  env: Pick<Env, "DB" | "SEAL_KEY">,
  userId: string,
  channel: {
    readonly name: string;
    readonly minimumSeverity: Severity;
    readonly settings: ChannelSettings;
    readonly origin: string;
  },
  now: number,
): Promise<ChannelRecord> {
  const id = `c-${crypto.randomUUID()}`;
  const { kind } = channel.settings;
  await env.DB.prepare(
    `INSERT INTO channels (user_id, id, kind, name, minimum_severity, settings, origin, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
    .bind(
      userId,
      id,
      kind,
      channel.name,
      channel.minimumSeverity,
      await seal(env.SEAL_KEY, purpose(userId, id), JSON.stringify(channel.settings)),
      channel.origin,
      now,
    )
    .run();
  return {
    id,
    kind,
    name: channel.name,
    minimumSeverity: channel.minimumSeverity,
    createdAt: now,
    lastDelivery: null,
  };
}

export async function deleteChannel(db: D1Database, userId: string, id: string): Promise<boolean> {
  const { meta } = await db
    .prepare("DELETE FROM channels WHERE user_id = ? AND id = ?")
    .bind(userId, id)
    .run();
  return meta.changes > 0;
}

export async function noteDelivery(
  db: D1Database,
  userId: string,
  id: string,
  delivery: Delivery,
  now: number,
): Promise<void> {
  await db
    .prepare("UPDATE channels SET last_delivery = ? WHERE user_id = ? AND id = ?")
    .bind(JSON.stringify({ at: now, delivered: delivery.delivered, detail: delivery.detail }), userId, id)
    .run();
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
  const row = await env.DB.prepare("SELECT settings, origin FROM channels WHERE user_id = ? AND id = ?")
    .bind(userId, id)
    .first<{ settings: string; origin: string }>();
  if (row === null) return null;
  const text = await unseal(env.SEAL_KEY, purpose(userId, id), row.settings);
  const known = jsonText(channelSettingsSchema(allowsLoopback(env))).safeParse(text);
  if (!known.success) return undeliverable("this version of the service does not know such a channel");
  const settings = known.data;
  const links = await keepAliveLinks(env, userId, row.origin, notice);
  const delivery = await open(settings, env).send(notice, links, `${messageId}-${id}`);
  const outcome = delivery.delivered ? "delivered" : "failed";
  count(env, context, "alerts", { channel: settings.kind, outcome });
  return delivery;
}

function open(settings: ChannelSettings, env: Env): Channel {
  switch (settings.kind) {
    case "slack":
      return slack(settings, allowsLoopback(env));
    case "email":
      return email(settings, env);
    case "webhook":
      return webhook(settings, allowsLoopback(env));
  }
}

async function keepAliveLinks(
  env: Pick<Env, "TOKEN_KEY">,
  userId: string,
  origin: string,
  notice: Notice,
): Promise<KeepAliveLinks> {
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
  return new Map(links.filter((link) => link !== null));
}

function purpose(userId: string, id: string): string {
  return `channel/${userId}/${id}`;
}
