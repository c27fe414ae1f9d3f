import type { Effect, PendingEffect } from "./effects.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HistoryEvent } from "./history-event.ts";
import type { InstanceEvent } from "./instance-event.ts";
import { CHUNK_HEARTBEATS, type InstanceState, recentOf } from "./state.ts";
import { DAY_MS, exactly, HOUR_MS } from "./time.ts";
import type { Said } from "./words/said.ts";
import { say } from "./words/say.ts";

/** Heartbeats wait in the state for a full chunk at most this long. */
const FLUSH_AFTER_MS = HOUR_MS;

/** What could not be delivered for this long is given up, oldest first. */
export const BACKLOG_MS = 7 * DAY_MS;

export function emit(state: InstanceState, effect: Effect): InstanceState {
  return {
    ...state,
    outbox: [...state.outbox, { id: state.nextEffectId, effect }],
    nextEffectId: state.nextEffectId + 1,
  };
}

/** Records an event in the history. The first after an alarm that came late says so: by it the past can be retraced. */
export function record(
  state: InstanceState,
  {
    message,
    ...told
  }: Omit<HistoryEvent, "id" | "detail" | "message" | "said"> &
    Partial<Pick<HistoryEvent, "detail">> & { readonly message: Said },
): InstanceState {
  const id = state.nextEffectId.toString(36);
  const event = { ...told, ...messageOf(message) };
  const { late, ...clock } = state.clock;
  if (late === undefined) return emit(state, { type: "event", event: { detail: {}, ...event, id } });
  const detail = {
    ...event.detail,
    ...exactly("late_from", late.from),
    ...exactly("late_until", late.until),
  };
  return emit({ ...state, clock }, { type: "event", event: { ...event, detail, id } });
}

/** What is said, as an event keeps it: in English, and the phrase for any other language. */
export function messageOf(said: Said): Pick<HistoryEvent, "message" | "said"> {
  return typeof said === "string" ? { message: said } : { message: say("en", said), said };
}

/** Asks for the registry's row to be brought up to date. One such request in the outbox is enough. */
export function project(state: InstanceState): InstanceState {
  return emitLatest(state, { type: "projection" });
}

/** Emits an effect and drops the waiting ones of its type, because only the newest matters. */
export function emitLatest(state: InstanceState, effect: Effect): InstanceState {
  const outbox = state.outbox.filter((pending) => pending.effect.type !== effect.type);
  return emit({ ...state, outbox }, effect);
}

/** Puts the heartbeats that are in no chunk yet into chunks for the history. */
export function flush(state: InstanceState): InstanceState {
  if (state.unflushed === 0) return state;
  return inChunks(unflushedOf(state)).reduce(
    (each, heartbeats) => emit(each, { type: "chunk", heartbeats }),
    withUnflushed(state, 0),
  );
}

function withUnflushed(state: InstanceState, unflushed: number): InstanceState {
  return { ...state, recent: recentOf(state.recent, unflushed), unflushed };
}

/** The heartbeats that are in no chunk yet, oldest first. */
function unflushedOf({ recent, unflushed }: InstanceState): readonly Heartbeat[] {
  return unflushed === 0 ? [] : recent.slice(-unflushed);
}

/**
 * The chunk that the history should get upon an event, because it is an hour old, or full and another heartbeat comes: an
 * alarm saves nothing else, and would be one save more. Null when there is none.
 */
export function dueChunk(
  state: InstanceState,
  event: Pick<InstanceEvent, "type">,
  now: number,
): readonly Heartbeat[] | null {
  const oldest = oldestUnflushed(state);
  if (oldest === undefined) return null;
  const isOld = now - oldest.at >= FLUSH_AFTER_MS;
  const mayBeFull = event.type === "heartbeat" && state.unflushed >= CHUNK_HEARTBEATS;
  if (!isOld && !mayBeFull) return null;
  const [chunk = []] = inChunks(unflushedOf(state));
  return isOld || chunk.length >= CHUNK_HEARTBEATS ? chunk : null;
}

/** When `dueChunk` finds one upon any event; null when no heartbeat waits. */
export function chunkDueAt(state: InstanceState): number | null {
  const oldest = oldestUnflushed(state);
  return oldest === undefined ? null : oldest.at + FLUSH_AFTER_MS;
}

function oldestUnflushed({ recent, unflushed }: InstanceState): Heartbeat | undefined {
  return unflushed === 0 ? undefined : recent.at(-unflushed);
}

/** The state once the history has this chunk; unchanged if those heartbeats no longer wait for one. */
export function withoutChunk(state: InstanceState, chunk: readonly Heartbeat[]): InstanceState {
  const isNext = unflushedOf(state)[0]?.sequence === chunk[0]?.sequence && chunk.length <= state.unflushed;
  return isNext ? withUnflushed(state, state.unflushed - chunk.length) : state;
}

/** Emits this chunk as an effect, unless those heartbeats no longer wait for one. */
export function emitChunk(state: InstanceState, chunk: readonly Heartbeat[]): InstanceState {
  const without = withoutChunk(state, chunk);
  return without === state ? state : emit(without, { type: "chunk", heartbeats: chunk });
}

/** No chunk spans more than this. Readers of the history rely on it. */
const CHUNK_SPAN_MS = HOUR_MS;

/** Splits heartbeats, oldest first, into chunks within the limits of number and time. */
export function inChunks(heartbeats: readonly Heartbeat[]): Heartbeat[][] {
  const chunks: Heartbeat[][] = [];
  for (const heartbeat of heartbeats) {
    const chunk = chunks.at(-1);
    const [first] = chunk ?? [];
    const fits =
      chunk !== undefined &&
      first !== undefined &&
      chunk.length < CHUNK_HEARTBEATS &&
      heartbeat.at - first.at <= CHUNK_SPAN_MS;
    if (fits) chunk.push(heartbeat);
    else chunks.push([heartbeat]);
  }
  return chunks;
}

/** Heartbeats that may not be in the history yet, oldest first. */
export function waitingHeartbeats(state: InstanceState): Heartbeat[] {
  return [...state.outbox.flatMap(heartbeatsOf), ...unflushedOf(state)];
}

/** The heartbeats that an effect hands to the history. */
export function heartbeatsOf({ effect }: PendingEffect): readonly Heartbeat[] {
  return effect.type === "chunk" ? effect.heartbeats : [];
}

/** Whether an effect takes the instance out of the registry. */
export function isForget({ effect }: Pick<PendingEffect, "effect">): boolean {
  return effect.type === "forget";
}

/** Whether the instance was removed, and only what it still has to deliver keeps it here. */
export function isLeaving({ outbox }: Pick<InstanceState, "outbox">): boolean {
  return outbox.some(isForget);
}

/** Removes the effects that are done from the outbox. */
export function withoutEffects(state: InstanceState, done: ReadonlySet<number>): InstanceState {
  return { ...state, outbox: state.outbox.filter(({ id }) => !done.has(id)) };
}

export function countHeartbeats(effects: readonly PendingEffect[]): number {
  return effects.reduce((sum, pending) => sum + heartbeatsOf(pending).length, 0);
}
