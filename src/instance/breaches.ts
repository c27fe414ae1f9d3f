import type { Invariant } from "../lifecycle/invariants.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";

/** The breaches of invariants that were logged and recorded, each with the hour of it. */
export class Breaches {
  readonly #told = new Set<string>();

  /** Each once an hour. An object that has left memory since tells it again, and the history keeps one. */
  notYetTold(breaches: readonly Invariant[], now: number): readonly Invariant[] {
    const key = (breach: Invariant) => `${breach} ${Math.floor(now / HOUR_MS)}`;
    const news = breaches.filter((breach) => !this.#told.has(key(breach)));
    for (const breach of news) this.#told.add(key(breach));
    return news;
  }
}
