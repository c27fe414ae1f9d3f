import { type Happening, instanceOf } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** What counts as hibernated, and ran when it was last looked at, is not deleted: somebody uses it. */
export class WhoIsUsedIsNotDeleted implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  /** Workflows that looked last at a machine that ran. */
  readonly #sawItRun = new Set<string>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type === "called" && happening.isLook) {
      const runs = this.#platform.machines.stateOf(happening.ref) === "running";
      if (runs) this.#sawItRun.add(happening.workflowId);
      else this.#sawItRun.delete(happening.workflowId);
    }
    if (happening.type !== "deed" || happening.deed !== "delete") return;
    const { parameters, workflowId, ref } = happening;
    if (parameters.order.isHibernated && this.#sawItRun.has(workflowId))
      this.#say(`${ref} was deleted by ${instanceOf(parameters)} as hibernated, though it was seen running`);
  }

  atRest(): void {}
}
