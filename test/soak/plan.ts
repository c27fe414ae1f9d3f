import type { Fault } from "./faults.ts";
import type { Seeded } from "./seeded.ts";

/** What goes wrong in a soak, and when: drawn from a seed before it begins. Times in ms from the start. */

export type OutsideTrouble = "refuses" | "asks to wait" | "forgets" | "is slow";

interface Window {
  readonly from: number;
  readonly until: number;
}

export type TroubleWindow = Window &
  (
    | { readonly target: "database" | "fleet"; readonly fault: Fault; readonly share: number }
    | { readonly target: "provider" | "channels"; readonly trouble: OutsideTrouble; readonly share: number }
  );

export type Interruption = { readonly at: number } & (
  | { readonly type: "kill" }
  | { readonly type: "release"; readonly release: "former" | "current" }
);

export interface Plan {
  readonly windows: readonly TroubleWindow[];
  /** Kills and changes of the release, in the order of their times. */
  readonly interruptions: readonly Interruption[];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Nothing goes wrong while the fleet starts, nor just before the rest begins. */
const QUIET_MS = 20 * SECOND_MS;

const KILL_EVERY_MS = 10 * MINUTE_MS;
const KILLS_AT_LEAST = 3;

export function drawPlan(durationMs: number, chance: Seeded): Plan {
  return { windows: drawWindows(durationMs, chance), interruptions: drawInterruptions(durationMs, chance) };
}

/** Database, fleet, provider and channels by turns, in an order that is drawn anew for each round. */
function drawWindows(durationMs: number, chance: Seeded): TroubleWindow[] {
  const windows: TroubleWindow[] = [];
  let from = QUIET_MS;
  for (;;) {
    const targets = shuffled(["database", "fleet", "provider", "channels"] as const, chance);
    for (const target of targets) {
      const until = from + chance.between(15 * SECOND_MS, 45 * SECOND_MS);
      if (until > durationMs - QUIET_MS) return windows;
      const share = chance.next() < 0.5 ? 1 : chance.between(0.2, 0.8);
      switch (target) {
        case "database":
        case "fleet":
          windows.push({ from, until, target, share, fault: chance.pick(["away", "forgets", "slow"]) });
          break;
        case "provider":
        case "channels": {
          const trouble = chance.pick<OutsideTrouble>(["refuses", "asks to wait", "forgets", "is slow"]);
          windows.push({ from, until, target, share, trouble });
        }
      }
      from = until + chance.between(8 * SECOND_MS, 20 * SECOND_MS);
    }
  }
}

/** The release before runs first; then an upgrade, a way back, and the upgrade again, with kills between them. */
function drawInterruptions(durationMs: number, chance: Seeded): Interruption[] {
  const kills = Math.max(KILLS_AT_LEAST, Math.floor(durationMs / KILL_EVERY_MS));
  const every = durationMs / kills;
  const near = (moment: number) => moment + chance.between(-0.03, 0.03) * durationMs;
  const interruptions: Interruption[] = [
    ...Array.from({ length: kills }, (_, index) => ({
      at: (index + chance.between(0.3, 0.7)) * every,
      type: "kill" as const,
    })),
    { at: near(0.2 * durationMs), type: "release", release: "current" },
    { at: near(0.45 * durationMs), type: "release", release: "former" },
    { at: near(0.65 * durationMs), type: "release", release: "current" },
  ];
  return interruptions.sort((a, b) => a.at - b.at);
}

function shuffled<T>(values: readonly T[], chance: Seeded): T[] {
  return values
    .map((value) => ({ value, place: chance.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
