import type { LifecycleEvent } from "./event.ts";

/** Events that only repeat each other, as one line. Pure. */

export type Entry =
  | { readonly is: "one"; readonly event: LifecycleEvent }
  /** Newest first. `kinds`: those that take turns, in the order in which they first happened. */
  | {
      readonly is: "turns";
      readonly kinds: readonly string[];
      readonly times: number;
      readonly events: readonly LifecycleEvent[];
    };

/** So many rounds are told at least before they are folded. */
const LEAST_TIMES = 3;
/** The longest round: idle, hibernating, hibernated, waking, woken. */
const LONGEST_ROUND = 5;

/** Never folded: each must be seen. */
const isGrave = ({ severity }: LifecycleEvent) => severity === "critical";

/** `events`: newest first, of one instance or of many. What is left out of a round stays as it is. */
export function folded(events: readonly LifecycleEvent[]): readonly Entry[] {
  const entries: Entry[] = [];
  let place = 0;
  while (place < events.length) {
    const run = longestRun(events, place);
    const event = events[place];
    if (event === undefined) break;
    if (run === null) {
      entries.push({ is: "one", event });
      place += 1;
      continue;
    }
    const all = events.slice(place, place + run.length * run.times);
    const kinds = all.slice(0, run.length).map(({ kind }) => kind);
    entries.push({ is: "turns", kinds: kinds.reverse(), times: run.times, events: all });
    place += all.length;
  }
  return entries;
}

/** The run from here on that takes in the most events; of several, the shortest round. */
function longestRun(events: readonly LifecycleEvent[], from: number) {
  let best: { readonly length: number; readonly times: number } | null = null;
  for (let length = 1; length <= LONGEST_ROUND; length += 1) {
    const times = timesOf(events, from, length);
    if (times < LEAST_TIMES) continue;
    if (best === null || times * length > best.times * best.length) best = { length, times };
  }
  return best;
}

function timesOf(events: readonly LifecycleEvent[], from: number, length: number): number {
  let count = 0;
  for (let place = from; place < events.length; place += 1) {
    const event = events[place];
    const first = events[from + ((place - from) % length)];
    if (event === undefined || first === undefined || isGrave(event)) break;
    if (event.kind !== first.kind || event.instance_id !== events[from]?.instance_id) break;
    count += 1;
  }
  return Math.floor(count / length);
}
