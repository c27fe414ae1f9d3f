import { z } from "zod";
import { unseal } from "../accounts/seal.ts";
import {
  CALLED_PROVIDERS,
  type CalledProvider,
  type ConnectedProvider,
  calledKind,
  connectedBy,
  connectionOf,
  kindOf,
} from "../lifecycle/model/provider.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { allowsLoopback } from "../outbound/endpoint.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { logWarning } from "../platform/log.ts";
import { readSettings, type Vars } from "../platform/settings.ts";
import { NoAnswer, within } from "../platform/within.ts";
import { azureCredentialsSchema } from "./azure/api.ts";
import { azure } from "./azure/driver.ts";
import {
  type Connection,
  credentialsOf,
  credentialsPurpose,
  isRefused,
  type KeptCredentials,
  sealCredentials,
  type Trial,
  trialOf,
} from "./connections.ts";
import { digitalOceanCredentialsSchema } from "./digitalocean/api.ts";
import { digitalocean } from "./digitalocean/driver.ts";
import { ec2CredentialsSchema } from "./ec2/api.ts";
import { ec2 } from "./ec2/driver.ts";
import { gcpCredentialsSchema } from "./gcp/credentials.ts";
import { gcp } from "./gcp/driver.ts";
import { hyperstackCredentialsSchema } from "./hyperstack/api.ts";
import { hyperstack } from "./hyperstack/driver.ts";
import { lambda, lambdaCredentialsSchema } from "./lambda/driver.ts";
import { endingList } from "./listing.ts";
import { type Provider, ProviderError } from "./provider.ts";
import { runpod, runpodCredentialsSchema } from "./runpod/driver.ts";
import { scalewayCredentialsSchema } from "./scaleway/api.ts";
import { scaleway } from "./scaleway/driver.ts";
import { tensordock, tensordockCredentialsSchema } from "./tensordock/driver.ts";
import { vastCredentialsSchema } from "./vast/api.ts";
import { vast } from "./vast/driver.ts";
import { verdaCredentialsSchema } from "./verda/api.ts";
import { verda } from "./verda/driver.ts";
import { webhook, webhookCredentialsSchema } from "./webhook/driver.ts";

/** The providers that are called, by kind, and how one is opened with a user's credentials. */

type ProviderEnv = Vars & Pick<Env, "FLEETS" | "SEAL_KEY">;

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
  lambda: () => driver(lambdaCredentialsSchema, (credentials) => lambda(credentials)),
  digitalocean: () => driver(digitalOceanCredentialsSchema, (credentials) => digitalocean(credentials)),
  verda: () => driver(verdaCredentialsSchema, (credentials) => verda(credentials)),
};

function driver<T>(credentials: z.ZodType<T>, create: (credentials: T) => Provider): Driver {
  return { credentials, create: (given) => create(credentials.parse(given)) };
}

export const calledProviderSchema = z.enum(CALLED_PROVIDERS);

/** The form of credentials of this kind. */
export function credentialsSchema(kind: CalledProvider, env: Vars): z.ZodType {
  return DRIVERS[kind](allowsLoopback(env)).credentials;
}

/** What credentials of a kind consist of. */
interface CredentialField {
  readonly name: string;
  readonly isRequired: boolean;
}

export function credentialForm(kind: CalledProvider): CredentialField[] {
  const { credentials } = DRIVERS[kind](false);
  const { properties = {}, required = [] } = z.toJSONSchema(credentials, { io: "input" });
  return Object.keys(properties).map((name) => ({ name, isRequired: required.includes(name) }));
}

/** The names of what credentials of this kind consist of. */
export function credentialFields(kind: CalledProvider): string[] {
  return credentialForm(kind).map(({ name }) => name);
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

/** `check`: they are tried on purpose, so refused ones too. */
type Purpose = "call" | "check";

/**
 * The user's provider, by the connection that it names. Throws a `ProviderError` without credentials for it, and, but for a
 * check, where the provider has refused them time and again. What becomes of a call is noted with the fleet if it says something
 * new of the credentials.
 */
export async function openProvider(
  env: ProviderEnv,
  userId: string,
  connected: ConnectedProvider,
  purpose: Purpose = "call",
): Promise<OpenProvider> {
  const id = connectionOf(connected);
  const kind = calledKind(kindOf(connected));
  const kept = await credentialsOf(env, userId, connected);
  if (id === null || kind === null || kept === null) {
    throw new ProviderError("unauthorised", `there are no credentials for ${kindOf(connected)}`);
  }
  const note = (trial: Trial) => noteTrial(env, userId, id, trial);
  return openKept(env, userId, { id, kind, kept }, purpose === "call" ? note : null);
}

/** The provider that these credentials open. `note`: takes what a call says of them that is new; null for a check. */
export async function openKept(
  env: ProviderEnv,
  userId: string,
  { id, kind, kept }: { readonly id: string; readonly kind: CalledProvider; readonly kept: KeptCredentials },
  note: ((trial: Trial) => unknown) | null,
): Promise<OpenProvider> {
  // By wrong settings no provider is called, not even one that none of them concerns.
  readSettings(env);
  const { connection, setAt } = kept;
  if (connection !== undefined && isRefused(connection) && note !== null) {
    throw new ProviderError(
      "unauthorised",
      `the credentials of ${connection.name} are refused: set others, or have them checked`,
    );
  }
  const text = await unseal(env.SEAL_KEY, credentialsPurpose(userId, id), kept.sealed);
  const created = createProvider(kind, JSON.parse(text), env);
  if (note === null) return { provider: created, credentialsSetAt: setAt };
  const provider = noting(created, async (error) => {
    const trial = trialOf(error, { setAt, isCheck: false });
    const isNews = trial.outcome === "refused" || (trial.outcome === "accepted" && isDoubted(connection));
    if (isNews) await note(trial);
  });
  return { provider, credentialsSetAt: setAt };
}

/** Whether a success says something new. */
function isDoubted(connection: Connection | undefined): boolean {
  return connection !== undefined && connection.refusals > 0;
}

/** The provider, which tells of each call how it ended: by which error, or null. */
function noting(provider: Provider, note: (error: ProviderError | null) => Promise<void>): Provider {
  const noted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const answer = await call;
      await note(null);
      return answer;
    } catch (error) {
      if (error instanceof ProviderError) await note(error);
      throw error;
    }
  };
  const { list } = provider;
  return {
    hibernate: (target) => noted(provider.hibernate(target)),
    forceHibernate: (target) => noted(provider.forceHibernate(target)),
    wake: (target) => noted(provider.wake(target)),
    snapshot: (target) => noted(provider.snapshot(target)),
    snapshotState: (snapshotId) => noted(provider.snapshotState(snapshotId)),
    delete: (target) => noted(provider.delete(target)),
    status: (target) => noted(provider.status(target)),
    verify: (target) => noted(provider.verify(target)),
    list: list === null ? null : endingList((after) => noted(list(after))),
  };
}

/** A note that the fleet does not take in time costs no more than that: the next call says the same. */
const NOTE_LIMIT_MS = 5 * SECOND_MS;

/** Tells the fleet what became of a trial. It never fails a call. */
async function noteTrial(
  env: Pick<Env, "FLEETS">,
  userId: string,
  id: string,
  trial: Trial,
): Promise<Connection | null> {
  try {
    return await within(NOTE_LIMIT_MS, answerOr(fleetOf(env, userId).noteTrial(id, trial), null));
  } catch (error) {
    logWarning("a trial of credentials is not noted", { user_id: userId, connection: id }, error);
    return null;
  }
}

/**
 * Makes a harmless call with a connection's credentials, by `make` which gives it its turn, and notes what became of it. Null when
 * there is no such connection.
 */
export async function checkConnection(
  env: ProviderEnv,
  userId: string,
  connection: Connection,
  make: (connected: ConnectedProvider, call: () => Promise<void>) => Promise<void>,
): Promise<Connection | null> {
  const connected = connectedBy(connection.kind, connection.id);
  const { provider, credentialsSetAt } = await openProvider(env, userId, connected, "check");
  const error = await problemOf(make(connected, () => provider.verify(null)));
  const trial = trialOf(error, { setAt: credentialsSetAt, isCheck: true });
  return noteTrial(env, userId, connection.id, trial);
}

/** For all calls that a provider needs together. Each has its own limit too. */
const CHECK_LIMIT_MS = 25 * SECOND_MS;

/** What is wrong with these credentials, by a harmless call; null when nothing is. */
export async function tryCredentials(
  kind: CalledProvider,
  credentials: unknown,
  env: Vars,
): Promise<ProviderError | null> {
  return problemOf(createProvider(kind, credentials, env).verify(null));
}

async function problemOf(verified: Promise<void>): Promise<ProviderError | null> {
  try {
    await within(CHECK_LIMIT_MS, verified);
    return null;
  } catch (error) {
    if (error instanceof ProviderError) return error;
    if (error instanceof NoAnswer) return new ProviderError("unavailable", "it did not answer in time");
    throw error;
  }
}

/** Sets the credentials of the first connection of a kind. `checkedAt`: null if they were not tried. */
export async function keepCredentials(
  env: ProviderEnv,
  userId: string,
  kind: CalledProvider,
  credentials: unknown,
  setAt: number,
  checkedAt: number | null = null,
): Promise<void> {
  const sealed = await sealCredentials(env, userId, kind, credentials);
  await fleetOf(env, userId).keepCredentials(kind, { sealed, setAt }, checkedAt);
}
