import { messageOf } from "../lifecycle/model/outbox.ts";
import { connectedBy } from "../lifecycle/model/provider.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import {
  afterTrial,
  type Connection,
  isRefused,
  type NewConnection,
  type SealedCredentials,
  type Trial,
} from "../providers/connections.ts";
import type { Fleet } from "./fleet.ts";

/** What changes of a fleet's connections, each in one go: nothing comes in between. */

export interface Changes {
  readonly name?: string | undefined;
  readonly credentials?: SealedCredentials | undefined;
  /** When the new credentials were tried; null if they were not. */
  readonly checkedAt: number | null;
}

/** Notes a change of what orders can be given by: all rows show that, and go out anew to whoever looks. */
export function noteStandings(fleet: Fleet): void {
  const are = fleet.connections.standings;
  if (are === fleet.state.standings.are) return;
  fleet.update((state) => {
    const changed = state.revision + 1;
    return { ...state, revision: changed, standings: { are, changed } };
  });
}

/** `taken`: the id is another's. `too_many`: there are `limit` others. */
export function addConnection(
  fleet: Fleet,
  connection: NewConnection,
  credentials: SealedCredentials,
  { checkedAt, limit }: { readonly checkedAt: number | null; readonly limit: number },
): "added" | "taken" | "too_many" {
  const added = fleet.connections.add(connection, credentials, checkedAt, limit);
  if (added === "added") listSoon(fleet, connection.id);
  return added;
}

/** Sets the credentials of a connection that is there, or of the first of a kind. */
export function setCredentials(
  fleet: Fleet,
  id: string,
  credentials: SealedCredentials,
  checkedAt: number | null,
): void {
  fleet.connections.set(id, credentials, checkedAt);
  listSoon(fleet, id);
}

/** At once, so that whoever has just connected an account sees what runs there, and is told if it can't be listed. */
function listSoon(fleet: Fleet, id: string): void {
  const now = Date.now();
  fleet.inventory.beginAnew(id, now);
  fleet.scheduleListings(now);
}

/** Null when there is no such connection. */
export function changeConnection(fleet: Fleet, id: string, changes: Changes): Connection | null {
  const { connections } = fleet;
  const former = connections.find(id);
  if (former === null) return null;
  if (changes.name !== undefined) connections.rename(former, changes.name);
  if (changes.credentials !== undefined) setCredentials(fleet, id, changes.credentials, changes.checkedAt);
  return connections.find(id);
}

/** Not while an instance is called by it. */
export function removeConnection(fleet: Fleet, id: string): "removed" | "unknown" | "in_use" {
  const connection = fleet.connections.find(id);
  if (connection === null) return "unknown";
  if (fleet.registry.hasInstanceOf(connectedBy(connection.kind, id))) return "in_use";
  forgetConnection(fleet, id);
  return "removed";
}

/** With what it has listed. False when there is none. */
export function forgetConnection(fleet: Fleet, id: string): boolean {
  fleet.inventory.forgetConnection(id);
  const isRemoved = fleet.connections.remove(id);
  fleet.scheduleListings(Date.now());
  return isRemoved;
}

/** How the connection stands after a trial of its credentials; null when there is none. Its owner is told once that they are refused. */
export function noteTrial(fleet: Fleet, id: string, trial: Trial): Connection | null {
  const former = fleet.connections.find(id);
  if (former === null || former.setAt !== trial.setAt) return former;
  const connection = { ...former, ...afterTrial(former, trial) };
  fleet.connections.note(connection, connection);
  if (isRefused(connection) && !isRefused(former)) tellRefused(fleet, connection, trial.at);
  if (isRefused(former) && !isRefused(connection)) listSoon(fleet, id);
  return connection;
}

function tellRefused(fleet: Fleet, { id, kind, name, problem }: Connection, now: number): void {
  fleet.addOwnEvent(
    {
      id: `refused-${id}`,
      at: now,
      kind: "connection_refused",
      severity: "critical",
      ...messageOf(
        phrase("fleet.credentials_refused", { name, problem: problem ?? phrase("fleet.no_reason") }),
      ),
      detail: {
        provider: kind,
        connection: id,
        name,
        because: problem,
        ...fleet.rates.ofConnection(connectedBy(kind, id)),
      },
    },
    now,
  );
}
