import type { Happening, Outline } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/**
 * Once a wake has failed no start of it waits at the provider any more, or it is known that nobody knows: then its provider is
 * asked until it is. So no machine starts, and costs money, that counts as hibernated.
 */
export class NoStartOutlivesItsWake implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  /** Which instance last had the machine started: of two that watch it, only one cancels. */
  readonly #wokenBy = new Map<string, string>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type === "deed" && happening.deed === "wake") {
      const { userId, instanceId } = happening.parameters;
      this.#wokenBy.set(happening.ref, `${userId}/${instanceId}`);
    }
    if (happening.type !== "saved" || happening.before?.phase.status !== "waking") return;
    if (happening.after?.phase.status !== "hibernated") return;
    this.#platform.count(`wakes that failed${isOpen(happening.after) ? ", nobody knows how" : ""}`);
    this.#judge(happening.instance, happening.after);
  }

  atRest(): void {
    for (const { name, outline } of this.#platform.actors) {
      if (outline !== null) this.#judge(name, outline);
    }
  }

  #judge(name: string, outline: Outline): void {
    const ref = outline.profile.providerRef;
    if (outline.phase.status !== "hibernated" || ref === null || isOpen(outline)) return;
    if (this.#wokenBy.get(ref) === name && this.#platform.machines.isQueued(ref))
      this.#say(`${name} counts as hibernated, and its start waits at the provider`);
  }
}

function isOpen({ phase }: Outline): boolean {
  return phase.status === "hibernated" && phase.openLook !== undefined;
}
