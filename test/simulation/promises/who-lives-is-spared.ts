import type { ActionParameters } from "../../../src/orders/order.ts";
import { type Happening, instanceOf } from "../happenings.ts";
import { orderKey } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

type Heard = Extract<Happening, { type: "heard" }>;

/**
 * A machine that gave a sign of life since the decision is not deleted, nor stopped for its silence, nor for idleness that
 * has ended; nor is its start cancelled. Only the try that was on its way already may still arrive.
 */
export class WhoLivesIsSpared implements Promised {
  readonly #say: Say;
  readonly #heard = new Map<string, Heard[]>();
  readonly #decidedAt = new Map<string, number>();
  readonly #askedAt = new Map<string, number>();

  constructor(say: Say) {
    this.#say = say;
  }

  observe(happening: Happening): void {
    switch (happening.type) {
      case "heard": {
        const heard = this.#heard.get(happening.instance) ?? [];
        this.#heard.set(happening.instance, [...heard, happening]);
        return;
      }
      case "saved": {
        const { after, instance, at } = happening;
        if (after === null || !("action" in after.phase)) return;
        const key = `${instance} ${after.phase.action.id}`;
        if (!this.#decidedAt.has(key)) this.#decidedAt.set(key, at);
        return;
      }
      case "asked":
        this.#askedAt.set(`${happening.instance} ${happening.actionId}`, happening.at);
        return;
      case "deed":
        this.#judge(happening);
        return;
      case "called":
        return;
    }
  }

  #judge({ deed, parameters }: Extract<Happening, { type: "deed" }>): void {
    if (deed === "wake") return;
    const key = orderKey(parameters);
    const decidedAt = this.#decidedAt.get(key) ?? Number.POSITIVE_INFINITY;
    const triedAt = this.#askedAt.get(key) ?? Number.POSITIVE_INFINITY;
    const instance = instanceOf(parameters);
    const sign = (this.#heard.get(instance) ?? []).find(
      (heard) => heard.at > decidedAt && heard.at < triedAt && callsOff(heard.sign, parameters.order),
    );
    if (sign === undefined) return;
    const seconds = (from: number) => ((triedAt - from) / 1000).toFixed(1);
    this.#say(
      `${deed} of ${instance} (${parameters.order.kind} for ${parameters.order.reason}), ${sign.sign} ${seconds(sign.at)} s before the try, decided ${seconds(decidedAt)} s before it`,
    );
  }

  atRest(): void {}
}

/** Whether this sign of life ends an order that nobody has accepted. */
function callsOff(sign: Heard["sign"], { kind, reason }: ActionParameters["order"]): boolean {
  if (kind === "wake") return sign !== "kept alive";
  switch (reason) {
    case "silence":
      return true;
    case "idle":
      return sign !== "idle";
    case "owner":
    case "instance":
      return sign === "kept alive";
  }
}
