import { z } from "zod";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { jsonText, readableRows } from "../lifecycle/model/stored.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import type { PastEvent, PastHour, Story } from "../replay/story.ts";
import { fromSample } from "./sample.ts";

/** Reads what is kept of an instance's past, for a replay. */

/** Where it is. */
export interface PastPlaces {
  readonly heartbeats: D1Database;
  /** All that may hold events of the instance. */
  readonly events: readonly D1Database[];
}

/** Both ends included, in ms. */
export interface PastRange {
  readonly userId: string;
  readonly instanceId: string;
  /** Whether the instance ever reported a GPU: then nobody knows what was done while none could be read. */
  readonly hasGpu: boolean;
  readonly from: number;
  readonly to: number;
}

/** What its actor holds that may not be in the databases yet, oldest first. */
export interface WaitingPast {
  readonly heartbeats: readonly Heartbeat[];
  readonly events: readonly PastEvent[];
}

export const NOTHING_WAITS: WaitingPast = { heartbeats: [], events: [] };

/** How much is read at most. What is older than that is left out. */
export interface PastLimits {
  readonly readings: number;
  /** Rows that hold the readings. Whoever sends late readings makes small ones. */
  readonly chunks: number;
  /** Of the texts that hold the readings. */
  readonly bytes: number;
  readonly events: number;
}

/** 30 days of a heartbeat a minute are 43,200 readings in 1,440 chunks, and about 4 MB. */
export const PAST_LIMITS: PastLimits = { readings: 50_000, chunks: 3000, bytes: 24_000_000, events: 5000 };

/** So many events before the range are read, to know how the instance stood when it began. */
export const EVENTS_BEFORE = 50;

export interface Past extends Pick<Story, "readings" | "hours" | "events"> {
  /** From when on all is there that is kept: where the range begins, or later if there is more than the limits allow. */
  readonly from: number;
}

/**
 * The past of a range: readings and events in the order of their times, each once, and hours before the first reading. The hour
 * in which the first reading falls may be among them: it counts only what is no longer there as readings.
 */
export async function readPast(
  places: PastPlaces,
  range: PastRange,
  waiting: WaitingPast,
  limits: PastLimits = PAST_LIMITS,
): Promise<Past> {
  const [raw, hours, events] = await Promise.all([
    readReadings(places.heartbeats, range, limits),
    readPastHours(places.heartbeats, range),
    readPastEvents(places.events, range, limits.events, waiting.events),
  ]);
  const from = Math.max(range.from, raw.from, events.from);
  const isWithin = ({ at }: { readonly at: number }) => at >= from && at <= range.to;
  const readings = inOrder([...raw.readings, ...waiting.heartbeats].filter(isWithin));
  const firstAt = readings[0]?.at ?? Number.POSITIVE_INFINITY;
  return {
    from,
    readings,
    hours: hours.filter(({ at }) => at + HOUR_MS > from && at < firstAt),
    events: events.events,
  };
}

/** Sorted by time, and of several with the same time and number one. */
function inOrder(readings: Heartbeat[]): Heartbeat[] {
  readings.sort((a, b) => a.at - b.at || a.sequence - b.sequence);
  return readings.filter((one, index) => {
    const before = readings[index - 1];
    return before === undefined || before.at !== one.at || before.sequence !== one.sequence;
  });
}

const CHUNKS_PER_PAGE = 300;

/** One whose samples can't be read has none. */
const chunkRow = z.object({
  first_at: z.number(),
  first_sequence: z.number(),
  samples: z.string().catch(""),
});

type ChunkRow = z.infer<typeof chunkRow>;

/** Newest first, page by page, until there is enough. */
async function readReadings(
  db: D1Database,
  { userId, instanceId, from, to }: PastRange,
  limits: PastLimits,
): Promise<{ readonly readings: readonly Heartbeat[]; readonly from: number }> {
  const readings: Heartbeat[] = [];
  let [chunks, bytes] = [0, 0];
  let end: Pick<ChunkRow, "first_at" | "first_sequence"> = {
    first_at: to,
    first_sequence: Number.MAX_SAFE_INTEGER,
  };
  for (;;) {
    const { results } = await db
      .prepare(
        // A chunk spans at most an hour.
        `SELECT first_at, first_sequence, samples FROM heartbeat_chunks
         WHERE user_id = ?1 AND instance_id = ?2 AND first_at >= ?3 AND (first_at, first_sequence) < (?4, ?5)
         ORDER BY first_at DESC, first_sequence DESC LIMIT ${CHUNKS_PER_PAGE}`,
      )
      .bind(userId, instanceId, from - HOUR_MS, end.first_at, end.first_sequence)
      .all();
    for (const chunk of readableRows(chunkRow, results)) {
      if (readings.length >= limits.readings || chunks >= limits.chunks || bytes >= limits.bytes)
        return { readings, from: end.first_at };
      readings.push(...readingsIn(chunk));
      chunks += 1;
      bytes += chunk.samples.length;
      end = chunk;
    }
    if (results.length < CHUNKS_PER_PAGE) return { readings, from };
  }
}

/** What of a chunk can be read. */
function readingsIn({ first_sequence, samples }: ChunkRow): Heartbeat[] {
  return samplesIn(samples).flatMap((sample, index) => fromSample(sample, first_sequence + index) ?? []);
}

function samplesIn(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** A range of 30 days has 721 at most; one that is longer than this loses its oldest. */
const HOURS_AT_MOST = 10_000;

const hourRow = z.object({
  hour: z.number(),
  heartbeats: z.number(),
  gpu_heartbeats: z.number(),
  quiet_heartbeats: z.number().nullable(),
  gpu_max: z.number().nullable(),
});

async function readPastHours(
  db: D1Database,
  { userId, instanceId, hasGpu, from, to }: PastRange,
): Promise<readonly PastHour[]> {
  const { results } = await db
    .prepare(
      `SELECT hour, heartbeats, gpu_heartbeats, quiet_heartbeats, gpu_max FROM heartbeat_hours
       WHERE user_id = ?1 AND instance_id = ?2 AND hour BETWEEN ?3 AND ?4
       ORDER BY hour DESC LIMIT ${HOURS_AT_MOST}`,
    )
    .bind(userId, instanceId, from - (from % HOUR_MS), to)
    .all();
  return readableRows(hourRow, results)
    .toReversed()
    .map((row) => ({
      at: row.hour,
      heartbeats: row.heartbeats,
      workHeartbeats: workIn(row, hasGpu),
      gpuMaxPercent: row.gpu_max,
    }));
}

/** Heartbeats without a reading of the GPU were counted by the CPU, for want of a better. */
function workIn({ heartbeats, gpu_heartbeats, quiet_heartbeats }: z.infer<typeof hourRow>, hasGpu: boolean) {
  if (quiet_heartbeats === null) return null;
  const inDoubt = hasGpu ? heartbeats - gpu_heartbeats : 0;
  return Math.min(heartbeats, heartbeats - quiet_heartbeats + inDoubt);
}

const eventRow = z.object({
  id: z.string(),
  at: z.number(),
  kind: z.string(),
  detail: jsonText(z.record(z.string(), z.unknown())).catch({}),
}) satisfies z.ZodType<PastEvent>;

/** Those of the range, and the newest before it. */
async function readPastEvents(
  databases: readonly D1Database[],
  range: PastRange,
  limit: number,
  waiting: readonly PastEvent[],
): Promise<{ readonly events: readonly PastEvent[]; readonly from: number }> {
  const found = await Promise.all(databases.map((database) => eventsIn(database, range, limit + 1)));
  const newest = new Map<string, PastEvent>();
  // What a database has of an event is what its owner is shown.
  for (const { id, at, kind, detail } of [...waiting, ...found.flat()]) {
    newest.set(`${at}/${id}`, { id, at, kind, detail });
  }
  const all = [...newest.values()].filter(({ at }) => at <= range.to).sort(inTheirOrder);
  const before = all.filter(({ at }) => at < range.from).slice(-EVENTS_BEFORE);
  const within = all.filter(({ at }) => at >= range.from);
  if (within.length <= limit) return { events: [...before, ...within], from: range.from };
  const cut = within.slice(-limit);
  return { events: cut, from: cut[EVENTS_BEFORE]?.at ?? range.to };
}

/** Ids grow: they are numbers to the base of 36. */
function inTheirOrder(a: PastEvent, b: PastEvent): number {
  return a.at - b.at || a.id.length - b.id.length || (a.id < b.id ? -1 : 1);
}

async function eventsIn(
  database: D1Database,
  { userId, instanceId, from, to }: PastRange,
  limit: number,
): Promise<PastEvent[]> {
  const [within, before] = await database.batch([
    database
      .prepare(
        `SELECT id, at, kind, detail FROM events
         WHERE user_id = ?1 AND instance_id = ?2 AND at BETWEEN ?3 AND ?4 ORDER BY at DESC, id DESC LIMIT ?5`,
      )
      .bind(userId, instanceId, from, to, limit),
    database
      .prepare(
        `SELECT id, at, kind, detail FROM events
         WHERE user_id = ?1 AND instance_id = ?2 AND at < ?3 ORDER BY at DESC, id DESC LIMIT ${EVENTS_BEFORE}`,
      )
      .bind(userId, instanceId, from),
  ]);
  return readableRows(eventRow, [...(within?.results ?? []), ...(before?.results ?? [])]);
}
