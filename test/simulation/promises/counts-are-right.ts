import { parseFleet } from "../../../src/fleet/rules/state.ts";
import type { Platform } from "../platform.ts";
import type { SqliteHost } from "../sqlite-host.ts";
import type { Promised, Say } from "./promise.ts";

const MINUTE = 60_000;

/** In the end what a fleet has counted, report by report, is what counting all of its rows gives. */
export class CountsAreRight implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    for (const fleet of this.#platform.fleets) this.#judge(fleet);
  }

  #judge(fleet: SqliteHost): void {
    const state = stateOf(fleet);
    if (state === null) {
      this.#say(`the fleet of ${fleet.name} was never started`);
      return;
    }
    const statuses = fleet.rows(
      "SELECT status, COUNT(*) AS n FROM instances GROUP BY status ORDER BY status",
    );
    this.#compare(
      `${fleet.name}: instances by status`,
      Object.entries(state.instancesByStatus).sort(),
      statuses.map(({ status, n }) => [status, n]),
    );
    const [awake] = fleet.rows(
      `SELECT COUNT(*) AS n FROM instances
       WHERE status IN ('running', 'waking', 'hibernating') AND silent_since IS NULL`,
    );
    this.#compare(`${fleet.name}: awake`, state.awake, awake?.n);
    for (const counted of ["guard", "vote"] as const) {
      // Silences of an outage that is over count no more.
      const epoch = state.epochs[counted];
      const kept = fleet.rows(
        "SELECT bucket, instances FROM silences WHERE counted = ? AND epoch = ? ORDER BY bucket",
        counted,
        epoch,
      );
      const found = fleet.rows(
        `SELECT silent_since / ${MINUTE} AS bucket, COUNT(*) AS instances FROM instances
         WHERE silent_since IS NOT NULL AND orphaned_since > ? GROUP BY 1 ORDER BY 1`,
        state[counted].openedAt ?? 0,
      );
      this.#compare(`${fleet.name}: silences for the ${counted}`, kept, found);
    }
  }

  #compare(what: string, kept: unknown, counted: unknown): void {
    const [one, other] = [JSON.stringify(kept), JSON.stringify(counted)];
    if (one !== other) this.#say(`${what}: ${one} are kept, and ${other} counted`);
  }
}

/** What is stored of a fleet as a whole; null before its first start. */
export function stateOf(fleet: SqliteHost) {
  const [row] = fleet.rows("SELECT json FROM fleet");
  return row === undefined ? null : parseFleet(String(row.json));
}
