import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceStorage } from "../../src/instance/storage.ts";
import { DAY, Instance, newUser, setClock } from "../world.ts";

/** Rows written by an actor and by D1, as the runtime counts them; each setAlarm is one more. */
interface Meter {
  actorRows: number;
  alarmRows: number;
  databaseRows: number;
  read(): number;
}

function meter(): Meter {
  const counted: Meter = {
    actorRows: 0,
    alarmRows: 0,
    databaseRows: 0,
    read: () => counted.actorRows + counted.alarmRows + counted.databaseRows,
  };
  const save = InstanceStorage.prototype.save;
  vi.spyOn(InstanceStorage.prototype, "save").mockImplementation(function (this: InstanceStorage, stored) {
    const before = this.rowsWritten;
    save.call(this, stored);
    counted.actorRows += this.rowsWritten - before;
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

/** Counts each setAlarm of the instance's actor. */
async function countAlarms(one: Instance, counted: Meter): Promise<void> {
  await runInDurableObject(one.actor, (_, state) => {
    const setAlarm = state.storage.setAlarm.bind(state.storage);
    state.storage.setAlarm = (...parameters) => {
      counted.alarmRows += 1;
      return setAlarm(...parameters);
    };
  });
}

const MINUTE = 60_000;

describe("what a heartbeat costs", () => {
  it("is one written row for a steady one, and at most 1.55 over a day with all alarms and chunks", async ({
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
      const { status } = await one.heartbeat();
      expect(status).toBe(200);
    }
    const perHeartbeat = (counted.read() - start) / heartbeats;
    const actorRows = counted.actorRows - rowsBefore.actorRows;
    const alarmRows = counted.alarmRows - rowsBefore.alarmRows;
    const databaseRows = counted.databaseRows - rowsBefore.databaseRows;
    task.meta.costOfADay = { heartbeats, actorRows, alarmRows, databaseRows };
    expect(counted.alarmRows).toBeGreaterThan(200);
    expect(counted.databaseRows).toBeGreaterThan(140);
    expect(perHeartbeat).toBeLessThanOrEqual(1.55);
    expect((await one.ask("GET")).body).toMatchObject({
      status: "running",
      total_heartbeats: heartbeats + 2,
      missed_heartbeats: 0,
    });
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
  });
});
