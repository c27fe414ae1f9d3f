import { unseal } from "../accounts/seal.ts";
import {
  type CalledProvider,
  type ConnectedProvider,
  calledKind,
  connectionOf,
  kindOf,
} from "../lifecycle/model/provider.ts";
import { fleetOf } from "../platform/address.ts";
import { azureCredentialsSchema } from "./azure/api.ts";
import { credentialsOf, credentialsPurpose } from "./connections.ts";

/** Where the machines of a connection are, as far as its credentials alone say that. */

/** Null where a reference says all: elsewhere the same one would be another machine's. */
function placeOf(kind: CalledProvider, credentials: unknown): string | null {
  if (kind !== "azure") return null;
  return azureCredentialsSchema.safeParse(credentials).data?.subscription_id.toLowerCase() ?? null;
}

/**
 * Whether an instance is called by this connection which with these credentials would be another machine, of the same reference.
 * Former credentials that can't be opened any more say nothing.
 */
export async function wouldMoveMachines(
  env: Pick<Env, "FLEETS" | "SEAL_KEY">,
  userId: string,
  connected: ConnectedProvider,
  credentials: unknown,
): Promise<boolean> {
  const id = connectionOf(connected);
  const kind = calledKind(kindOf(connected));
  const next = kind === null ? null : placeOf(kind, credentials);
  if (id === null || kind === null || next === null) return false;
  const kept = await credentialsOf(env, userId, connected);
  if (kept === null) return false;
  const former = await unseal(env.SEAL_KEY, credentialsPurpose(userId, id), kept.sealed).catch(() => null);
  const before = former === null ? null : placeOf(kind, JSON.parse(former));
  return before !== null && before !== next && fleetOf(env, userId).hasInstanceOf(connected);
}
