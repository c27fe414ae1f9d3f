import type { Happening } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/**
 * In the end everybody is what the status says. But a machine that two instances watch, as rows from before the claims do, may
 * be started by the other one, which then moves away: nobody looks at a machine that rests.
 */
export class StatusNeverLies implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  /** Which instance last had the machine started. */
  readonly #wokenBy = new Map<string, string>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type !== "deed" || happening.deed !== "wake") return;
    const { userId, instanceId } = happening.parameters;
    this.#wokenBy.set(happening.ref, `${userId}/${instanceId}`);
  }

  atRest(): void {
    const { actors, machines } = this.#platform;
    for (const { name, stored } of actors) {
      if (stored === null) continue;
      const { state } = stored;
      const { status } = state.phase;
      const ref = state.profile.providerRef;
      const isOwnMatter = ref !== null && (this.#wokenBy.get(ref) ?? name) === name;
      if (status === "hibernated" && isOwnMatter && machines.stateOf(ref) === "running")
        this.#say(`${name} counts as hibernated and runs`);
      // Silent for three hours: whoever is not deleted yet is on the way there by the daily look.
      if (status === "running") this.#say(`${name} is silent for hours and counts as running`);
    }
  }
}
