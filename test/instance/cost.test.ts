import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceStorage } from "../../src/instance/storage.ts";
import { writeRow } from "../../src/instance/stored/row.ts";
import { CHUNK_HEARTBEATS } from "../../src/lifecycle/model/state.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

/** Rows written by an actor, by its fleet and by D1, as the runtime counts them; each setAlarm is one more. */
interface Meter {
  actorRows: number;
  fleetRows: number;
  alarmRows: number;
  databaseRows: number;
  /** In bytes; all that these tests store is ASCII. */
  largestRow: number;
  read(): number;
}

function meter(): Meter {
  const counted: Meter = {
    actorRows: 0,
    fleetRows: 0,
    alarmRows: 0,
    databaseRows: 0,
    read: () => counted.actorRows + counted.fleetRows + counted.alarmRows + counted.databaseRows,
    largestRow: 0,
  };
  const save = InstanceStorage.prototype.save;
  vi.spyOn(InstanceStorage.prototype, "save").mockImplementation(function (this: InstanceStorage, stored) {
    const before = this.rowsWritten;
    save.call(this, stored);
    counted.actorRows += this.rowsWritten - before;
    counted.largestRow = Math.max(counted.largestRow, writeRow(stored).length);
  });
  const batch = env.DB.batch.bind(env.DB);
  vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockImplementation(async (statements) => {
    const results = await batch(statements as D1PreparedStatement[]);
    for (const { meta } of results) counted.databaseRows += meta.rows_written;
    return results;
  });
  return counted;
}

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Counts each setAlarm of the instance's actor and of its fleet, and each row that the fleet writes. */
async function countAlarms(one: Instance, counted: Meter): Promise<void> {
  const fleet = fleetOf(env, one.userId);
  for (const object of [one.actor, fleet]) {
    await runInDurableObject(object, (_, { storage }) => {
      const setAlarm = storage.setAlarm.bind(storage);
      storage.setAlarm = (...parameters) => {
        counted.alarmRows += 1;
        return setAlarm(...parameters);
      };
    });
  }
  await runInDurableObject(fleet, (_, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql);
    sql.exec = (query: string, ...values: unknown[]) => {
      const cursor = exec(query, ...values);
      counted.fleetRows += cursor.rowsWritten;
      return cursor as never;
    };
  });
}

const MINUTE = 60_000;

/** Its row of the registry with an index, its costs, two days of them, and the fleet's own. */
const ROWS_OF_A_REPORT = 8;

describe("what a heartbeat costs", () => {
  it("is one written row for a steady one, at most 1.30 over a day with all alarms and chunks, and none is lost", async ({
    task,
  }) => {
    const counted = meter();
    const one = await Instance.register(await newUser(), "28864630");
    await one.heartbeat();
    await one.settled();
    await countAlarms(one, counted);

    const before = counted.read();
    await one.until(DAY + MINUTE);
    await one.heartbeat();
    expect(counted.read() - before).toBe(1);

    const start = counted.read();
    const rowsBefore = { ...counted };
    const heartbeats = 24 * 60;
    for (let beat = 1; beat <= heartbeats; beat++) {
      await one.until(DAY + MINUTE + beat * MINUTE);
      const { status } = await one.heartbeat({ gpu_utilization: 87, cost_accumulated: beat });
      expect(status).toBe(200);
    }
    const perHeartbeat = (counted.read() - start) / heartbeats;
    const actorRows = counted.actorRows - rowsBefore.actorRows;
    const alarmRows = counted.alarmRows - rowsBefore.alarmRows;
    const databaseRows = counted.databaseRows - rowsBefore.databaseRows;
    const { largestRow } = counted;
    task.meta.costOfADay = { heartbeats, actorRows, alarmRows, databaseRows, largestRow };
    expect(counted.alarmRows).toBeGreaterThan(200);
    expect(databaseRows).toBeGreaterThanOrEqual(heartbeats / CHUNK_HEARTBEATS - 1);
    expect(perHeartbeat).toBeLessThanOrEqual(1.3);
    expect(largestRow).toBeLessThan(64 * 1024);
    // A steady heartbeat is none of the fleet's business; a change is. Of this day it hears twice: when the price becomes known, and
    // after midnight.
    expect(counted.fleetRows - rowsBefore.fleetRows).toBeLessThanOrEqual(2 * ROWS_OF_A_REPORT);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "running",
      total_heartbeats: heartbeats + 2,
      missed_heartbeats: 0,
    });
    // A transition sends off what waits. Each heartbeat that was acknowledged is then in the database, once.
    await one.until(Date.now() + 6 * MINUTE);
    await one.settled();
    const { results } = await env.DB.prepare(
      "SELECT at, cost_accumulated AS beat FROM heartbeats WHERE user_id = ? ORDER BY at",
    )
      .bind(one.userId)
      .all<{ at: number; beat: number | null }>();
    expect(results.map(({ at }) => at)).toEqual(
      Array.from({ length: heartbeats + 2 }, (_, minute) => DAY + minute * MINUTE),
    );
    expect(results.slice(2).map(({ beat }) => beat)).toEqual(
      Array.from({ length: heartbeats }, (_, index) => index + 1),
    );
    await one.ask("POST", "/hibernate");
    await one.settled();
    expect(counted.fleetRows).toBeGreaterThan(rowsBefore.fleetRows);
  }, 600_000);

  it("is nothing for a hibernated instance: no alarm is armed", async () => {
    const one = await Instance.register(await newUser(), "28864630");
    await one.heartbeat();
    await one.ask("POST", "/hibernate");
    await one.heartbeat({ status: "hibernating" });
    await one.until(DAY + 2 * MINUTE);
    expect(await one.status()).toBe("hibernated");
    await one.until(DAY + 10 * MINUTE);
    expect(await one.armedAt()).toBeNull();
    // The fleet tells the service once, and then only that it is still there; and each night it closes the day of costs.
    const fleet = fleetOf(env, one.userId);
    let fired = 0;
    for (;;) {
      const at = await runInDurableObject(fleet, (_, { storage }) => storage.getAlarm());
      if (at === null || at > DAY + 48 * 60 * MINUTE) break;
      setClock(Math.max(at, Date.now()));
      await runDurableObjectAlarm(fleet);
      fired += 1;
    }
    expect(fired).toBeLessThanOrEqual(2 * 2 + 2);
  });
});
