import { connectedBy } from "../../lifecycle/model/provider.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { logWarning } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Connection } from "../../providers/connections.ts";
import type { Fleet } from "../fleet.ts";
import type { Listing } from "../rules/inventory.ts";
import type { InventoryRow } from "../tables/inventory-rows.ts";

/**
 * Tells instances how a list shows their machines: where that is not as they count, and once by which credentials the machine is
 * seen. What it means, the instance decides.
 */

const AT_ONCE = 20;
const PER_LISTING = 200;
const CALL_LIMIT_MS = 10 * SECOND_MS;

/** However many are out of reach, the alarm's other tasks wait no longer than this and one call. The next listing tells the others. */
const TURN_MS = 5 * SECOND_MS;

export interface Witnessed {
  readonly connection: Connection;
  readonly listing: Listing;
  /** What was kept of the connection before it. */
  readonly former: readonly InventoryRow[];
  readonly credentialsSetAt: number;
}

interface Word {
  readonly instanceId: string;
  readonly machine: InventoryRow;
  readonly shown: "running" | "stopped" | null;
  readonly stoppedUntil: number | null;
  readonly witness: string;
}

export async function tellWatchers(
  env: Env,
  userId: string,
  fleet: Fleet,
  witnessed: Witnessed,
): Promise<void> {
  const words = wordsFor(fleet, witnessed).slice(0, PER_LISTING);
  const until = Date.now() + TURN_MS;
  for (let start = 0; start < words.length && Date.now() <= until; start += AT_ONCE) {
    const some = words.slice(start, start + AT_ONCE);
    await Promise.all(some.map((word) => tell(env, userId, fleet, witnessed, word)));
  }
}

/** What is news to somebody, contradictions first. */
function wordsFor(fleet: Fleet, { connection, listing, former, credentialsSetAt }: Witnessed): Word[] {
  const listed = new Set(listing.machines.map(({ ref }) => ref));
  const seen = fleet.inventory.of(connection.id).filter(({ ref }) => listed.has(ref));
  const holders = seen.flatMap(({ watchedBy }) => (watchedBy === null ? [] : [watchedBy]));
  const statuses = fleet.inventory.watchers(connectedBy(connection.kind, connection.id), holders);
  const before = new Map(former.map((machine) => [machine.ref, machine]));
  const words = seen.flatMap((machine): Word[] => {
    const { watchedBy, state } = machine;
    const status = watchedBy === null ? undefined : statuses.get(watchedBy);
    if (watchedBy === null || status === undefined || state === "terminated" || state === "unknown")
      return [];
    const shown = listing.isComplete ? contradiction(state, status) : null;
    const witness = `${watchedBy} ${credentialsSetAt}`;
    if (shown === null && machine.witness === witness) return [];
    const past = before.get(machine.ref);
    const stoppedUntil = past?.state === "stopped" ? past.lastSeenAt : null;
    return [{ instanceId: watchedBy, machine, shown, stoppedUntil, witness }];
  });
  return words.toSorted((a, b) => Number(b.shown !== null) - Number(a.shown !== null));
}

/** How the machine is shown, where its instance does not count so. */
function contradiction(state: InventoryRow["state"], status: string): Word["shown"] {
  if (state === "stopped" && (status === "running" || status === "orphaned")) return "stopped";
  return state === "running" && status === "hibernated" ? "running" : null;
}

async function tell(
  env: Env,
  userId: string,
  fleet: Fleet,
  { listing, credentialsSetAt }: Witnessed,
  { instanceId, machine, shown, stoppedUntil, witness }: Word,
): Promise<void> {
  const gpus = machine.state === "running" ? machine.gpus : null;
  const sighted = { at: listing.startedAt, credentialsSetAt, gpus };
  const { connection, ref } = machine;
  const provider = connectedBy(machine.provider, connection);
  try {
    const actor = actorOf(env, userId, instanceId);
    const told = actor.noteListed(
      { provider, ref },
      { type: "machine.listed", shown, stoppedUntil, sighted },
    );
    await within(CALL_LIMIT_MS, answerOr(told, undefined));
    fleet.inventory.noteWitness(machine, witness);
  } catch (error) {
    // The next listing finds it again.
    const ids = { user_id: userId, instance_id: instanceId };
    logWarning("an instance could not be told how its machine is listed", ids, error);
  }
}
