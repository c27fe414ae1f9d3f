import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import type { Connection } from "../providers/connections.ts";
import type { Fleet } from "./fleet.ts";
import { CHANGED, FleetKeeper, READY } from "./keeper.ts";
import type { EntryPlace, Inventory, InventoryPlace } from "./tables/inventory.ts";
import type { InventoryRow, ListingRow } from "./tables/inventory-rows.ts";
import { type Adopted, adoptAll, placesToAdopt } from "./tasks/adopt.ts";
import { Listings } from "./tasks/listing.ts";

/** A connection whose machines can be listed, and how that goes; null before the first time. */
export interface ListedConnection extends Pick<Connection, "id" | "kind" | "name"> {
  readonly listing: ListingRow | null;
}

export interface InventoryPage {
  readonly machines: readonly InventoryRow[];
  /** Where the page ends; null for the last one. */
  readonly end: EntryPlace | null;
  readonly connections: readonly ListedConnection[];
}

export interface Adoption {
  readonly adopted: readonly Adopted[];
  /** Whether there are more than were allowed at once. */
  readonly isMore: boolean;
}

/** Whoever asks for a listing waits at most this long; what is left goes on by the alarm. */
const SYNC_LIMIT_MS = 25 * SECOND_MS;

/** A connection is listed on demand this often at most. */
const SYNC_EVERY_MS = MINUTE_MS;

/** What a fleet knows of all machines of its user's connections. */
export abstract class FleetInventory extends FleetKeeper {
  protected readonly listings = new Listings({
    takeTurn: (call) => this.takeTurn(call),
    noteLimited: (call, retryAfterSeconds) => this.noteLimited(call, retryAfterSeconds),
  });

  async inventory(after: EntryPlace, watched: boolean | null, limit: number): Promise<InventoryPage> {
    const { inventory, connections } = await this[READY]();
    const { rows, end } = inventory.page(after, watched, limit);
    return {
      machines: rows,
      end,
      connections: connections.listed().map((each) => listedConnection(each, inventory)),
    };
  }

  /** Lists the connection at once. `too_soon`: it was listed just now, or is being listed. `unknown`: there is none that can be listed. */
  async syncConnection(id: string): Promise<ListedConnection | "too_soon" | "unknown" | "suspended"> {
    const fleet = await this[READY]();
    const now = Date.now();
    if (fleet.isSuspended || fleet.state.leavingSince !== null) return "suspended";
    const connection = fleet.connections.listed().find((each) => each.id === id);
    if (connection === undefined) return "unknown";
    const triedAt = fleet.inventory.listing(id)?.triedAt ?? null;
    if (this.listings.isBusy(id) || (triedAt !== null && triedAt + SYNC_EVERY_MS > now)) return "too_soon";
    do {
      await this.listings.advance(this.env, this.ctx.id.name ?? "", fleet, connection);
    } while (this.listings.isUnfinished(id) && isDue(fleet, id) && Date.now() < now + SYNC_LIMIT_MS);
    this[CHANGED](fleet);
    return listedConnection(connection, fleet.inventory);
  }

  /**
   * Registers these machines as instances, or those of all that bill and that nobody watches: so many at most. Null for a suspended
   * user.
   */
  async adopt(places: readonly InventoryPlace[] | "all", limit: number): Promise<Adoption | null> {
    const fleet = await this[READY]();
    if (fleet.isSuspended || fleet.state.leavingSince !== null) return null;
    const wanted = places === "all" ? placesToAdopt(fleet) : places;
    const adopted = await adoptAll(
      this.env,
      this.ctx.id.name ?? "",
      fleet,
      wanted.slice(0, limit),
      places !== "all",
    );
    this[CHANGED](fleet);
    return { adopted, isMore: wanted.length > limit };
  }
}

function listedConnection({ id, kind, name }: Connection, inventory: Inventory): ListedConnection {
  return { id, kind, name, listing: inventory.listing(id) };
}

function isDue(fleet: Fleet, id: string): boolean {
  return (fleet.inventory.listing(id)?.dueAt ?? 0) <= Date.now();
}
