import { z } from "zod";
import { seal, unseal } from "../accounts/seal.ts";
import { CALLED_PROVIDERS, type CalledProvider } from "../lifecycle/model/provider.ts";
import { allowsLoopback } from "../outbound/endpoint.ts";
import { ec2 } from "./ec2.ts";
import { ec2CredentialsSchema } from "./ec2-api.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { runpod, runpodCredentialsSchema } from "./runpod.ts";
import { vast, vastCredentialsSchema } from "./vast.ts";
import { webhook, webhookCredentialsSchema } from "./webhook.ts";

/** The providers that are called, by kind, and each user's credentials for them, sealed in D1. */

type DriverEnv = Pick<Env, "ALLOW_LOOPBACK_URLS">;
type ProviderEnv = DriverEnv & Pick<Env, "DB" | "SEAL_KEY">;

interface Driver {
  readonly credentials: z.ZodType;
  /** Throws a ZodError when the credentials are not of this form. */
  create(credentials: unknown): Provider;
}

const DRIVERS: Readonly<Record<CalledProvider, (env: DriverEnv) => Driver>> = {
  webhook: (env) => {
    const allowLoopback = allowsLoopback(env);
    return driver(webhookCredentialsSchema(allowLoopback), (credentials) =>
      webhook(credentials, allowLoopback),
    );
  },
  vast: () => driver(vastCredentialsSchema, (credentials) => vast(credentials)),
  runpod: () => driver(runpodCredentialsSchema, (credentials) => runpod(credentials)),
  ec2: () => driver(ec2CredentialsSchema, (credentials) => ec2(credentials)),
};

function driver<T>(credentials: z.ZodType<T>, create: (credentials: T) => Provider): Driver {
  return { credentials, create: (given) => create(credentials.parse(given)) };
}

export const calledProviderSchema = z.enum(CALLED_PROVIDERS);

/** The form of credentials of this kind. */
export function credentialsSchema(kind: CalledProvider, env: DriverEnv): z.ZodType {
  return DRIVERS[kind](env).credentials;
}

/** The names of what credentials of this kind consist of. */
export function credentialFields(kind: CalledProvider): string[] {
  const schema = credentialsSchema(kind, { ALLOW_LOOPBACK_URLS: "false" });
  return Object.keys(z.toJSONSchema(schema, { io: "input" }).properties ?? {});
}

/** A provider that uses these credentials. Throws a ZodError when they do not have the form of this kind. */
export function createProvider(kind: CalledProvider, credentials: unknown, env: ProviderEnv): Provider {
  return DRIVERS[kind](env).create(credentials);
}

/** The user's provider of this kind. Throws a `ProviderError` when the user has given no credentials for it. */
export async function openProvider(env: ProviderEnv, userId: string, kind: string): Promise<Provider> {
  const called = calledProviderSchema.safeParse(kind).data;
  const row =
    called &&
    (await env.DB.prepare("SELECT credentials FROM providers WHERE user_id = ? AND kind = ?")
      .bind(userId, called)
      .first<{ credentials: string }>());
  if (called === undefined || !row) {
    throw new ProviderError("unauthorised", `there are no credentials for ${kind}`);
  }
  const text = await unseal(env.SEAL_KEY, purpose(userId, called), row.credentials);
  return createProvider(called, JSON.parse(text), env);
}

export async function keepCredentials(
  env: ProviderEnv,
  userId: string,
  kind: CalledProvider,
  credentials: unknown,
  now: number,
): Promise<void> {
  const sealed = await seal(env.SEAL_KEY, purpose(userId, kind), JSON.stringify(credentials));
  await env.DB.prepare(
    `INSERT INTO providers (user_id, kind, credentials, updated_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (user_id, kind) DO UPDATE SET credentials = excluded.credentials, updated_at = excluded.updated_at`,
  )
    .bind(userId, kind, sealed, now)
    .run();
}

/** When the user's credentials of this kind were last set; null without any. */
export async function credentialsSetAt(db: D1Database, userId: string, kind: string): Promise<number | null> {
  const row = await db
    .prepare("SELECT updated_at FROM providers WHERE user_id = ? AND kind = ?")
    .bind(userId, kind)
    .first<{ updated_at: number }>();
  return row?.updated_at ?? null;
}

export async function removeCredentials(
  db: D1Database,
  userId: string,
  kind: CalledProvider,
): Promise<boolean> {
  const { meta } = await db
    .prepare("DELETE FROM providers WHERE user_id = ? AND kind = ?")
    .bind(userId, kind)
    .run();
  return meta.changes > 0;
}

function purpose(userId: string, kind: CalledProvider): string {
  return `provider/${userId}/${kind}`;
}
