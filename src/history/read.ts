import { z } from "zod";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { Severity } from "../lifecycle/model/history-event.ts";
import { jsonText, openEnum, storedDetail } from "../lifecycle/model/stored.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import type { Reader } from "../lifecycle/model/words/said.ts";
import { type EventView, eventView } from "../lifecycle/views/event-view.ts";
import { type HeartbeatView, heartbeatView } from "../lifecycle/views/heartbeat-view.ts";
import { type Page, type Position, pageOf, placedRows } from "./page.ts";
import { fromSample } from "./sample.ts";

/** Reads the history a page at a time, newest first. */

export interface HeartbeatRange {
  readonly userId: string;
  readonly instanceId: string;
  /** Both ends included, in ms. */
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly before: Position | null;
}

const keyColumns = z.object({ at: z.number(), sequence: z.number() });

const heartbeatRow = keyColumns
  .extend({ sample: jsonText(z.unknown()) })
  .transform(({ sequence, sample }, context) => {
    const heartbeat = fromSample(sample, sequence);
    if (heartbeat !== null) return heartbeat;
    context.addIssue("expected a sample");
    return z.NEVER;
  });

const heartbeatPosition = keyColumns.transform(positionOf);

/** The heartbeats of a range: those in the database, and those that still wait in the actor (`waiting`), each of them once. */
export async function readHeartbeats(
  db: D1Database,
  range: HeartbeatRange,
  waiting: readonly Heartbeat[],
): Promise<Page<HeartbeatView>> {
  const before = range.before ?? { at: range.to, tie: String(Number.MAX_SAFE_INTEGER) };
  const sequenceBefore = Number(before.tie);
  const { results } = await db
    .prepare(
      // A chunk spans at most an hour, so the key limits which chunks must be unpacked. Of these, only as many as it takes: the
      // newest chunks that lie wholly in the range are counted until they hold enough heartbeats.
      `WITH page (oldest_at) AS (
         SELECT COALESCE((
           SELECT first_at FROM (
             SELECT first_at,
                    SUM(json_array_length(samples)) OVER (ORDER BY first_at DESC, first_sequence DESC) AS heartbeats
             FROM heartbeat_chunks
             WHERE user_id = ?1 AND instance_id = ?2 AND first_at BETWEEN ?3 AND ?4 AND last_at < ?4)
           WHERE heartbeats >= ?6 LIMIT 1), ?3))
       SELECT at, sequence, sample
       FROM page CROSS JOIN heartbeats
       WHERE user_id = ?1 AND instance_id = ?2
         AND chunk_first_at BETWEEN oldest_at - ${HOUR_MS} AND ?4
         AND at >= oldest_at AND (at < ?4 OR (at = ?4 AND sequence < ?5))
       ORDER BY at DESC, sequence DESC LIMIT ?6`,
    )
    .bind(range.userId, range.instanceId, range.from, before.at, sequenceBefore, range.limit + 1)
    .all();
  const kept = placedRows(heartbeatRow, heartbeatPosition, results);
  const keptKeys = new Set(kept.map(({ position }) => keyOf(position)));
  const fresh = waiting
    .filter(
      ({ at, sequence }) =>
        at >= range.from && (at < before.at || (at === before.at && sequence < sequenceBefore)),
    )
    .map((entry) => ({ entry, position: positionOf(entry) }))
    .filter(({ position }) => !keptKeys.has(keyOf(position)));
  const all = [...kept, ...fresh].sort(
    ({ position: a }, { position: b }) => b.at - a.at || Number(b.tie) - Number(a.tie),
  );
  const { entries, next } = pageOf(all, range.limit);
  return { entries: entries.map(heartbeatView), next };
}

function positionOf({ at, sequence }: Pick<Heartbeat, "at" | "sequence">): Position {
  return { at, tie: String(sequence) };
}

function keyOf({ at, tie }: Position): string {
  return `${at}/${tie}`;
}

const eventRow = z.object({
  id: z.string(),
  at: z.number(),
  kind: z.string(),
  severity: openEnum<Severity>(),
  message: z.string(),
  detail: storedDetail,
});

const eventPosition = eventRow
  .pick({ at: true, id: true })
  .transform(({ at, id }): Position => ({ at, tie: id }));

/** Events of one instance, newest first, from all databases that may hold some. */
export async function readEvents(
  databases: readonly D1Database[],
  query: {
    readonly userId: string;
    readonly instanceId: string;
    readonly limit: number;
    readonly before: Position | null;
    /** Itself included, in ms. */
    readonly from?: number;
    /** Only of these; null for all. */
    readonly kinds?: readonly string[] | null;
    readonly severities?: readonly Severity[] | null;
    /** In which its messages are worded; English where nobody asks. */
    readonly reader?: Reader;
  },
): Promise<Page<EventView>> {
  const before = query.before ?? { at: Number.MAX_SAFE_INTEGER, tie: "" };
  const kinds = query.kinds ?? null;
  const severities = query.severities ?? null;
  const found = await Promise.all(
    databases.map(async (database) => {
      const { results } = await database
        .prepare(
          `SELECT id, at, kind, severity, message, detail FROM events
           WHERE user_id = ?1 AND instance_id = ?2 AND (at, id) < (?3, ?4) AND at >= ?6
             AND (?7 IS NULL OR kind IN (SELECT value FROM json_each(?7)))
             AND (?8 IS NULL OR severity IN (SELECT value FROM json_each(?8)))
           ORDER BY at DESC, id DESC LIMIT ?5`,
        )
        .bind(
          query.userId,
          query.instanceId,
          before.at,
          before.tie,
          query.limit + 1,
          query.from ?? 0,
          kinds === null ? null : JSON.stringify(kinds),
          severities === null ? null : JSON.stringify(severities),
        )
        .all();
      return placedRows(eventRow, eventPosition, results);
    }),
  );
  const rows = found
    .flat()
    .sort(({ position: a }, { position: b }) => b.at - a.at || (a.tie < b.tie ? 1 : -1));
  const { entries, next } = pageOf(rows, query.limit);
  return {
    entries: entries.map((row) =>
      eventView({ ...row, ...row.detail, instanceId: query.instanceId }, query.reader),
    ),
    next,
  };
}
