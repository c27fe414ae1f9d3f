import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { momentIn } from "./detail.ts";
import { isRetraced, isSame } from "./differences.ts";
import { type Standing, step } from "./step.ts";
import type { PastEvent, Span } from "./story.ts";

/**
 * An event, and when it was decided on, as far as is known. The time of a step is its deadline, though it may have been taken later: an
 * order was under way, or maintenance.
 */
export interface Told extends PastEvent {
  readonly toldAt: number;
}

/** In the order in which they were decided on: their ids grow. */
export function toldOf(events: readonly PastEvent[]): readonly Told[] {
  let latest = 0;
  return events
    .map((event) => ({ event, number: Number.parseInt(event.id, 36) }))
    .toSorted((one, other) => one.number - other.number || one.event.at - other.event.at)
    .map(({ event }) => {
      latest = Math.max(latest, event.at, momentIn(event.detail, "late_until") ?? 0);
      return { ...event, toldAt: latest };
    });
}

/** So many events are looked at for what they say of the moment before them. */
export const LOOK_AHEAD = 12;

/** The alarm that would tell of this event, of the next few; null where none does. */
export function toldBy(event: PastEvent, standing: Standing): number | null {
  let next = standing;
  for (let alarms = 0; alarms < LOOK_AHEAD; alarms += 1) {
    const { wakeAt } = next;
    if (wakeAt === null) return null;
    const stepped = step(next, { type: "alarm", dueAt: wakeAt }, wakeAt);
    if (stepped.events.some((each) => isSame(each, event))) return wakeAt > event.at ? wakeAt : null;
    if (stepped.events.some(isRetraced)) return null;
    next = stepped.standing;
  }
  return null;
}

/** Those that happened, without the first that this one predicts. Of one moment they may be in any order. */
export function without(actual: readonly PastEvent[], predicted: HistoryEvent): readonly PastEvent[] {
  const index = actual.findIndex((each) => isSame(predicted, each));
  return index < 0 ? actual : actual.toSpliced(index, 1);
}

/** The same events, where the one at `index` was decided on at that moment. */
export function toldAgainAt(events: readonly Told[], index: number, toldAt: number): readonly Told[] {
  const rest = events.slice(index + 1);
  const place = rest.findIndex((each) => each.toldAt >= toldAt);
  const at = place < 0 ? rest.length : place;
  const moved = events.slice(index, index + 1).map((event) => ({ ...event, toldAt }));
  return [...events.slice(0, index), ...rest.slice(0, at), ...moved, ...rest.slice(at)];
}

/** What came late, as the first of these events tells that tells of any; null where none does. */
export function lateAhead(events: readonly Told[], index: number): Span | null {
  for (const { detail } of events.slice(index, index + LOOK_AHEAD)) {
    const [from, until] = [momentIn(detail, "late_from"), momentIn(detail, "late_until")];
    if (from !== null && until !== null) return { from, to: until };
  }
  return null;
}
