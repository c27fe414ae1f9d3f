import { readable } from "../../../src/dashboard/fleet/known.ts";
import { shownView } from "../../../src/fleet/report.ts";
import { serviceGuard } from "../../../src/fleet/rules/state.ts";
import { standingsOf } from "../../../src/providers/connections.ts";
import type { Platform } from "../platform.ts";
import type { Viewer } from "../viewer.ts";
import { stateOf } from "./counts-are-right.ts";
import type { Promised, Say } from "./promise.ts";

/** In the end whoever looks at a fleet sees exactly what its registry holds and what can be done about it, and how its guard stands. */
export class ViewersSeeTheFleet implements Promised {
  readonly #platform: Platform;
  readonly #viewers: readonly Viewer[];
  readonly #say: Say;

  constructor(platform: Platform, viewers: readonly Viewer[], say: Say) {
    this.#platform = platform;
    this.#viewers = viewers;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    for (const [index, viewer] of this.#viewers.entries()) this.#judge(`viewer ${index + 1}`, viewer);
  }

  #judge(name: string, { userId, known }: Viewer): void {
    const fleet = this.#platform.fleet(userId);
    const standings = standingsOf(
      fleet
        .rows(
          `SELECT credentials.kind AS id, iif(noted_of = set_at, refusals, 0) AS refusals
           FROM credentials LEFT JOIN connections ON connections.id = credentials.kind`,
        )
        .map(({ id, refusals }) => ({ id: String(id), refusals: Number(refusals) })),
    );
    const rows = new Map(
      fleet
        .rows("SELECT instance_id, view FROM instances")
        .map(({ instance_id, view }) => [
          String(instance_id),
          JSON.stringify(shownView(JSON.parse(String(view)), standings)),
        ]),
    );
    const seen = new Map(readable(known).map((view) => [view.instance_id, JSON.stringify(view)]));
    for (const [id, row] of rows) {
      if (seen.get(id) !== row) this.#say(`${name} sees of ${id} ${seen.get(id)}, and it is ${row}`);
    }
    for (const id of seen.keys()) {
      if (!rows.has(id)) this.#say(`${name} still sees ${id}`);
    }
    const state = stateOf(fleet);
    if (state === null) {
      this.#say(`${name} looks at a fleet that was never started`);
      return;
    }
    if (known.revision !== state.revision)
      this.#say(`${name} knows all up to ${known.revision}, and the fleet is at ${state.revision}`);
    const isClosed = [state.guard, serviceGuard(state)].some(({ closedAt }) => closedAt !== null);
    if (known.guardClosed !== isClosed) this.#say(`${name} sees another guard than the fleet's`);
  }
}
