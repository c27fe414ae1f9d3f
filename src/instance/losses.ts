import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import {
  BACKLOG_MS,
  heartbeatsOf,
  isLeaving,
  messageOf,
  record,
  withoutEffects,
} from "../lifecycle/model/outbox.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { phrase, together } from "../lifecycle/model/words/phrase.ts";
import type { GivenUp } from "./held.ts";

/** What becomes of effects that have waited for too long. Pure. */

/** All that waits in rows of its own takes at most so many characters of JSON; beyond it the oldest are given up. */
export const HELD_CHARACTERS = 32 * 1024 * 1024;

/** The chunks in the state's row that have waited for too long. */
export function oldChunksIn({ outbox }: InstanceState, now: number): PendingEffect[] {
  return outbox.filter((pending) => {
    const newest = heartbeatsOf(pending).at(-1);
    return newest !== undefined && newest.at < now - BACKLOG_MS;
  });
}

/** Whether an effect is the event that tells of losses. */
export function isLoss({ effect }: PendingEffect): boolean {
  return effect.type === "event" && effect.event.kind === "history_lost";
}

/**
 * Says in one event that effects were given up. As long as it waits for the history, it counts what is given up next: so an
 * outage makes one. Nothing is said for a removed instance, nor of effects that tell of the delivery themselves.
 */
export function recordLosses(state: InstanceState, lost: readonly GivenUp[], now: number): InstanceState {
  const told = lost.filter(({ pending }) => pending === null || !isAboutDelivery(pending));
  if (isLeaving(state) || told.length === 0) return state;
  const heartbeats = told.reduce((sum, one) => sum + one.heartbeats, 0);
  const events = told.filter((one) => one.heartbeats === 0).length;
  const waiting = state.outbox.find(isLoss);
  if (waiting?.effect.type !== "event") return record(state, { at: now, ...wordsOf(heartbeats, events) });
  const { event } = waiting.effect;
  const words = wordsOf(heartbeats + countIn(event, "heartbeats"), events + countIn(event, "events"));
  const counted: PendingEffect = { ...waiting, effect: { type: "event", event: { ...event, ...words } } };
  return { ...state, outbox: state.outbox.map((one) => (one === waiting ? counted : one)) };
}

/** The state without chunks that were given up. */
export function withoutLost(state: InstanceState, lost: readonly PendingEffect[]): InstanceState {
  return lost.length === 0 ? state : withoutEffects(state, new Set(lost.map(({ id }) => id)));
}

/** Whether an effect says what became of others: it is not spoken of in turn, or there would be no end of it. */
export function isAboutDelivery({ effect }: PendingEffect): boolean {
  return (
    effect.type === "event" &&
    (effect.event.kind === "delivery_parked" || effect.event.kind === "history_lost")
  );
}

function countIn({ detail }: HistoryEvent, what: "heartbeats" | "events"): number {
  const count = detail[what];
  return typeof count === "number" ? count : 0;
}

function wordsOf(heartbeats: number, events: number) {
  const what = together("and", [
    heartbeats === 0 ? "" : phrase("delivery.heartbeats", { count: heartbeats }),
    events === 0 ? "" : phrase("delivery.events", { count: events }),
  ]);
  return {
    kind: "history_lost",
    severity: "warning",
    ...messageOf(phrase("delivery.lost", { what, count: heartbeats + events })),
    detail: { heartbeats, events },
  } as const;
}
