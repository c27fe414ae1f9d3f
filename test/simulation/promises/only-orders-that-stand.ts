import type { ActionParameters } from "../../../src/orders/order.ts";
import { type Happening, instanceOf } from "../happenings.ts";
import { LATE_CANCEL, orderKey, type Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/**
 * Nothing is done to a machine but by an order that stands and was asked for before this very try, and nothing is deleted
 * without its snapshot.
 */
export class OnlyOrdersThatStand implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  /** Orders that were asked for since they last came to the provider. */
  readonly #asked = new Set<string>();
  /** Workflows whose last try was asked for. */
  readonly #askedFor = new Set<string>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type === "asked") this.#asked.add(`${happening.instance} ${happening.actionId}`);
    if (happening.type === "called" && !happening.isLook) {
      // Its instance cancels the start itself, and so has decided just now.
      const isDecided = LATE_CANCEL.test(happening.workflowId) && this.#isUnsure(happening.parameters);
      if (this.#asked.delete(orderKey(happening.parameters)) || isDecided)
        this.#askedFor.add(happening.workflowId);
      else this.#askedFor.delete(happening.workflowId);
    }
    if (happening.type === "deed") this.#judge(happening);
  }

  /** A heartbeat may have come while the call was on its way. */
  #isUnsure(parameters: ActionParameters): boolean {
    const phase = this.#platform.actor(instanceOf(parameters)).outline?.phase;
    return (
      phase?.status === "running" || (phase?.status === "hibernated" && phase.openLook?.because === "wake")
    );
  }

  #judge(happening: Extract<Happening, { type: "deed" }>): void {
    const { deed, parameters, workflowId } = happening;
    const instance = instanceOf(parameters);
    const phase = this.#platform.actor(instance).outline?.phase;
    const action = phase !== undefined && "action" in phase ? phase.action : null;
    // A heartbeat ends an order to wake at once, also while a try to cancel its start is on its way.
    const isCancelling = deed === "hibernate" && parameters.order.kind === "wake";
    const stands =
      isCancelling || (action?.id === parameters.order.actionId && action.handover.state !== "waiting");
    if (!stands || !this.#askedFor.has(workflowId))
      this.#say(`${deed} of ${instance} without an order that stands: it is ${phase?.status}`);
    if (deed === "delete" && !this.#platform.machines.hasSnapshot(workflowId))
      this.#say(`${instance} deleted without a snapshot`);
  }

  atRest(): void {}
}
