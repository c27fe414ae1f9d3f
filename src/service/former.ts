import { z } from "zod";
import { jsonText, readableRows } from "../lifecycle/model/stored.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { type GuardWithOutage, NEVER_CLOSED } from "../lifecycle/rules/outage-guard.ts";
import { type Cleanup, cleanupSchema, eventRow, type ServiceEvent } from "./event.ts";
import type { Vote } from "./totals.ts";

/** What D1 kept of the service itself, under a user without a name, before the coordinator did. */

const SERVICE_USER = "";

const EVENTS_OF_DAYS = 30;

/** Far more users than it takes to close the guard. */
const VOTES_TAKEN_OVER = 10_000;

export interface Former {
  readonly guard: GuardWithOutage;
  /** The users' votes that stood. */
  readonly votes: readonly Vote[];
  readonly cleanup: Cleanup | null;
  /** At most `limit`, newest first. */
  readonly events: readonly ServiceEvent[];
}

const guardRow = z
  .object({ closed_at: z.number().nullable(), opened_at: z.number().nullable(), seen_from: z.number() })
  .transform(
    (row): GuardWithOutage => ({
      closedAt: row.closed_at,
      openedAt: row.opened_at,
      seenFrom: row.seen_from,
    }),
  );

const voteRow = z
  .object({ closed_at: z.number(), seen_at: z.number() })
  .transform((row): Vote => ({ closedAt: row.closed_at, seenAt: row.seen_at }));

/**
 * Reads it all at one moment; of the votes, those that were cast after `votesFrom`. Throws when D1 can't be reached, or the
 * guard's row can't be read.
 */
export async function readFormer(
  db: D1Database,
  limit: number,
  votesFrom: number,
  now: number,
): Promise<Former> {
  const [guards, votes, cleanups, events] = await db.batch([
    db.prepare("SELECT closed_at, opened_at, seen_from FROM guards WHERE user_id = ?").bind(SERVICE_USER),
    db
      .prepare("SELECT closed_at, seen_at FROM outage_votes WHERE closed_at > ? LIMIT ?")
      .bind(votesFrom, VOTES_TAKEN_OVER),
    db
      .prepare("SELECT detail FROM events WHERE user_id = ? AND kind = 'cleanup' ORDER BY at DESC LIMIT 1")
      .bind(SERVICE_USER),
    db
      .prepare(
        `SELECT id, at, kind, severity, message, detail FROM events WHERE user_id = ? AND at >= ?
         ORDER BY at DESC, id DESC LIMIT ?`,
      )
      .bind(SERVICE_USER, now - EVENTS_OF_DAYS * DAY_MS, limit),
  ]);
  const guard = guards?.results[0];
  const [cleanup] = readableRows(z.object({ detail: jsonText(cleanupSchema) }), cleanups?.results ?? []);
  return {
    guard: guard === undefined ? NEVER_CLOSED : guardRow.parse(guard),
    votes: readableRows(voteRow, votes?.results ?? []),
    cleanup: cleanup?.detail ?? null,
    events: readableRows(eventRow, events?.results ?? []),
  };
}
