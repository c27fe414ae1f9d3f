import { type ListedMachine, type MachinePage, ProviderError, type Sighting } from "./provider.ts";

/** What the drivers' lists of machines share. */

/**
 * A page, and where the next one begins: null after the last one; undefined when more follows and it is not said where.
 * That is not understood, and neither is a page that leads to itself: a list that is cut short would hide machines.
 */
export function pageOf(
  machines: readonly ListedMachine[],
  after: string | null,
  next: string | null | undefined,
): MachinePage {
  if (next === undefined) throw new ProviderError("unavailable", "the list goes on, and does not say where");
  if (next !== null && next === after) throw new ProviderError("unavailable", "the list does not go on");
  return { machines, next };
}

/** A machine of which the list says no more than that it is there. */
export function unreadMachine(ref: string): ListedMachine {
  return {
    ref,
    name: null,
    state: "unknown",
    gpu: null,
    gpus: null,
    region: null,
    createdAt: null,
    hourlyCost: null,
    stoppedHourlyCost: null,
    memberOf: null,
  };
}

/** A time as lists write it, in ms; null where there is none, or it is not understood. */
export function momentOf(text: string | null | undefined): number | null {
  const moment = Date.parse(text ?? "");
  return Number.isNaN(moment) ? null : moment;
}

/** The state of a listed machine that a look would show like this. What is listed is there, so it is never missing. */
export function listedState({ state }: Sighting): ListedMachine["state"] {
  return state === "missing" ? "unknown" : state;
}
