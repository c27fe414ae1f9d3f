import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** In the end everybody is what the status says. */
export class StatusNeverLies implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(): void {}

  atRest(): void {
    const { actors, machines } = this.#platform;
    for (const { name, stored } of actors) {
      if (stored === null) continue;
      const { state } = stored;
      const { status } = state.phase;
      const ref = state.profile.providerRef;
      if (status === "hibernated" && ref !== null && machines.stateOf(ref) === "running")
        this.#say(`${name} counts as hibernated and runs`);
      // Silent for three hours: whoever is not deleted yet is on the way there by the daily look.
      if (status === "running") this.#say(`${name} is silent for hours and counts as running`);
    }
  }
}
