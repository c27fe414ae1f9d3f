import { isUnheard } from "../../../src/lifecycle/model/phase.ts";
import type { InstanceState } from "../../../src/lifecycle/model/state.ts";
import { isChosenByOwner } from "../../../src/lifecycle/rules/unheard.ts";
import { type Happening, instanceOf } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

const MINUTE = 60_000;
/** The longest of these lives' times to the warning, and what late alarms may add. */
const TOLD_WITHIN_MS = 34 * MINUTE;

/**
 * Of what was never heard, only a machine is stopped that was shown running and that its owner named here; none is deleted; and
 * whoever is awaited for long is told of.
 */
export class NeverHeardIsSpared implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  /** Workflows that have seen their machine run. */
  readonly #sawItRun = new Set<string>();
  readonly #told = new Set<string>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type === "saved") this.#count(happening.instance, happening.state);
    if (happening.type === "called" && happening.isLook) {
      const runs = this.#platform.machines.stateOf(happening.ref) === "running";
      if (runs) this.#sawItRun.add(happening.workflowId);
    }
    if (happening.type !== "deed" || happening.parameters.order.neverHeard !== true) return;
    const { deed, parameters, ref, workflowId } = happening;
    const instance = instanceOf(parameters);
    this.#platform.count("never heard, and stopped");
    if (deed !== "hibernate") this.#say(`${deed} of ${instance}, which was never heard`);
    if (!this.#sawItRun.has(workflowId)) this.#say(`${ref} was never heard, and stopped unseen`);
    const phase = this.#platform.actor(instance).outline?.phase;
    // Once it was heard, the try that was on its way may still arrive.
    if (phase !== undefined && isUnheard(phase) && !isChosenByOwner(phase))
      this.#say(`${ref} was stopped, and is somebody else's`);
  }

  #count(instance: string, state: InstanceState | null): void {
    const phase = state?.phase;
    if (phase?.status !== "pending" || phase.orphan === undefined) this.#told.delete(instance);
    else if (!this.#told.has(instance)) {
      this.#told.add(instance);
      this.#platform.count("never heard, and told of");
    }
  }

  atRest(): void {
    const { actors, scheduler } = this.#platform;
    for (const { name, outline } of actors) {
      if (outline?.phase.status !== "pending" || outline.phase.orphan !== undefined) continue;
      const { from } = outline.phase.unheard ?? { from: 0 };
      if (scheduler.now > from + TOLD_WITHIN_MS)
        this.#say(
          `${name} was never heard for ${Math.round((scheduler.now - from) / MINUTE)} minutes, and nobody was told`,
        );
    }
  }
}
