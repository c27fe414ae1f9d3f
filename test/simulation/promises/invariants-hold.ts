import { breachesOf } from "../../../src/lifecycle/invariants.ts";
import { dueChunk, waitingHeartbeats, withoutChunk } from "../../../src/lifecycle/model/outbox.ts";
import type { InstanceState } from "../../../src/lifecycle/model/state.ts";
import type { Happening } from "../happenings.ts";
import type { Promised, Say } from "./promise.ts";

/** Each saved state follows from the one before it, and no decision had to be withheld. */
export class InvariantsHold implements Promised {
  readonly #say: Say;
  readonly #states = new Map<string, InstanceState>();

  constructor(say: Say) {
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type !== "saved") return;
    const { instance, state, at } = happening;
    const before = this.#states.get(instance) ?? null;
    if (state === null) {
      this.#states.delete(instance);
      return;
    }
    this.#states.set(instance, state);
    const former = before === null ? null : handedOver(delivered(before, state), state, at);
    for (const breach of breachesOf(former, state, at)) {
      this.#say(`${instance}: ${breach}`);
    }
    for (const { id, effect } of state.outbox) {
      if (id < (before?.nextEffectId ?? 0) || effect.type !== "event") continue;
      if (effect.event.kind === "invariant_breached") this.#say(`${instance} withheld: ${effect.event.id}`);
    }
  }

  atRest(): void {}
}

/** Delivery takes effects out and adds none; a decision that takes one out puts another in its place. */
function delivered(before: InstanceState, after: InstanceState): InstanceState {
  if (before.outbox.length === 0 || before.nextEffectId !== after.nextEffectId) return before;
  const kept = new Set(after.outbox.map(({ id }) => id));
  return { ...before, outbox: before.outbox.filter(({ id }) => kept.has(id)) };
}

/**
 * A due chunk goes to the history before the save, and then is never in the outbox. Whether the history has it is promised
 * elsewhere: nothing is lost.
 */
function handedOver(before: InstanceState, after: InstanceState, at: number): InstanceState {
  const chunk = dueChunk(before, { type: "heartbeat" }, at);
  const first = chunk?.[0]?.sequence;
  if (chunk === null || first === undefined) return before;
  const stillWaits = waitingHeartbeats(after).some(({ sequence }) => sequence === first);
  return stillWaits ? before : withoutChunk(before, chunk);
}
