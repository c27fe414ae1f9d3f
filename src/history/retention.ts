import { HOUR_MS } from "../lifecycle/model/time.ts";
import { logWarning } from "../platform/log.ts";
import { IS_QUIET } from "./quiet.ts";
import { type Key, oldActs, oldChunks, oldCostDays, oldEvents, oldHours, type WalkedTo } from "./walk.ts";

/**
 * Ages the history. Each function takes one page of a walk, in a bounded number of calls of the database, and may be repeated:
 * heartbeats are rolled up into one row an hour and deleted in the same transaction.
 */

export interface Aged {
  /** Where the walk goes on; null at its end. */
  readonly next: WalkedTo | null;
  /** Rows that are gone: rolled up, or deleted. */
  readonly rows: number;
  /** Chunks that can't be read. They stay, and are tried again by the next walk. */
  readonly unreadable: number;
  /** Calls of the database. */
  readonly calls: number;
}

/** A page that holds unreadable chunks may take so many calls. Whatever is not done by then waits for the next walk. */
const CALLS_PER_PAGE = 200;

/**
 * Rolls a page of chunks that began before `before` up into hours. What belongs to hours before `hoursBefore`, whose time is
 * over too, is deleted, readable or not.
 */
export async function rollUpPage(
  db: D1Database,
  from: WalkedTo,
  before: number,
  hoursBefore: number,
): Promise<Aged> {
  const { keys, next } = await oldChunks(db, from, before);
  const isOver = ([, , at]: Key) => at < hoursBefore - HOUR_MS;
  const rollUp = new RollUp(db);
  await rollUp.move(keys.filter((key) => !isOver(key)));
  const over = keys.filter(isOver);
  const deleted = over.length === 0 ? 0 : (await deleteChunks(db, over).run()).meta.changes;
  return {
    next,
    rows: rollUp.moved + deleted,
    unreadable: rollUp.unreadable,
    calls: 1 + rollUp.calls + (over.length === 0 ? 0 : 1),
  };
}

/** Deletes a page of hours before `before`, whether their instances still have heartbeats or not. */
export async function deleteHoursPage(db: D1Database, from: WalkedTo, before: number): Promise<Aged> {
  const { keys, next } = await oldHours(db, from, before);
  if (keys.length === 0) return { next, rows: 0, unreadable: 0, calls: 1 };
  const { meta } = await db
    .prepare(
      `DELETE FROM heartbeat_hours WHERE (user_id, instance_id, hour) IN
         (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`,
    )
    .bind(JSON.stringify(keys))
    .run();
  return { next, rows: meta.changes, unreadable: 0, calls: 2 };
}

/** Deletes a page of events before `before`. */
export async function deleteEventsPage(db: D1Database, from: WalkedTo, before: number): Promise<Aged> {
  const { keys, next } = await oldEvents(db, from, before);
  if (keys.length === 0) return { next, rows: 0, unreadable: 0, calls: 1 };
  const { meta } = await db
    .prepare(
      `DELETE FROM events WHERE (user_id, instance_id, at, id) IN
         (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))`,
    )
    .bind(JSON.stringify(keys))
    .run();
  return { next, rows: meta.changes, unreadable: 0, calls: 2 };
}

/** Deletes a page of days of costs before `before`. */
export async function deleteCostDaysPage(db: D1Database, from: WalkedTo, before: number): Promise<Aged> {
  const { keys, next } = await oldCostDays(db, from, before);
  if (keys.length === 0) return { next, rows: 0, unreadable: 0, calls: 1 };
  const { meta } = await db
    .prepare(
      `DELETE FROM cost_days WHERE (user_id, day, instance_id) IN
         (SELECT value ->> 0, value ->> 2, value ->> 1 FROM json_each(?))`,
    )
    .bind(JSON.stringify(keys))
    .run();
  return { next, rows: meta.changes, unreadable: 0, calls: 2 };
}

/** Deletes a page of what somebody did before `before`. */
export async function deleteActsPage(db: D1Database, from: WalkedTo, before: number): Promise<Aged> {
  const { keys, next } = await oldActs(db, from, before);
  if (keys.length === 0) return { next, rows: 0, unreadable: 0, calls: 1 };
  const { meta } = await db
    .prepare(
      `DELETE FROM audit WHERE (user_id, at, id) IN
         (SELECT value ->> 0, value ->> 2, value ->> 3 FROM json_each(?))`,
    )
    .bind(JSON.stringify(keys))
    .run();
  return { next, rows: meta.changes, unreadable: 0, calls: 2 };
}

/** Moves chunks into hours, and finds those that can't be read: whatever fails is halved until they stand alone. */
class RollUp {
  readonly #db: D1Database;
  moved = 0;
  unreadable = 0;
  calls = 0;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async move(keys: readonly Key[]): Promise<void> {
    if (keys.length === 0) return;
    if (this.calls >= CALLS_PER_PAGE) {
      this.unreadable += keys.length;
      return;
    }
    this.calls += 1;
    try {
      const [, deleted] = await this.#db.batch([addToHours(this.#db, keys), deleteChunks(this.#db, keys)]);
      this.moved += deleted?.meta.changes ?? 0;
    } catch (error) {
      await this.#mustAnswer();
      if (keys.length === 1) {
        // The first of a page is enough to find out what is wrong.
        if (this.unreadable === 0)
          logWarning("a chunk of heartbeats can't be read", { chunk: keys.join() }, error);
        this.unreadable += 1;
        return;
      }
      const half = keys.length >> 1;
      await this.move(keys.slice(0, half));
      await this.move(keys.slice(half));
    }
  }

  /** Throws if it is the database that is out of reach, and no chunk is to blame. */
  async #mustAnswer(): Promise<void> {
    this.calls += 1;
    await this.#db.prepare("SELECT 1").first();
  }
}

/** A heartbeat whose time is no number has no hour, which the table refuses. */
function addToHours(db: D1Database, keys: readonly Key[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, gpu_max,
                                    cpu_sum, cpu_heartbeats, vram_max, cost_max, ram_max, quiet_heartbeats)
       SELECT user_id, instance_id, CASE typeof(at) WHEN 'integer' THEN at - at % ${HOUR_MS} END, COUNT(*),
              TOTAL(gpu), COUNT(gpu), MAX(MAX(COALESCE(gpu, gpu_max), COALESCE(gpu_max, gpu))), TOTAL(cpu), COUNT(cpu),
              MAX(vram), MAX(cost), MAX(ram), SUM(${IS_QUIET})
       FROM (
         SELECT chunk.user_id, chunk.instance_id,
                sample.value ->> 0 AS at, sample.value ->> 1 AS gpu, sample.value ->> 2 AS vram,
                sample.value ->> 3 AS cpu, sample.value ->> 4 AS ram, sample.value ->> 6 AS cost,
                sample.value ->> 9 AS gpu_max, sample.value AS sample
         FROM json_each(?) AS key
         CROSS JOIN heartbeat_chunks AS chunk
           ON chunk.user_id = key.value ->> 0 AND chunk.instance_id = key.value ->> 1
             AND chunk.first_at = key.value ->> 2 AND chunk.first_sequence = key.value ->> 3
         CROSS JOIN json_each(chunk.samples) AS sample)
       GROUP BY 1, 2, 3
       ON CONFLICT DO UPDATE SET
         heartbeats = heartbeats + excluded.heartbeats,
         gpu_sum = gpu_sum + excluded.gpu_sum,
         gpu_heartbeats = gpu_heartbeats + excluded.gpu_heartbeats,
         gpu_max = MAX(COALESCE(gpu_max, excluded.gpu_max), COALESCE(excluded.gpu_max, gpu_max)),
         cpu_sum = cpu_sum + excluded.cpu_sum,
         cpu_heartbeats = cpu_heartbeats + excluded.cpu_heartbeats,
         vram_max = MAX(COALESCE(vram_max, excluded.vram_max), COALESCE(excluded.vram_max, vram_max)),
         cost_max = MAX(COALESCE(cost_max, excluded.cost_max), COALESCE(excluded.cost_max, cost_max)),
         ram_max = MAX(COALESCE(ram_max, excluded.ram_max), COALESCE(excluded.ram_max, ram_max)),
         quiet_heartbeats = quiet_heartbeats + excluded.quiet_heartbeats`,
    )
    .bind(JSON.stringify(keys));
}

function deleteChunks(db: D1Database, keys: readonly Key[]): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM heartbeat_chunks WHERE (user_id, instance_id, first_at, first_sequence) IN
         (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))`,
    )
    .bind(JSON.stringify(keys));
}
