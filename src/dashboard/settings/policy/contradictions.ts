import type { PolicyProblem } from "../policy-problems.ts";
import { type Ladder, RUNG_FIELDS } from "./ladder.ts";

/** What the service would refuse of a ladder, said while it is typed: a step that is not before the one that follows. Pure. */
export function contradictionsOf(ladders: readonly Ladder[]): PolicyProblem[] {
  return ladders.flatMap(({ name, rungs }) => {
    const timed = rungs.flatMap(({ rung, atSeconds }) => {
      const field = RUNG_FIELDS[name][rung];
      return field === undefined || atSeconds === null ? [] : [{ path: field.path, atSeconds }];
    });
    return timed.flatMap((earlier, index): PolicyProblem[] => {
      const later = timed[index + 1];
      if (later === undefined || earlier.atSeconds < later.atSeconds) return [];
      const problem = {
        code: "less_than",
        other: later.path,
        limit: later.atSeconds,
        is: earlier.atSeconds,
      } as const;
      return [{ path: earlier.path, row: null, instance: null, problem }];
    });
  });
}
