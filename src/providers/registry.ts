import { z } from "zod";
import { seal, unseal } from "../accounts/seal.ts";
import { CALLED_PROVIDERS, type CalledProvider } from "../lifecycle/model/provider.ts";
import { allowsLoopback } from "../outbound/endpoint.ts";
import { fleetOf } from "../platform/address.ts";
import { readSettings, type Vars } from "../platform/settings.ts";
import { azureCredentialsSchema } from "./azure/api.ts";
import { azure } from "./azure/driver.ts";
import { ec2CredentialsSchema } from "./ec2/api.ts";
import { ec2 } from "./ec2/driver.ts";
import { gcpCredentialsSchema } from "./gcp/credentials.ts";
import { gcp } from "./gcp/driver.ts";
import { hyperstackCredentialsSchema } from "./hyperstack/api.ts";
import { hyperstack } from "./hyperstack/driver.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { runpod, runpodCredentialsSchema } from "./runpod/driver.ts";
import { scalewayCredentialsSchema } from "./scaleway/api.ts";
import { scaleway } from "./scaleway/driver.ts";
import { tensordock, tensordockCredentialsSchema } from "./tensordock/driver.ts";
import { vastCredentialsSchema } from "./vast/api.ts";
import { vast } from "./vast/driver.ts";
import { webhook, webhookCredentialsSchema } from "./webhook/driver.ts";

/** The providers that are called, by kind, and each user's credentials for them, which the user's fleet keeps sealed. */

type ProviderEnv = Vars & Pick<Env, "FLEETS" | "SEAL_KEY">;

/** Credentials as a fleet keeps them, and when they were set, in ms. */
export interface SealedCredentials {
  readonly sealed: string;
  readonly setAt: number;
}

interface Driver {
  readonly credentials: z.ZodType;
  /** Throws a ZodError when the credentials are not of this form. */
  create(credentials: unknown): Provider;
}

const DRIVERS: Readonly<Record<CalledProvider, (allowLoopback: boolean) => Driver>> = {
  webhook: (allowLoopback) =>
    driver(webhookCredentialsSchema(allowLoopback), (credentials) => webhook(credentials, allowLoopback)),
  vast: () => driver(vastCredentialsSchema, (credentials) => vast(credentials)),
  runpod: () => driver(runpodCredentialsSchema, (credentials) => runpod(credentials)),
  ec2: () => driver(ec2CredentialsSchema, (credentials) => ec2(credentials)),
  gcp: () => driver(gcpCredentialsSchema, (credentials) => gcp(credentials)),
  azure: () => driver(azureCredentialsSchema, (credentials) => azure(credentials)),
  hyperstack: () => driver(hyperstackCredentialsSchema, (credentials) => hyperstack(credentials)),
  scaleway: () => driver(scalewayCredentialsSchema, (credentials) => scaleway(credentials)),
  tensordock: () => driver(tensordockCredentialsSchema, (credentials) => tensordock(credentials)),
};

function driver<T>(credentials: z.ZodType<T>, create: (credentials: T) => Provider): Driver {
  return { credentials, create: (given) => create(credentials.parse(given)) };
}

export const calledProviderSchema = z.enum(CALLED_PROVIDERS);

/** The form of credentials of this kind. */
export function credentialsSchema(kind: CalledProvider, env: Vars): z.ZodType {
  return DRIVERS[kind](allowsLoopback(env)).credentials;
}

/** The names of what credentials of this kind consist of. */
export function credentialFields(kind: CalledProvider): string[] {
  const { credentials } = DRIVERS[kind](false);
  return Object.keys(z.toJSONSchema(credentials, { io: "input" }).properties ?? {});
}

/** A provider that uses these credentials. Throws a ZodError when they do not have the form of this kind. */
export function createProvider(kind: CalledProvider, credentials: unknown, env: Vars): Provider {
  return DRIVERS[kind](allowsLoopback(env)).create(credentials);
}

/** A provider, and when the credentials that it uses had been set, in ms. */
export interface OpenProvider {
  readonly provider: Provider;
  readonly credentialsSetAt: number;
}

/** The user's provider of this kind. Throws a `ProviderError` when the user has given no credentials for it. */
export async function openProvider(env: ProviderEnv, userId: string, kind: string): Promise<OpenProvider> {
  // By wrong settings no provider is called, not even one that none of them concerns.
  readSettings(env);
  const called = calledProviderSchema.safeParse(kind).data;
  const kept = called === undefined ? null : await fleetOf(env, userId).credentials(called);
  if (called === undefined || kept === null) {
    throw new ProviderError("unauthorised", `there are no credentials for ${kind}`);
  }
  const text = await unseal(env.SEAL_KEY, credentialsPurpose(userId, called), kept.sealed);
  return { provider: createProvider(called, JSON.parse(text), env), credentialsSetAt: kept.setAt };
}

export async function keepCredentials(
  env: ProviderEnv,
  userId: string,
  kind: CalledProvider,
  credentials: unknown,
  setAt: number,
): Promise<void> {
  const sealed = await seal(env.SEAL_KEY, credentialsPurpose(userId, kind), JSON.stringify(credentials));
  await fleetOf(env, userId).keepCredentials(kind, { sealed, setAt });
}

/** When the user's credentials of this kind were last set; null without any. */
export async function credentialsSetAt(
  env: Pick<Env, "FLEETS">,
  userId: string,
  kind: string,
): Promise<number | null> {
  return (await fleetOf(env, userId).credentials(kind))?.setAt ?? null;
}

/** False when there are none. */
export async function removeCredentials(
  env: Pick<Env, "FLEETS">,
  userId: string,
  kind: CalledProvider,
): Promise<boolean> {
  return fleetOf(env, userId).removeCredentials(kind);
}

/** What credentials are sealed for. */
export function credentialsPurpose(userId: string, kind: string): string {
  return `provider/${userId}/${kind}`;
}
