import type { Happening, Outline } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** The machine that is looked at; null when nobody looks. */
function lookedAt({ phase, profile }: Outline): string | null {
  return phase.status === "hibernated" && phase.openLook !== undefined ? profile.providerRef : null;
}

/** What counts as deleted exists no more, whatever its provider said. */
export class NoMachineIsForgotten implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type !== "saved") return;
    const { before, after, instance } = happening;
    if (before !== null && after === null) this.#say(`${instance} was forgotten`);
    if (before === null || after?.phase.status !== "deleted" || before.phase.status === "deleted") return;
    const ref = "action" in before.phase ? before.phase.action.machine.providerRef : lookedAt(before);
    if (ref === null) this.#say(`${instance} counts as deleted without an order or a look`);
    else if (!this.#platform.machines.isDoomed(ref))
      this.#say(`${instance} counts as deleted, and ${ref} is ${this.#platform.machines.stateOf(ref)}`);
  }

  atRest(): void {
    for (const { name, outline } of this.#platform.actors) {
      if (outline?.phase.status !== "deleted") continue;
      const ref = outline.profile.providerRef;
      const state = ref === null ? "unknown" : this.#platform.machines.stateOf(ref);
      if (state !== "gone") this.#say(`${name} counts as deleted and is ${state}`);
    }
  }
}
