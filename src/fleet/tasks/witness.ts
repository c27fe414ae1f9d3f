import type { ListEvent } from "../../lifecycle/model/instance-event.ts";
import { connectedBy } from "../../lifecycle/model/provider.ts";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { hashText } from "../../platform/hash.ts";
import { logWarning } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Connection } from "../../providers/connections.ts";
import type { Fleet } from "../fleet.ts";
import { type Listing, wouldShow } from "../rules/inventory.ts";
import type { InventoryRow } from "../tables/inventory-rows.ts";

/**
 * Tells instances how a list shows their machines: where it contradicts them, and where the machine has vanished. Each is also told
 * once by which credentials it is seen, and what it costs. The instance decides what that means.
 */

/** So long after the first list without a machine another one counts: a provider's word may come slowly to its lists. */
const VANISHED_FOR_MS = 5 * MINUTE_MS;

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

/** What an instance is told of its machine. */
interface Word {
  readonly instanceId: string;
  readonly machine: InventoryRow;
  readonly event: ListEvent;
  /** The list shows it otherwise than the instance counts. */
  readonly contradicts: boolean;
  /** What is kept, so that it is not told again. */
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
    await Promise.all(some.map((word) => tell(env, userId, fleet, word)));
  }
}

/** What is news to somebody, contradictions first. Who comes first among them changes: those who never take it in hold up nobody. */
function wordsFor(fleet: Fleet, witnessed: Witnessed): Word[] {
  const { connection } = witnessed;
  const machines = fleet.inventory.of(connection.id);
  const holders = machines.flatMap(({ watchedBy }) => watchedBy ?? []);
  const statuses = fleet.inventory.watchers(connectedBy(connection.kind, connection.id), holders);
  const listed = new Set(witnessed.listing.machines.map(({ ref }) => ref));
  const before = new Map(witnessed.former.map((machine) => [machine.ref, machine]));
  const words = machines.flatMap((machine): Word[] => {
    const { watchedBy, ref } = machine;
    const status = watchedBy === null ? undefined : statuses.get(watchedBy);
    if (watchedBy === null || status === undefined) return [];
    const word = listed.has(ref)
      ? wordOfListed(witnessed, machine, before.get(ref), status)
      : wordOfVanished(fleet, witnessed, machine);
    if (word === null) return [];
    const witness = `${watchedBy} ${word.said}`;
    if (!word.contradicts && machine.witness === witness) return [];
    return [{ instanceId: watchedBy, machine, event: word.event, contradicts: word.contradicts, witness }];
  });
  const turnOf = ({ instanceId }: Word) => hashText(`${witnessed.listing.startedAt}/${instanceId}`);
  return words
    .map((word) => ({ word, turn: turnOf(word) }))
    .toSorted((a, b) => Number(b.word.contradicts) - Number(a.word.contradicts) || a.turn - b.turn)
    .map(({ word }) => word);
}

type Saying = Pick<Word, "event" | "contradicts"> & { readonly said: string };

function wordOfListed(
  { listing, credentialsSetAt }: Witnessed,
  { state, gpus, hourlyCost, stoppedHourlyCost }: InventoryRow,
  past: InventoryRow | undefined,
  status: string,
): Saying | null {
  if (state === "unknown") return null;
  const shown = listing.isComplete ? contradiction(state, status) : null;
  const sighted = { at: listing.startedAt, credentialsSetAt, gpus: state === "running" ? gpus : null };
  const stoppedUntil = past?.state === "stopped" ? past.lastSeenAt : null;
  return {
    event: { type: "machine.listed", shown, stoppedUntil, hourlyCost, stoppedHourlyCost, sighted },
    contradicts: shown !== null,
    said: `${credentialsSetAt} ${hourlyCost} ${stoppedHourlyCost}`,
  };
}

/** Two lists without it, some time apart, of credentials that showed it, while no other connection lists it. */
function wordOfVanished(
  { inventory }: Fleet,
  { listing, credentialsSetAt }: Witnessed,
  { connection, ref, lastSeenAt, vanishedAt }: InventoryRow,
): Saying | null {
  const isLasting = vanishedAt !== null && vanishedAt + VANISHED_FOR_MS <= listing.startedAt;
  if (!isLasting || !wouldShow(listing, ref) || lastSeenAt < credentialsSetAt) return null;
  if (inventory.find({ connection, ref })?.vanishedAt === null) return null;
  return {
    event: { type: "machine.vanished", listedAt: vanishedAt, seenAt: lastSeenAt, credentialsSetAt },
    contradicts: false,
    said: `${credentialsSetAt} vanished ${vanishedAt}`,
  };
}

/** How the machine is shown, where its instance does not count so. */
function contradiction(
  state: InventoryRow["state"],
  status: string,
): "running" | "stopped" | "terminated" | null {
  const isAwake = status === "pending" || status === "running" || status === "orphaned";
  if (state === "stopped" && isAwake) return "stopped";
  if (state === "terminated" && (isAwake || status === "hibernated")) return "terminated";
  return state === "running" && status === "hibernated" ? "running" : null;
}

async function tell(
  env: Env,
  userId: string,
  fleet: Fleet,
  { instanceId, machine, event, witness }: Word,
): Promise<void> {
  const { connection, ref } = machine;
  const provider = connectedBy(machine.provider, connection);
  try {
    const told = actorOf(env, userId, instanceId).noteListed({ provider, ref }, event);
    if (await within(CALL_LIMIT_MS, answerOr(told, false))) fleet.inventory.noteWitness(machine, witness);
  } catch (error) {
    // The next listing finds it again.
    const ids = { user_id: userId, instance_id: instanceId };
    logWarning("an instance could not be told how its machine is listed", ids, error);
  }
}
