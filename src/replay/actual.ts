import { NOTHING, type Replayed } from "./outcome.ts";
import type { Story } from "./story.ts";

/** What really happened, from events, readings and prices alone: counted as a replay counts. */
export function actualOf(story: Story): Replayed {
  return {
    outcome: NOTHING,
    interruptions: [],
    basis: { readings: story.readings.length, coarseMs: 0, assumedIdleMs: 0, readingsWithoutUse: 0 },
  };
}
