import type { ProviderKind } from "../../../lifecycle/model/provider.ts";
import type { Connection } from "../../settings/connections.tsx";

/** Where a machine that is added is rented. Pure. */

export interface Place {
  readonly provider: ProviderKind;
  /** By which its provider is called; null where none is. */
  readonly connection: Connection | null;
}

/** As the address names it; null where it names none that there is. */
export function placeIn(text: string | null, connections: readonly Connection[]): Place | null {
  if (text === "agent" || text === "none") return { provider: text, connection: null };
  const connection = connections.find(({ id }) => id === text);
  return connection === undefined ? null : { provider: connection.provider, connection };
}
