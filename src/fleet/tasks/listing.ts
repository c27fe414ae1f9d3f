import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { connectedBy } from "../../lifecycle/model/provider.ts";
import { MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { hashText } from "../../platform/hash.ts";
import { logWarning } from "../../platform/log.ts";
import { NoAnswer } from "../../platform/within.ts";
import { type Connection, isRefused } from "../../providers/connections.ts";
import type { LaneCall } from "../../providers/pace.ts";
import { type ListedMachine, ProviderError, type UnlistedPart } from "../../providers/provider.ts";
import { openKept } from "../../providers/registry.ts";
import { noteTrial } from "../connections.ts";
import type { Fleet } from "../fleet.ts";
import { isToAdopt } from "../rules/adoption.ts";
import {
  FAILURES_TOLD,
  type Listing,
  MACHINES_PER_LISTING,
  PAGES_PER_LISTING,
  takeListing,
  waitUntilListing,
} from "../rules/inventory.ts";
import {
  ASLEEP_FOR_MS,
  leftOut,
  listingFailedEvent,
  PARTIAL_TOLD_EVERY_MS,
  partlyListedEvent,
  partlyListedId,
  unwatchedEvent,
  unwatchedToTell,
} from "../rules/inventory-alerts.ts";
import type { InventoryRow } from "../tables/inventory-rows.ts";
import { adoptAll } from "./adopt.ts";
import { type CallLanes, readPage } from "./list-page.ts";
import { tellWatchers } from "./witness.ts";

/**
 * Lists the machines of a user's connections, turn by turn: each turn reads pages for a few seconds and leaves the rest to the next
 * one, so that a long list holds up none of the alarm's other tasks. What has been read waits in memory; a listing that is cut off
 * with its object begins anew.
 */

const TURN_MS = 5 * SECOND_MS;

/** A listing that takes longer shows no moment at all, and has failed. */
const LISTING_LIMIT_MS = 10 * MINUTE_MS;

/** A turn that nobody ended has been cut off. */
const LEASE_MS = 2 * MINUTE_MS;

/** So many machines are registered by a listing; the others by the next one. */
const ADOPTED_PER_LISTING = 50;

const LONGEST_PROBLEM = 300;

/** A listing whose next page is to be read. */
interface Progress {
  readonly startedAt: number;
  readonly credentialsSetAt: number;
  readonly machines: readonly ListedMachine[];
  readonly unlisted: readonly UnlistedPart[];
  readonly pages: number;
  readonly after: string | null;
}

export class Listings {
  readonly #progress = new Map<string, Progress>();
  readonly #busy = new Set<string>();
  readonly #lanes: CallLanes;
  readonly #open: typeof openKept;

  constructor(lanes: CallLanes, open = openKept) {
    this.#lanes = lanes;
    this.#open = open;
  }

  /** Whether a turn is being taken. */
  isBusy(connection: string): boolean {
    return this.#busy.has(connection);
  }

  /** Whether pages are left to the next turn. */
  isUnfinished(connection: string): boolean {
    return this.#progress.has(connection);
  }

  /** Lists the connection that is due first, for one turn. */
  async listDue(env: Env, userId: string, fleet: Fleet): Promise<void> {
    const now = Date.now();
    const [first] = fleet.connections
      .listed()
      .map((connection) => ({
        connection,
        dueAt: fleet.inventory.listing(connection.id)?.dueAt ?? now,
      }))
      .toSorted((a, b) => a.dueAt - b.dueAt);
    if (first !== undefined && first.dueAt <= now) await this.advance(env, userId, fleet, first.connection);
    else fleet.scheduleListings(now);
  }

  /** One turn of this connection's listing. Never throws for what its provider does. */
  async advance(env: Env, userId: string, fleet: Fleet, connection: Connection): Promise<void> {
    const { id } = connection;
    if (this.#busy.has(id)) return;
    this.#busy.add(id);
    try {
      const now = Date.now();
      fleet.inventory.begin(id, now, now + LEASE_MS);
      fleet.scheduleListings(now);
      await this.#read(env, userId, fleet, connection);
    } catch (error) {
      this.#progress.delete(id);
      // What its provider refuses or leaves unanswered is for the owner to see, and no fault of the service.
      if (!isOfProvider(error)) {
        logWarning("a connection's machines could not be listed", { user_id: userId }, error);
      }
      noteFailed(userId, fleet, connection, error);
    } finally {
      this.#busy.delete(id);
      fleet.scheduleListings(Date.now());
    }
  }

  async #read(env: Env, userId: string, fleet: Fleet, connection: Connection): Promise<void> {
    const { id, kind } = connection;
    const kept = fleet.connections.credentials(id);
    if (kept === null) return;
    const begunAt = Date.now();
    const { provider, credentialsSetAt } = await this.#open(env, userId, { id, kind, kept }, (trial) =>
      noteTrial(fleet, id, trial),
    );
    if (provider.list === null) throw new ProviderError("unsupported", "its machines can't be listed");
    const before = this.#progress.get(id);
    const isSame =
      before?.credentialsSetAt === credentialsSetAt && begunAt < before.startedAt + LISTING_LIMIT_MS;
    let progress: Progress =
      before !== undefined && isSame
        ? before
        : { startedAt: begunAt, credentialsSetAt, machines: [], unlisted: [], pages: 0, after: null };
    for (;;) {
      const call = callFor(connection, progress);
      const page = await readPage(this.#lanes, call, progress.after, provider.list);
      if ("waitMs" in page) {
        this.#progress.set(id, progress);
        fleet.inventory.makeDue(id, Date.now() + page.waitMs);
        return;
      }
      if (page.next !== null && page.next === progress.after) {
        throw new ProviderError("unavailable", "its list does not go on");
      }
      progress = {
        ...progress,
        machines: [...progress.machines, ...page.machines],
        unlisted: [...progress.unlisted, ...(page.unlisted ?? [])],
        pages: progress.pages + 1,
        after: page.next,
      };
      const isTooLong =
        progress.machines.length > MACHINES_PER_LISTING || progress.pages >= PAGES_PER_LISTING;
      if (page.next === null || isTooLong) break;
      if (Date.now() >= progress.startedAt + LISTING_LIMIT_MS) {
        throw new ProviderError("unavailable", "listing all machines takes too long");
      }
      if (Date.now() >= begunAt + TURN_MS) {
        this.#progress.set(id, progress);
        fleet.inventory.makeDue(id, Date.now());
        return;
      }
    }
    this.#progress.delete(id);
    // The credentials may have been removed meanwhile, or replaced by those of another account.
    if (fleet.connections.find(id)?.setAt !== credentialsSetAt) return;
    if (fleet.isSuspended || fleet.state.leavingSince !== null) return;
    const { startedAt, machines, unlisted, after } = progress;
    const listing = {
      startedAt,
      machines: machines.slice(0, MACHINES_PER_LISTING),
      isComplete: after === null && machines.length <= MACHINES_PER_LISTING,
      unlisted,
    };
    const former = fleet.inventory.of(id);
    tellLeftOut(fleet, connection, listing);
    takeIn(userId, fleet, connection, listing);
    if (adoptOf(fleet) === "register") {
      const found = shownIn(fleet, connection, listing).filter(isToAdopt);
      await adoptAll(env, userId, fleet, found.slice(0, ADOPTED_PER_LISTING), false);
    }
    tellUnwatched(fleet, connection, listing);
    await tellWatchers(env, userId, fleet, { connection, listing, former, credentialsSetAt });
  }
}

function callFor({ id, kind }: Connection, { startedAt, pages }: Progress): LaneCall {
  return {
    connection: connectedBy(kind, id),
    uses: ["list"],
    id: `list/${id}/${startedAt}/${pages}`,
    isUrgent: false,
  };
}

/** Keeps what was listed. */
function takeIn(userId: string, fleet: Fleet, connection: Connection, listing: Listing): void {
  const { inventory } = fleet;
  const { id } = connection;
  const now = Date.now();
  fleet.update((state) => {
    const { written, forgotten } = takeListing(inventory.of(id), listing);
    for (const machine of written) inventory.write(connection, machine);
    for (const ref of forgotten) inventory.forget({ connection: id, ref });
    const isWhole = listing.isComplete && listing.unlisted.length === 0;
    inventory.noteListed(id, listing.startedAt, isWhole, dueAfter(userId, id, 0, 0, now));
    return state;
  });
}

/** What its owner wants to be done about machines that bill and that nobody watches. */
function adoptOf(fleet: Fleet) {
  return mergePolicy(fleet.state.policy.overrides).inventory.adopt;
}

/** What is kept of the machines that it shows. */
function shownIn({ inventory }: Fleet, { id }: Connection, listing: Listing): InventoryRow[] {
  const shown = new Set(listing.machines.map(({ ref }) => ref));
  return inventory.entriesOf(id).filter(({ ref }) => shown.has(ref));
}

/** Tells the owner what runs without being watched. */
function tellUnwatched(fleet: Fleet, connection: Connection, listing: Listing): void {
  if (adoptOf(fleet) === "off") return;
  const { inventory } = fleet;
  const { id } = connection;
  const now = Date.now();
  const seen = shownIn(fleet, connection, listing);
  const asleep = inventory.asleepSince(
    seen.flatMap(({ watchedBy }) => watchedBy ?? []),
    listing.startedAt - ASLEEP_FOR_MS,
  );
  const isWatched = ({ watchedBy }: InventoryRow) => watchedBy !== null && !asleep.has(watchedBy);
  const telling = unwatchedToTell(seen, isWatched, now);
  if (telling.length === 0) return;
  fleet.addOwnEvent(unwatchedEvent(id, connection.name, telling, now), now);
  for (const machine of telling) inventory.noteTold(machine, now);
}

/** Tells the owner that a part of the account can't be listed, unless the former listing was whole. */
function tellLeftOut(fleet: Fleet, { id, name }: Connection, listing: Listing): void {
  const problem = leftOut(listing);
  if (problem === null || fleet.inventory.listing(id)?.isComplete !== false) return;
  const now = Date.now();
  if (fleet.events.hasOwn(partlyListedId(id), now - PARTIAL_TOLD_EVERY_MS)) return;
  fleet.addOwnEvent(partlyListedEvent(id, name, problem.slice(0, LONGEST_PROBLEM), now), now);
}

/** It says nothing of credentials that were set meanwhile, which are due already. */
function noteFailed(userId: string, fleet: Fleet, connection: Connection, error: unknown): void {
  const { id } = connection;
  const now = Date.now();
  const standing = fleet.connections.find(id);
  if (standing?.setAt !== connection.setAt) return;
  const failures = (fleet.inventory.listing(id)?.failures ?? 0) + 1;
  const problem = problemOf(error);
  const retryAfterMs = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) * SECOND_MS : 0;
  fleet.inventory.noteFailed(id, failures, problem, dueAfter(userId, id, failures, retryAfterMs, now));
  if (failures !== FAILURES_TOLD) return;
  // Of refused credentials its owner is told as of that.
  if (isRefused(standing)) return;
  fleet.addOwnEvent(listingFailedEvent(id, connection.name, problem, now), now);
}

function isOfProvider(error: unknown): boolean {
  return error instanceof ProviderError || error instanceof NoAnswer;
}

/** Only what a provider said is shown: an error of our own may hold anything. */
function problemOf(error: unknown): string {
  if (error instanceof ProviderError) return error.message.slice(0, LONGEST_PROBLEM);
  return error instanceof NoAnswer ? "it did not answer in time" : "the service could not ask";
}

function dueAfter(userId: string, id: string, failures: number, retryAfterMs: number, now: number): number {
  const spread = hashText(`${userId}/${id}/${now}`) / 2 ** 32;
  return now + waitUntilListing(failures, retryAfterMs, spread);
}
