import { z } from "zod";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { DAY_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { type LaneCall, paceOf, type Turn } from "../../providers/pace.ts";
import {
  ask,
  type Lane,
  type Left,
  limited,
  NEW_LANE,
  PATIENCE_MS,
  type Taking,
  type Waiting,
} from "../rules/lanes.ts";

/**
 * The lanes of the user's calls to providers, one a connection, and the calls that wait for long. All of it is stored: memory that
 * is lost must let nobody go at once. A call writes one row; one that waits for long two more.
 */

/** What a release before or after this one has stored is passed over where it has another form: a lane then begins anew. */
const storedLane = jsonText(
  z.object({
    freeAt: z.number(),
    keptAt: z.array(z.number()),
    turnsSinceKept: z.number(),
    pausedUntil: z.number(),
    pausedForMs: z.number(),
    limitedSince: z.number(),
    movedByMs: z.number(),
  }),
);

const waitingRow = z
  .object({
    since: z.number().nullable(),
    start_at: z.number().nullable(),
    moved_by: z.number(),
    waits: z.number(),
  })
  .transform(
    ({ since, start_at, moved_by, waits }): Waiting => ({
      since,
      turn: start_at === null ? null : { startAt: start_at, movedByMs: moved_by },
      waits,
    }),
  );

/** A lane that was not used for so long is forgotten, as one of a connection that was removed. */
const LANE_KEPT_MS = DAY_MS;

/** A call that waited is remembered until all its tries have ended. */
const WAITING_KEPT_MS = 2 * PATIENCE_MS;

/** Of texts from other objects. */
const LONGEST_ID = 300;

export class Lanes {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** When the call may be made, and how long it will have waited by then. */
  ask(call: LaneCall, chance: number, now: number): { readonly turn: Turn; readonly waitedMs: number } {
    const { lane, waiting } = this.#find(call);
    const { turn } = this.#keep(call, lane, waiting, ask(lane, waiting, takingOf(call), chance, now), now);
    const sinceMs = Math.max(0, now - (waiting?.since ?? now));
    return { turn, waitedMs: turn.type === "go" ? sinceMs + turn.afterMs : 0 };
  }

  /** The call was made in its turn, and its provider said all the same that it was too much. */
  limited(
    call: LaneCall,
    retryAfterSeconds: number | null,
    chance: number,
    now: number,
  ): { readonly afterMs: number; readonly isFailure: boolean } {
    const { lane, waiting } = this.#find(call);
    const askedForMs = retryAfterSeconds === null ? null : retryAfterSeconds * SECOND_MS;
    const asked = limited(lane, waiting, takingOf(call), askedForMs, chance, now);
    this.#keep(call, lane, waiting, asked, now);
    return { afterMs: asked.afterMs, isFailure: asked.isFailure };
  }

  #find(call: LaneCall): { readonly lane: Lane; readonly waiting: Waiting | null } {
    const [lane] = this.#sql
      .exec<{ json: string }>("SELECT json FROM lanes WHERE connection = ?", connectionOf(call))
      .toArray();
    const [waiting] = this.#sql
      .exec("SELECT since, start_at, moved_by, waits FROM lane_waits WHERE call = ?", idOf(call))
      .toArray();
    return {
      lane: storedLane.safeParse(lane?.json).data ?? NEW_LANE,
      waiting: waiting === undefined ? null : waitingRow.parse(waiting),
    };
  }

  #keep<L extends Left>(call: LaneCall, lane: Lane, waiting: Waiting | null, left: L, now: number): L {
    if (left.lane !== lane) this.#keepLane(connectionOf(call), left.lane, now);
    if (left.waiting !== null && left.waiting !== waiting) this.#keepWaiting(idOf(call), left.waiting, now);
    return left;
  }

  #keepLane(connection: string, lane: Lane, now: number): void {
    this.#sql.exec(
      `INSERT INTO lanes (connection, used_at, json) VALUES (?, ?, ?)
       ON CONFLICT (connection) DO UPDATE SET used_at = excluded.used_at, json = excluded.json`,
      connection,
      now,
      JSON.stringify(lane),
    );
  }

  #keepWaiting(id: string, { since, turn, waits }: Waiting, now: number): void {
    this.#sql.exec(
      `INSERT INTO lane_waits (call, asked_at, since, start_at, moved_by, waits) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (call) DO UPDATE SET
         asked_at = excluded.asked_at, since = excluded.since, start_at = excluded.start_at, moved_by = excluded.moved_by, waits = excluded.waits`,
      id,
      now,
      since,
      turn?.startAt ?? null,
      turn?.movedByMs ?? 0,
      waits,
    );
    this.#sql.exec("DELETE FROM lane_waits WHERE asked_at <= ?", now - WAITING_KEPT_MS);
    this.#sql.exec("DELETE FROM lanes WHERE used_at <= ?", now - LANE_KEPT_MS);
  }
}

function connectionOf({ connection }: LaneCall): string {
  return connection.slice(0, LONGEST_ID);
}

function idOf({ id }: LaneCall): string {
  return id.slice(0, LONGEST_ID);
}

function takingOf({ connection, uses, isUrgent }: LaneCall): Taking {
  const pace = paceOf(connection);
  return {
    costMs: uses.reduce((sum, use) => sum + pace[`${use}Ms`], 0),
    burstMs: pace.burstMs,
    isUrgent,
  };
}
