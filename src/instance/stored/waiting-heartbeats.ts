import { emit, heartbeatsOf, inChunks } from "../../lifecycle/model/outbox.ts";
import { type InstanceState, RECENT_HEARTBEATS } from "../../lifecycle/model/state.ts";

/**
 * The release before this one keeps the newest 20 heartbeats, whether they wait for a chunk or not, and its next one is
 * among them. So a row lets at most 19 wait. The older ones stand in it as chunks that wait to be delivered, which that
 * release delivers; this one takes them back when it reads the row.
 */
const WAITING_IN_ROW = RECENT_HEARTBEATS - 1;

/** The state as a row holds it. */
interface InRow {
  readonly state: InstanceState;
  /** Effects from this id on are heartbeats that wait for a chunk; undefined if there are none. */
  readonly waitingFrom: number | undefined;
}

export function intoRow(state: InstanceState): InRow {
  const surplus = state.unflushed - WAITING_IN_ROW;
  if (surplus <= 0) return { state, waitingFrom: undefined };
  const waiting = state.recent.slice(-state.unflushed);
  const rest = { ...state, recent: waiting.slice(surplus), unflushed: WAITING_IN_ROW };
  return {
    state: inChunks(waiting.slice(0, surplus)).reduce<InstanceState>(
      (each, heartbeats) => emit(each, { type: "chunk", heartbeats }),
      rest,
    ),
    waitingFrom: state.nextEffectId,
  };
}

export function fromRow({ state, waitingFrom }: InRow): InstanceState {
  if (waitingFrom === undefined) return state;
  const waiting = state.outbox.filter(({ id }) => id >= waitingFrom).flatMap(heartbeatsOf);
  return {
    ...state,
    recent: [...waiting, ...state.recent],
    unflushed: state.unflushed + waiting.length,
    outbox: state.outbox.filter(({ id }) => id < waitingFrom),
    nextEffectId: waitingFrom,
  };
}
