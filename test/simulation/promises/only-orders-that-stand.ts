import { type Happening, instanceOf } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** Nothing is done to a machine but by an order that stands, and nothing is deleted without its snapshot. */
export class OnlyOrdersThatStand implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type !== "deed") return;
    const { deed, parameters, workflowId } = happening;
    const instance = instanceOf(parameters);
    const phase = this.#platform.actor(instance).outline?.phase;
    const action = phase !== undefined && "action" in phase ? phase.action : null;
    // A start that failed is cancelled while nobody tries it.
    const isCancelling = deed === "hibernate" && parameters.order.kind === "wake";
    const stands =
      action?.id === parameters.order.actionId && (isCancelling || action.handover.state !== "waiting");
    if (!stands) this.#say(`${deed} of ${instance} without an order that stands: it is ${phase?.status}`);
    if (deed === "delete" && !this.#platform.machines.hasSnapshot(workflowId))
      this.#say(`${instance} deleted without a snapshot`);
  }

  atRest(): void {}
}
