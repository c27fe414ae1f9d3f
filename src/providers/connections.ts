import { seal } from "../accounts/seal.ts";
import {
  CALLED_PROVIDERS,
  type CalledProvider,
  type ConnectedProvider,
  calledKind,
  connectedBy,
  connectionOf,
  kindOf,
  nameOfKind,
  type ProviderKind,
} from "../lifecycle/model/provider.ts";
import type { ConnectionStanding } from "../lifecycle/views/control.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import type { Vars } from "../platform/settings.ts";
import type { ProviderError } from "./provider.ts";

/**
 * A user's connections to providers: credentials, each with a name, which the user's fleet keeps sealed. The first connection of
 * a kind has the kind for its id.
 */

type ConnectionEnv = Vars & Pick<Env, "FLEETS" | "SEAL_KEY">;

/** Credentials as a fleet keeps them, and when they were set, in ms. */
export interface SealedCredentials {
  readonly sealed: string;
  readonly setAt: number;
}

/** What the provider last made of a connection's credentials. */
export interface Standing {
  /** How often it has refused them, with no success in between. */
  readonly refusals: number;
  /** What was wrong when they were last tried; null when nothing was. */
  readonly problem: string | null;
  /** When they were last tried on purpose; null if they never were. */
  readonly checkedAt: number | null;
}

export const UNTRIED: Standing = { refusals: 0, problem: null, checkedAt: null };

export interface Connection extends Standing {
  readonly id: string;
  readonly kind: CalledProvider;
  readonly name: string;
  readonly createdAt: number;
  /** When its credentials were set. */
  readonly setAt: number;
}

export type NewConnection = Pick<Connection, "id" | "kind" | "name" | "createdAt">;

/** Credentials, and of what they are; a fleet of the former release, which has the first of each kind alone, does not say. */
export interface KeptCredentials extends SealedCredentials {
  readonly connection?: Connection;
}

/** So many refusals in a row, and the credentials count as refused: nothing is called with them any more. */
export const REFUSALS_IN_A_ROW = 3;

export function isRefused({ refusals }: Pick<Standing, "refusals">): boolean {
  return refusals >= REFUSALS_IN_A_ROW;
}

/** How the connection of this id stands; null is that of an instance whose orders nobody is called for. */
export type Standings = (id: string | null) => ConnectionStanding;

/** How a user's connections stand. One that is not among them has no credentials. */
export function standingsOf(connections: readonly Pick<Connection, "id" | "refusals">[]): Standings {
  const standings = new Map(
    connections.map((connection) => [connection.id, isRefused(connection) ? "refused" : "active"] as const),
  );
  return (id) => (id === null ? "active" : (standings.get(id) ?? "missing"));
}

/** What became of a call, or of a check, which is made on purpose. */
export interface Trial {
  readonly at: number;
  /** When the credentials that were tried had been set: it says nothing about others. */
  readonly setAt: number;
  readonly isCheck: boolean;
  /** `refused`: the credentials as a whole. `failed`: anything else, which proves nothing about them. */
  readonly outcome: "accepted" | "refused" | "failed";
  readonly problem: string | null;
}

const MAXIMUM_PROBLEM_CHARACTERS = 500;

export function trialOf(
  error: ProviderError | null,
  { setAt, isCheck }: Pick<Trial, "setAt" | "isCheck">,
): Trial {
  const tried = { at: Date.now(), setAt, isCheck };
  if (error === null) return { ...tried, outcome: "accepted", problem: null };
  const outcome = error.denied === "credentials" ? "refused" : "failed";
  return { ...tried, outcome, problem: error.message.slice(0, MAXIMUM_PROBLEM_CHARACTERS) };
}

/** How a connection stands after a trial of its credentials. */
export function afterTrial({ refusals, checkedAt, problem }: Standing, trial: Trial): Standing {
  const checked = { checkedAt: trial.isCheck ? trial.at : checkedAt };
  switch (trial.outcome) {
    case "accepted":
      return { ...checked, refusals: 0, problem: null };
    case "refused":
      return { ...checked, refusals: refusals + 1, problem: trial.problem };
    case "failed":
      return { ...checked, refusals, problem: trial.isCheck ? trial.problem : problem };
  }
}

/** The user's credentials by which this provider is called; null when there are none, or they are of another kind. */
export async function credentialsOf(
  env: Pick<Env, "FLEETS">,
  userId: string,
  provider: ConnectedProvider,
): Promise<KeptCredentials | null> {
  const id = connectionOf(provider);
  const kept = id === null ? null : await fleetOf(env, userId).credentials(id);
  if (id === null || kept === null) return null;
  const kind = kept.connection?.kind ?? calledKind(id);
  return kind === kindOf(provider) ? kept : null;
}

/** When they were set; null without any. */
export async function credentialsSetAt(
  env: Pick<Env, "FLEETS">,
  userId: string,
  provider: ConnectedProvider,
): Promise<number | null> {
  return (await credentialsOf(env, userId, provider))?.setAt ?? null;
}

/** Whether this is a connection of the user's, and of this kind. The first of a kind is known before it is made. */
export async function isConnection(
  env: Pick<Env, "FLEETS">,
  userId: string,
  kind: CalledProvider,
  id: string,
): Promise<boolean> {
  return id === kind || (await credentialsOf(env, userId, connectedBy(kind, id))) !== null;
}

/** All connections, by kind, the first of each before the others. */
export async function listConnections(env: Pick<Env, "FLEETS">, userId: string): Promise<Connection[]> {
  const fleet = fleetOf(env, userId);
  const connections = await answerOr(fleet.connections(), null);
  if (connections !== null) return connections;
  // A fleet of the former release has none but the first of each kind.
  const kept = await Promise.all(
    CALLED_PROVIDERS.map(async (kind) => ({ kind, credentials: await fleet.credentials(kind) })),
  );
  return kept.flatMap(({ kind, credentials }) =>
    credentials === null ? [] : [{ ...firstConnection(kind, credentials.setAt), ...UNTRIED }],
  );
}

/** How the user's connections stand, for these instances: only where providers are called for them is the fleet asked. */
export async function standingsFor(
  env: Pick<Env, "FLEETS">,
  userId: string,
  views: readonly { readonly provider: ProviderKind }[],
): Promise<Standings> {
  const areCalled = views.some(({ provider }) => calledKind(provider) !== null);
  return standingsOf(areCalled ? await listConnections(env, userId) : []);
}

/** The first connection of a kind, while nothing else is said of it. */
export function firstConnection(kind: CalledProvider, setAt: number): Omit<Connection, keyof Standing> {
  return { id: kind, kind, name: nameOfKind(kind), createdAt: setAt, setAt };
}

/** The outcomes of a request to a fleet; `former`: it still runs the release before, and can't. */
type Former = "former";

/**
 * Adds a connection: the first of its kind has the kind for its id. Credentials are sealed for their id, which may be taken
 * meanwhile: then there is another.
 */
export async function addConnection(
  env: ConnectionEnv,
  userId: string,
  { kind, name }: Pick<Connection, "kind" | "name">,
  credentials: unknown,
  { limit, checkedAt }: { readonly limit: number; readonly checkedAt: number | null },
): Promise<Connection | "too_many" | Former> {
  const setAt = Date.now();
  for (const id of [kind, newConnectionId()]) {
    const connection = { id, kind, name, createdAt: setAt };
    const sealed = await sealCredentials(env, userId, id, credentials);
    const asked = fleetOf(env, userId).addConnection(connection, { sealed, setAt }, checkedAt, limit);
    const added = await answerOr<"added" | "taken" | "too_many" | Former>(asked, "former");
    if (added === "added") return { ...connection, ...UNTRIED, setAt, checkedAt };
    if (added !== "taken") return added;
  }
  throw new Error("no id was free for a connection");
}

/** Null when there is no such connection. */
export async function changeConnection(
  env: ConnectionEnv,
  userId: string,
  id: string,
  {
    name,
    given,
  }: {
    readonly name: string | undefined;
    readonly given: { readonly credentials: unknown; readonly checkedAt: number | null } | undefined;
  },
): Promise<Connection | null | Former> {
  const credentials =
    given === undefined
      ? undefined
      : { sealed: await sealCredentials(env, userId, id, given.credentials), setAt: Date.now() };
  const asked = fleetOf(env, userId).changeConnection(id, {
    name,
    credentials,
    checkedAt: given?.checkedAt ?? null,
  });
  return answerOr<Connection | null | Former>(asked, "former");
}

/** Removes a connection, unless an instance is called by it. */
export async function removeConnection(
  env: Pick<Env, "FLEETS">,
  userId: string,
  id: string,
): Promise<"removed" | "unknown" | "in_use"> {
  const fleet = fleetOf(env, userId);
  const removed = await answerOr(fleet.removeConnection(id), null);
  if (removed !== null) return removed;
  // As the former release goes about it.
  const kind = calledKind(id);
  if (kind === null) return "unknown";
  if (await fleet.hasInstanceOf(kind)) return "in_use";
  return (await fleet.removeCredentials(kind)) ? "removed" : "unknown";
}

function newConnectionId(): string {
  return `c-${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
}

export async function sealCredentials(
  env: Pick<Env, "SEAL_KEY">,
  userId: string,
  id: string,
  credentials: unknown,
): Promise<string> {
  return seal(env.SEAL_KEY, credentialsPurpose(userId, id), JSON.stringify(credentials));
}

/** What credentials are sealed for. `id`: of their connection. */
export function credentialsPurpose(userId: string, id: string): string {
  return `provider/${userId}/${id}`;
}
