import type { Effect } from "./effects.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { HistoryEvent } from "./history-event.ts";
import type { InstanceState } from "./state.ts";
import { DAY_MS, HOUR_MS } from "./time.ts";

/** Heartbeats travel to the history in chunks of this many. */
export const CHUNK_HEARTBEATS = 10;

/** Chunks that could not be delivered for this long are dropped, oldest first. */
const BACKLOG_MS = 7 * DAY_MS;

export function emit(state: InstanceState, effect: Effect): InstanceState {
  return {
    ...state,
    outbox: [...state.outbox, { id: state.nextEffectId, effect }],
    nextEffectId: state.nextEffectId + 1,
  };
}

/** Records an event in the history. */
export function record(
  state: InstanceState,
  event: Omit<HistoryEvent, "id" | "detail"> & Partial<Pick<HistoryEvent, "detail">>,
): InstanceState {
  const id = state.nextEffectId.toString(36);
  return emit(state, { type: "event", event: { detail: {}, ...event, id } });
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
  return inChunks(state.recent.slice(-state.unflushed)).reduce(
    (each, heartbeats) => emit(each, { type: "chunk", heartbeats }),
    { ...state, unflushed: 0 },
  );
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
export function waitingHeartbeats({ outbox, recent, unflushed }: InstanceState): Heartbeat[] {
  return [
    ...outbox.flatMap(({ effect }) => (effect.type === "chunk" ? effect.heartbeats : [])),
    ...(unflushed === 0 ? [] : recent.slice(-unflushed)),
  ];
}

/** Removes the effects that are done from the outbox. */
export function withoutEffects(state: InstanceState, done: ReadonlySet<number>): InstanceState {
  return { ...state, outbox: state.outbox.filter(({ id }) => !done.has(id)) };
}

/** Drops chunks that have waited too long, and says so in a single event. */
export function dropOldChunks(state: InstanceState, now: number): InstanceState {
  const lost = state.outbox.flatMap(({ id, effect }) => {
    const newest = effect.type === "chunk" ? effect.heartbeats.at(-1) : undefined;
    return newest !== undefined && newest.at < now - BACKLOG_MS && effect.type === "chunk"
      ? [{ id, count: effect.heartbeats.length }]
      : [];
  });
  if (lost.length === 0) return state;
  const told = state.outbox.find(
    ({ effect }) => effect.type === "event" && effect.event.kind === "history_lost",
  );
  const before =
    told?.effect.type === "event" && typeof told.effect.event.detail.heartbeats === "number"
      ? told.effect.event.detail.heartbeats
      : 0;
  const heartbeats = before + lost.reduce((sum, { count }) => sum + count, 0);
  const gone = new Set([...lost.map(({ id }) => id), ...(told ? [told.id] : [])]);
  return record(withoutEffects(state, gone), {
    at: now,
    kind: "history_lost",
    severity: "warning",
    message: `${heartbeats} heartbeats could not be kept: the history was out of reach for 7 days`,
    detail: { heartbeats },
  });
}
