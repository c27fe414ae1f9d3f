import { type Happening, instanceOf } from "../happenings.ts";
import { orderKey } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

/** No order reaches another machine than the one that the instance watched when it was decided. */
export class OrdersReachTheirMachine implements Promised {
  readonly #say: Say;
  readonly #decidedFor = new Map<string, string | null>();

  constructor(say: Say) {
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type === "saved") {
      const { before, after, instance } = happening;
      if (before === null || after === null || !("action" in after.phase)) return;
      const key = `${instance} ${after.phase.action.id}`;
      if (!this.#decidedFor.has(key)) this.#decidedFor.set(key, before.profile.providerRef);
    }
    if (happening.type === "called") {
      const { ref, parameters } = happening;
      const decidedFor = this.#decidedFor.get(orderKey(parameters));
      if (decidedFor !== ref) {
        this.#say(
          `${instanceOf(parameters)}: ${parameters.order.kind} was decided for ${decidedFor} and comes to ${ref}`,
        );
      }
    }
  }

  atRest(): void {}
}
