import { type Happening, instanceOf } from "../happenings.ts";
import { orderKey, type Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** Who does not hold the claim to a machine leaves it alone while it is heard by who does. */
export class OneWatcher implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  readonly #decidedAt = new Map<string, number>();
  readonly #watches = new Map<string, string | null>();
  /** When each instance was last heard, and from which machine. */
  readonly #heard = new Map<string, { readonly ref: string; readonly at: number }>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type === "heard") this.#heard.set(happening.instance, happening);
    if (happening.type === "saved") {
      const { after, instance, at } = happening;
      const isThere = after !== null && after.phase.status !== "deleted";
      this.#watches.set(instance, isThere ? after.profile.providerRef : null);
      if (after === null || !("action" in after.phase)) return;
      const key = `${instance} ${after.phase.action.id}`;
      if (!this.#decidedAt.has(key)) this.#decidedAt.set(key, at);
    }
    if (happening.type === "deed" && happening.deed !== "wake") {
      const { deed, ref, parameters } = happening;
      const decidedAt = this.#decidedAt.get(orderKey(parameters)) ?? 0;
      for (const [instance, heard] of this.#heard) {
        const isOther = instance !== instanceOf(parameters) && this.#watches.get(instance) === ref;
        if (isOther && heard.ref === ref && heard.at > decidedAt && this.#holds(instance, ref))
          this.#say(`${deed} of ${ref} by ${instanceOf(parameters)}, though it is heard as ${instance}`);
      }
    }
  }

  #holds(instance: string, ref: string): boolean {
    return this.#platform.fleets.some((fleet) =>
      fleet
        .rows("SELECT instance_id FROM machines WHERE ref = ?", ref)
        .some(({ instance_id }) => `${fleet.name}/${instance_id}` === instance),
    );
  }

  atRest(): void {}
}
