import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { SHORT_WAIT_MS, type Turn } from "../../providers/pace.ts";

/**
 * The lane of all calls to a provider by one connection of a user. Each call takes a turn, and keeps the lane to itself for as
 * long as the provider wants to be left alone after it. Where the provider takes some calls at once after a rest, a turn may
 * begin before its own time, by the burst at most. Once the provider says that it was too much, the lane stands still for all.
 */
export interface Lane {
  /** From here on nobody has taken anything. */
  readonly freeAt: number;
  /** Times of `KEPT_MS` that the queue has left for urgent calls, the first one first. */
  readonly keptAt: readonly number[];
  /** Turns in the queue since the last time was kept. */
  readonly turnsSinceKept: number;
  readonly pausedUntil: number;
  readonly pausedForMs: number;
  /** Since when the provider has said again and again that it was too much. */
  readonly limitedSince: number;
  /** By how much all pauses have moved the turns that were taken before them. */
  readonly movedByMs: number;
}

export const NEW_LANE: Lane = {
  freeAt: 0,
  keptAt: [],
  turnsSinceKept: 0,
  pausedUntil: 0,
  pausedForMs: 0,
  limitedSince: 0,
  movedByMs: 0,
};

/** A turn is given at most so far ahead. */
export const LOOK_AHEAD_MS = 15 * MINUTE_MS;

/** However long a provider asks to be left alone: orders have deadlines. */
export const LONGEST_PAUSE_MS = 15 * MINUTE_MS;

/** A provider that does not say for how long is left alone for so long at first, and each time twice as long as the time before. */
const FIRST_PAUSE_MS = 10 * SECOND_MS;
const LONGEST_OWN_PAUSE_MS = 5 * MINUTE_MS;

/** So long after a pause, or as long as that was, its limit is over. */
const LIMIT_OVER_AFTER_MS = MINUTE_MS;

/** A limit that lasts longer than this is the provider's failure. */
const LONG_LIMIT_MS = 30 * MINUTE_MS;

/** A queue of more than this keeps a time for urgent calls after every so many turns, up to so many times. */
const KEPT_BEYOND_MS = 10 * SECOND_MS;
const KEPT_EVERY = 4;
const MOST_KEPT = 50;
export const KEPT_MS = 4 * SECOND_MS;

/** A call waits for its turn at most this long. */
export const PATIENCE_MS = HOUR_MS;

/** Whoever waits for long is to ask again so long before its turn: it would be too late a moment after. */
const EARLY_MS = 3 * SECOND_MS;

/** What a call takes of its lane. */
export interface Taking {
  readonly costMs: number;
  readonly burstMs: number;
  readonly isUrgent: boolean;
}

/** Gives the next turn; `startAt` is null when there is none within the look-ahead. */
export function reserve(
  before: Lane,
  { costMs, burstMs, isUrgent }: Taking,
  now: number,
): { readonly lane: Lane; readonly startAt: number | null } {
  const lane = onThisClock(before, burstMs, now);
  const startOf = (at: number) => Math.max(now, lane.pausedUntil, at - burstMs);
  const keptAt = lane.keptAt.filter((at) => at >= now);
  const [kept, ...rest] = keptAt;
  let at = Math.max(now, lane.freeAt);
  if (isUrgent && kept !== undefined && kept < at && costMs <= KEPT_MS) {
    return { lane: { ...lane, keptAt: rest }, startAt: startOf(kept) };
  }
  const isQueue = startOf(at) > now + KEPT_BEYOND_MS;
  const turnsSinceKept = isQueue ? lane.turnsSinceKept + 1 : 0;
  const isKept = turnsSinceKept > KEPT_EVERY && keptAt.length < MOST_KEPT && !isUrgent;
  if (isKept) {
    keptAt.push(at);
    at += KEPT_MS;
  }
  const startAt = startOf(at);
  if (startAt > now + LOOK_AHEAD_MS) return { lane, startAt: null };
  const next = { ...lane, freeAt: at + costMs, keptAt, turnsSinceKept: isKept ? 0 : turnsSinceKept };
  return { lane: next, startAt };
}

/**
 * The provider has said that it was too much. `askedForMs`: for how long it wants to be left alone; null when it does not say.
 * All turns that were taken for later move on by the pause. `chance`, between 0 and 1, keeps those who share a provider apart.
 */
export function pause(
  before: Lane,
  askedForMs: number | null,
  { burstMs, chance }: { readonly burstMs: number; readonly chance: number },
  now: number,
): Lane {
  const lane = onThisClock(before, burstMs, now);
  const isPaused = now < lane.pausedUntil;
  // A call that had been on its way when the pause began tells nothing new.
  if (isPaused && askedForMs === null) return lane;
  const isSameLimit = now < lane.pausedUntil + Math.max(LIMIT_OVER_AFTER_MS, lane.pausedForMs);
  const own = isSameLimit ? Math.min(2 * lane.pausedForMs, LONGEST_OWN_PAUSE_MS) : FIRST_PAUSE_MS;
  const wanted = askedForMs ?? own * (1 + chance / 2);
  const pausedForMs = Math.min(Math.max(wanted, SECOND_MS), LONGEST_PAUSE_MS);
  const pausedUntil = Math.max(lane.pausedUntil, now + pausedForMs);
  // A provider that has had enough takes no burst either right after that.
  const burstOver = Math.min(burstMs, now - lane.pausedUntil);
  const movedMs = isPaused ? pausedUntil - lane.pausedUntil : pausedUntil - now + burstOver;
  return {
    ...lane,
    freeAt: Math.max(lane.freeAt, now) + movedMs,
    keptAt: lane.keptAt.filter((at) => at >= now).map((at) => at + movedMs),
    pausedUntil,
    pausedForMs,
    limitedSince: isSameLimit ? lane.limitedSince : now,
    movedByMs: lane.movedByMs + movedMs,
  };
}

/** A lane that a clock which was set back since would hold up begins anew, after whatever may be on its way. */
function onThisClock(lane: Lane, burstMs: number, now: number): Lane {
  const furthest = now + LOOK_AHEAD_MS + LONGEST_PAUSE_MS + 2 * burstMs + MINUTE_MS;
  if (lane.freeAt <= furthest && lane.pausedUntil <= now + LONGEST_PAUSE_MS) return lane;
  return { ...NEW_LANE, freeAt: now + burstMs + SHORT_WAIT_MS, movedByMs: lane.movedByMs };
}

/** A call that waits for long, or has. */
export interface Waiting {
  /** Null once it has had its turn. */
  readonly since: number | null;
  /** Its turn, and how far the lane had been moved when it was taken; null while it has none. */
  readonly turn: { readonly startAt: number; readonly movedByMs: number } | null;
  readonly waits: number;
}

/** How lane and call are left. Nothing need be kept of a call that does not wait: null. */
export interface Left {
  readonly lane: Lane;
  readonly waiting: Waiting | null;
}

type Asked = Left & { readonly turn: Turn };

/** It is to ask again then. */
type Limited = Left & { readonly afterMs: number; readonly isFailure: boolean };

/** A call asks for its turn, or comes for the one that it was given. `waiting`: as it was left the last time. */
export function ask(lane: Lane, waiting: Waiting | null, taking: Taking, chance: number, now: number): Asked {
  const since = Math.min(waiting?.since ?? now, now);
  const waits = waiting?.waits ?? 0;
  if (now - since > PATIENCE_MS) {
    // Should its order be carried out anew, its patience is new.
    return { lane, waiting: { since: null, turn: null, waits }, turn: { type: "given up", waits } };
  }
  const held = heldTurn(lane, waiting, now);
  if (held !== null && held >= now) return answer(lane, held, { since, waits }, waiting, now);
  // Who comes too late for its turn has waited already.
  const reserved = reserve(lane, { ...taking, isUrgent: taking.isUrgent || held !== null }, now);
  if (reserved.startAt !== null) {
    return answer(reserved.lane, reserved.startAt, { since, waits }, waiting, now);
  }
  return {
    lane: reserved.lane,
    waiting: { since, turn: null, waits: waits + 1 },
    turn: { type: "ask again", afterMs: (taking.isUrgent ? 1 : 3) * MINUTE_MS * (1 + chance), waits },
  };
}

/** The turn that a call was given, where the pauses since have moved it; null when it has none. */
function heldTurn({ movedByMs }: Lane, waiting: Waiting | null, now: number): number | null {
  if (waiting?.turn == null) return null;
  const startAt = waiting.turn.startAt + movedByMs - waiting.turn.movedByMs;
  // Not on a clock that was set back.
  return startAt <= now + LOOK_AHEAD_MS + LONGEST_PAUSE_MS ? startAt : null;
}

function answer(
  lane: Lane,
  startAt: number,
  { since, waits }: { readonly since: number; readonly waits: number },
  before: Waiting | null,
  now: number,
): Asked {
  const afterMs = startAt - now;
  if (afterMs <= SHORT_WAIT_MS) {
    const waiting = before === null ? null : { since: null, turn: null, waits };
    return { lane, waiting, turn: { type: "go", afterMs, waits } };
  }
  return {
    lane,
    waiting: { since, turn: { startAt, movedByMs: lane.movedByMs }, waits: waits + 1 },
    turn: { type: "ask again", afterMs: afterMs - EARLY_MS, waits },
  };
}

/**
 * A call was answered that it was too much, although it had its turn. It gets the next one after the pause; that try counts as
 * failed only once the limit has lasted for long.
 */
export function limited(
  lane: Lane,
  waiting: Waiting | null,
  taking: Taking,
  askedForMs: number | null,
  chance: number,
  now: number,
): Limited {
  const paused = pause(lane, askedForMs, { burstMs: taking.burstMs, chance }, now);
  const isFailure = now - paused.limitedSince > LONG_LIMIT_MS;
  const since = Math.min(waiting?.since ?? now, now);
  const waits = (waiting?.waits ?? 0) + (isFailure ? 0 : 1);
  const { lane: next, startAt } = reserve(paused, { ...taking, isUrgent: true }, now);
  const turn = startAt === null ? null : { startAt, movedByMs: next.movedByMs };
  const afterMs = Math.max(0, (startAt ?? paused.pausedUntil + MINUTE_MS * (1 + chance)) - now - EARLY_MS);
  return { lane: next, waiting: { since, turn, waits }, afterMs, isFailure };
}
