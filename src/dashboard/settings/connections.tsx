import type { CalledProvider } from "../../lifecycle/model/provider.ts";
import { useLive } from "../poll.ts";

export const CONNECTIONS_ADDRESS = "/api/agent/connections";
const PAUSE_MS = 30_000;

export interface Connection {
  readonly id: string;
  readonly provider: CalledProvider;
  readonly name: string;
  readonly state: "active" | "refused";
  readonly checked_at: string | null;
  readonly problem: string | null;
}

export interface CredentialField {
  readonly name: string;
  readonly required: boolean;
}

export interface Provider {
  readonly provider: CalledProvider;
  readonly credentials: readonly CredentialField[];
}

interface Connections {
  readonly connections: readonly Connection[];
  readonly providers: readonly Provider[];
}

/** The user's connections to providers, as they were last heard of. */
export function useConnections() {
  return useLive<Connections>(CONNECTIONS_ADDRESS, PAUSE_MS);
}

/** The name of a connection; until it is known, its id. */
export function ConnectionName({ id }: { id: string }) {
  const { data } = useConnections();
  return data?.connections.find((connection) => connection.id === id)?.name ?? id;
}

export function fieldsOf(providers: readonly Provider[], kind: CalledProvider): readonly CredentialField[] {
  return providers.find(({ provider }) => provider === kind)?.credentials ?? [];
}
