import type { Platform } from "../platform.ts";
import type { Rig } from "../rig.ts";
import type { Promised, Say } from "./promise.ts";

/** What was acknowledged is kept, once; and every effect is carried out. */
export class NothingIsLost implements Promised {
  readonly #platform: Platform;
  readonly #rigs: readonly Rig[];
  readonly #say: Say;

  constructor(platform: Platform, rigs: readonly Rig[], say: Say) {
    this.#platform = platform;
    this.#rigs = rigs;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    for (const rig of this.#rigs) this.#judge(rig);
    if (this.#platform.unfinishedWorkflows > 0)
      this.#say(`${this.#platform.unfinishedWorkflows} workflows never ended`);
  }

  #judge({ name, userId, instanceId, acknowledged, host }: Rig): void {
    const state = host.stored?.state;
    if (state === undefined) return;
    if (state.outbox.length > 0) this.#say(`${name}: ${state.outbox.length} effects were never carried out`);
    const kept = this.#platform.database
      .rows(
        "SELECT cost_accumulated AS n FROM heartbeats WHERE user_id = ? AND instance_id = ?",
        userId,
        instanceId,
      )
      .map(({ n }) => Number(n));
    const waiting = state.unflushed === 0 ? [] : state.recent.slice(-state.unflushed);
    const all = [...kept, ...waiting.map(({ costAccumulated }) => Number(costAccumulated))];
    const found = new Set(all);
    for (const number of acknowledged) {
      if (!found.has(number)) this.#say(`${name}: heartbeat ${number} was lost`);
    }
    if (found.size !== all.length) this.#say(`${name}: a heartbeat is kept twice`);
    if (state.counters.totalHeartbeats !== all.length)
      this.#say(`${name}: ${state.counters.totalHeartbeats} heartbeats counted, ${all.length} kept`);
  }
}
