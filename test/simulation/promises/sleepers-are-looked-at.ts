import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** Where a provider answers, nobody stays a sleeper of whom nobody knows how it is. */
export class SleepersAreLookedAt implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    const { actors, machines } = this.#platform;
    for (const { name, outline } of actors) {
      const { phase, profile } = outline ?? {};
      if (phase?.status !== "hibernated" || phase.openLook === undefined || profile == null) continue;
      const state = profile.providerRef === null ? "unknown" : machines.stateOf(profile.providerRef);
      // A machine that is gone may be shown as missing, which proves nothing.
      if (state !== "gone") this.#say(`${name} is ${state}, and nobody has found out`);
    }
  }
}
