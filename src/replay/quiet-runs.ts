import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { idleRunOf } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { beginningOf } from "./beginning.ts";
import type { Span, Story } from "./story.ts";
import { isQuiet, judgeBy } from "./verdict.ts";
import { saysPreparing } from "./work.ts";

/** What of a past decides who is hibernated for idleness: when nothing showed use for long enough. */
export interface QuietRuns {
  /** From one reading that shows use to the next: no idle run lies otherwise, and none is longer. */
  readonly spans: readonly Span[];
  /** Readings that may be overlooked as signs of use, as they are judged: what came late, and what came while its hooks ran. */
  readonly overlooked: string;
}

/** As the policy judges; null where only hours are kept of a part of it. */
export function quietRuns(story: Story, { idle }: Policy): QuietRuns | null {
  if (story.hours.length > 0) return null;
  const judge = judgeBy(idle, story.hasGpu);
  const begun = idleRunOf(beginningOf(story).state.phase)?.since ?? story.from;
  const spans: Span[] = [];
  let [from, overlooked] = [Math.min(begun, story.from), ""];
  for (const heartbeat of story.readings) {
    const verdict = judge(heartbeat);
    if (isOverlooked(heartbeat)) overlooked += verdict;
    else if (!isQuiet(verdict) && heartbeat.at > from) {
      spans.push({ from, to: heartbeat.at });
      from = heartbeat.at;
    }
  }
  return { spans: [...spans, { from, to: story.to }], overlooked };
}

function isOverlooked(heartbeat: Heartbeat): boolean {
  return heartbeat.isLate === true || saysPreparing(heartbeat);
}

/** The same of two policies: each hibernates for idleness exactly when the other does, after so long. */
export function saidOf({ spans, overlooked }: QuietRuns, hibernateAfterMs: number): string {
  const long = spans.filter(({ from, to }) => to - from >= hibernateAfterMs);
  return JSON.stringify([overlooked, long.length === 0 ? null : [hibernateAfterMs, long]]);
}
