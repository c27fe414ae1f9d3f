import type { ProviderKind } from "../lifecycle/model/provider.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { CHANGED, FleetKeeper, READY } from "./keeper.ts";
import type { InventoryPlace, InventoryRow, ListingRow } from "./tables/inventory.ts";
import { type Adopted, adoptAll, placesToAdopt } from "./tasks/adopt.ts";
import { Listings } from "./tasks/listing.ts";

/** A connection whose machines can be listed, and how that goes; null before the first time. */
export interface ListedConnection {
  readonly connection: string;
  readonly provider: ProviderKind;
  readonly listing: ListingRow | null;
}

export interface InventoryPage {
  readonly machines: readonly InventoryRow[];
  /** Where the page ends; null for the last one. */
  readonly end: InventoryPlace | null;
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
  protected readonly listings = new Listings();

  async inventory(after: InventoryPlace, watched: boolean | null, limit: number): Promise<InventoryPage> {
    const { inventory, credentials } = await this[READY]();
    const { rows, end } = inventory.page(after, watched, limit);
    return {
      machines: rows,
      end,
      connections: credentials.listed().map((each) => ({
        ...each,
        listing: inventory.listing(each.connection),
      })),
    };
  }

  /**
   * Lists the connections at once, or the one that is named. `too_soon`: each was listed just now, or is being listed. `unknown`: there
   * is none that can be listed.
   */
  async syncInventory(named: string | null): Promise<"listed" | "too_soon" | "unknown" | "suspended"> {
    const fleet = await this[READY]();
    const now = Date.now();
    if (fleet.isSuspended || fleet.state.leavingSince !== null) return "suspended";
    const connections = fleet.credentials
      .listed()
      .filter(({ connection }) => named === null || connection === named);
    if (connections.length === 0) return "unknown";
    const ready = connections.filter(({ connection }) => {
      const triedAt = fleet.inventory.listing(connection)?.triedAt ?? null;
      return !this.listings.isBusy(connection) && (triedAt === null || triedAt + SYNC_EVERY_MS <= now);
    });
    if (ready.length === 0) return "too_soon";
    const userId = this.ctx.id.name ?? "";
    const until = now + SYNC_LIMIT_MS;
    for (const connection of ready) {
      do {
        await this.listings.takeTurn(this.env, userId, fleet, connection);
      } while (this.listings.isUnfinished(connection.connection) && Date.now() < until);
      if (Date.now() >= until) break;
    }
    this[CHANGED](fleet);
    return "listed";
  }

  /**
   * Registers these machines as instances, or those of all that bill and that nobody watches: so many at most. Null for a suspended
   * user.
   */
  async adopt(places: readonly InventoryPlace[] | "all", limit: number): Promise<Adoption | null> {
    const fleet = await this[READY]();
    if (fleet.isSuspended || fleet.state.leavingSince !== null) return null;
    const wanted = places === "all" ? placesToAdopt(fleet) : places;
    const adopted = await adoptAll(this.env, this.ctx.id.name ?? "", fleet, wanted.slice(0, limit));
    this[CHANGED](fleet);
    return { adopted, isMore: wanted.length > limit };
  }
}
