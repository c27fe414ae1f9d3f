import type { Seeded } from "./seeded.ts";

/** What a machine goes through, drawn bit by bit. */

/** `cut off`: it works, and its network does not. `stuck`: nothing is heard of it. `forgotten`: nor does its owner care. */
export type Doing = "busy" | "idle" | "cut off" | "stuck" | "forgotten";

export interface Stretch {
  readonly doing: Doing;
  readonly forMs: number;
}

const SECOND_MS = 1_000;

export function nextStretch(chance: Seeded): Stretch {
  const drawn = chance.next();
  const stretch = (doing: Doing, low: number, high: number): Stretch => ({
    doing,
    forMs: chance.between(low, high) * SECOND_MS,
  });
  if (drawn < 0.5) return stretch("busy", 30, 180);
  if (drawn < 0.74) return stretch("idle", 5, 60);
  if (drawn < 0.87) return stretch("cut off", 5, 55);
  if (drawn < 0.96) return stretch("stuck", 40, 150);
  return stretch("forgotten", 600, 900);
}
