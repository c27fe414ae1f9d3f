import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { PastEvent, Span } from "./story.ts";
import { saysPreparing } from "./work.ts";

/**
 * Whether a machine was saving its work when it was read: it says that it prepares, and by its events a hibernation was under way.
 * One that says so at any other time is at work, as it was for its policy.
 */
export function savingIn(events: readonly PastEvent[]): (reading: Heartbeat, at: number) => boolean {
  const spans = hibernationsUnderWay(events);
  return (reading, at) => saysPreparing(reading) && isWithin(spans, at);
}

/** From when a hibernation was prepared or ordered until it was done, or called off; oldest first. */
function hibernationsUnderWay(events: readonly PastEvent[]): readonly Span[] {
  const spans: Span[] = [];
  let from: number | null = null;
  for (const { at, kind } of events) {
    if (BEGINS.has(kind)) from ??= at;
    else if (from !== null && ENDS.has(kind)) {
      spans.push({ from, to: at });
      from = null;
    }
  }
  return from === null ? spans : [...spans, { from, to: Number.POSITIVE_INFINITY }];
}

const BEGINS: ReadonlySet<string> = new Set(["preparing", "hibernating"]);

const ENDS: ReadonlySet<string> = new Set([
  "preparation_cancelled",
  "hibernate_cancelled",
  "hibernate_failed",
  "hibernated",
  "orphaned",
  "resumed",
  "woken",
]);

function isWithin(spans: readonly Span[], at: number): boolean {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const span = spans[low - 1];
  return span !== undefined && at <= span.to;
}
