import type { ListedMachine } from "../../../src/providers/provider.ts";

/** A machine as its provider lists it, of which no more is known than that it runs. */
export function listedMachine(ref: string, more: Partial<ListedMachine> = {}): ListedMachine {
  return {
    ref,
    name: null,
    state: "running",
    gpu: null,
    gpus: null,
    region: null,
    createdAt: null,
    hourlyCost: null,
    stoppedHourlyCost: null,
    memberOf: null,
    ...more,
  };
}

/** What is kept of it when it was just seen for the first time. */
export const JUST_SEEN = {
  firstSeenAt: 0,
  lastSeenAt: 0,
  stateSince: 0,
  toldAt: null,
  vanishedAt: null,
} as const;
