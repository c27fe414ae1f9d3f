import { type Aggregate, addTally, Sum, type Tally } from "../../../src/service/aggregate.ts";
import type { Platform } from "../platform.ts";
import { stateOf } from "./counts-are-right.ts";
import type { Promised, Say } from "./promise.ts";

/** In the end the service's totals are the sums of what its fleets hold, and nobody's vote is missing. */
export class ServiceHearsItsFleets implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    const states = this.#platform.fleets.map(stateOf).filter((state) => state !== null);
    const expected = {
      instancesByStatus: states.reduce<Tally>((sum, state) => addTally(sum, state.instancesByStatus), {}),
      closedGuards: states.filter(({ guard }) => guard.closedAt !== null).length,
      awake: states.filter(({ awake }) => awake > 0).length,
      votes: states.filter(({ vote }) => vote.closedAt !== null).length,
    };
    const parts = this.#platform
      .service("service")
      .rows("SELECT json FROM shards")
      .map((row): Aggregate => JSON.parse(String(row.json)).aggregate);
    const sum = new Sum();
    for (const part of parts) sum.replace(null, part);
    const heard = sum.total;
    const kept = {
      instancesByStatus: heard.instancesByStatus,
      closedGuards: heard.users.guard_closed ?? 0,
      awake: heard.users.awake ?? 0,
      votes: Object.values(heard.votes).reduce((sum, users) => sum + users, 0),
    };
    const [own, of] = [ordered(kept), ordered(expected)];
    if (own !== of) this.#say(`the service has ${own}, and its fleets ${of}`);
  }
}

function ordered(totals: { readonly instancesByStatus: Tally }): string {
  const instancesByStatus = Object.entries(totals.instancesByStatus).sort();
  return JSON.stringify({ ...totals, instancesByStatus });
}
