import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HELD_CHARACTERS } from "../../src/instance/losses.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import { LoneInstance } from "./lone-instance.ts";

/**
 * The database of the history is away for longer than a week, and then comes back: for ten days with a heartbeat every five
 * minutes, which takes seconds. `MONTH=week`, as in CI, plays a month at an interval of 60 s; one of 5 s, of which it plays the last
 * week, in which all that can be kept was heard; and late readings that pour in. `MONTH=whole` plays every heartbeat.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;
const WEEK = 7 * DAY;
const DENSE_MS = process.env.MONTH === "whole" ? MONTH : 7 * DAY + 2 * HOUR;

/** These take minutes. */
const IS_LONG = process.env.MONTH !== undefined;

/** What the row of the state may take. */
const ROW_BYTES = 64 * 1024;

const QUIET = { idle: { enabled: false }, orphan: { enabled: false } };

let start = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2030, 0, 7) });
  vi.spyOn(console, "warn").mockReturnValue();
  start = performance.now();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** An ordinary reading, which carries its number as its cost. */
function reading(number: number): HeartbeatReport {
  return {
    gpu_utilization: 87.5,
    vram_used_gb: 21.3,
    cpu_utilization: 12.5,
    ram_used_gb: 30.1,
    disk_used_gb: 512.7,
    cost_accumulated: number,
    uptime_seconds: number,
    status: "running",
  };
}

/** The numbers that the history has, in the order of their times. */
function keptIn({ database }: LoneInstance): number[] {
  return database
    .rows("SELECT cost_accumulated AS number FROM heartbeats ORDER BY at, sequence")
    .map(({ number }) => Number(number));
}

function lossesIn({ database }: LoneInstance): number[] {
  return database
    .rows("SELECT detail FROM events WHERE kind = 'history_lost'")
    .map(({ detail }) => JSON.parse(String(detail)).heartbeats);
}

function heldIn({ storage }: LoneInstance): { rows: number; characters: number } {
  const [held] = storage.rows("SELECT COUNT(*) AS n, SUM(LENGTH(pending)) AS size FROM held");
  return { rows: Number(held?.n), characters: Number(held?.size) };
}

/** What the fleet was told of losses. */
const toldOf = ({ told }: LoneInstance) => told.filter(({ kind }) => kind === "history_lost");

/** Looks at the instance now and then, since its whole row is read for it. */
function rowIsSmall(one: LoneInstance): void {
  expect(Buffer.byteLength(one.row)).toBeLessThan(ROW_BYTES);
}

/** The database is back: within the hour after which it is tried at the latest all that waited is there. */
async function returned(one: LoneInstance, sent: number): Promise<{ kept: number[]; tookMs: number }> {
  rowIsSmall(one);
  one.historyIsDown = false;
  const began = performance.now();
  await one.until(Date.now() + HOUR + MINUTE);
  const tookMs = performance.now() - began;
  expect(JSON.parse(one.row)).not.toHaveProperty("delivery");
  expect(heldIn(one).rows).toBe(0);
  // It goes on as ever.
  await one.heartbeat(reading(sent + 1));
  await one.until(Date.now() + HOUR + MINUTE);
  const kept = keptIn(one);
  const first = kept[0] ?? 0;
  expect(kept).toEqual(Array.from({ length: sent + 2 - first }, (_, index) => first + index));
  expect(lossesIn(one)).toEqual([first - 1]);
  return { kept, tookMs };
}

function print(what: string, one: LoneInstance, sent: number, kept: number[], tookMs: number): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${what}: ${sent} heartbeats, ${kept.length - 1} kept, ${lossesIn(one)[0]} given up with ${toldOf(one).length} event, back in ${(tookMs / 1000).toFixed(1)} s; played in ${seconds} s`,
  );
}

const TIMES = IS_LONG
  ? [
      { name: "a month", lengthMs: MONTH, seconds: 60 },
      { name: "a month", lengthMs: MONTH, seconds: 5 },
    ]
  : [{ name: "ten days", lengthMs: 10 * DAY, seconds: 300 }];

describe("without the history", () => {
  it.each(TIMES)(
    "$name at an interval of $seconds s keeps a week, and says once what it gave up",
    async ({ lengthMs, seconds }) => {
      const one = new LoneInstance();
      await one.register({ ...QUIET, heartbeat_interval_seconds: seconds });
      const begun = Date.now();
      one.historyIsDown = true;
      let sent = 0;
      while (Date.now() < begun + lengthMs) {
        sent += 1;
        await one.heartbeat(reading(sent));
        await one.settled();
        const isDense = seconds >= 60 || Date.now() >= begun + lengthMs - DENSE_MS;
        await one.until(Date.now() + (isDense ? seconds * SECOND : 4 * MINUTE));
        if (sent % 97 === 0) rowIsSmall(one);
      }
      expect(toldOf(one)).toHaveLength(1);
      const { kept, tookMs } = await returned(one, sent);
      const inAWeek = WEEK / (seconds * SECOND);
      // Less what came due while the database was not tried yet.
      expect(kept.length).toBeGreaterThan(inAWeek - (2 * HOUR) / (seconds * SECOND));
      expect(kept.length).toBeLessThan(inAWeek + (2 * HOUR) / (seconds * SECOND));
      expect(toldOf(one)).toHaveLength(1);
      print(`interval ${seconds} s`, one, sent, kept, tookMs);
    },
  );

  it.runIf(IS_LONG)(
    "a month with late readings pouring in keeps as much as may wait, and says once what it gave up",
    async () => {
      const one = new LoneInstance();
      await one.register({ ...QUIET, heartbeat_interval_seconds: 5 });
      const begun = Date.now();
      one.historyIsDown = true;
      const SPACING = 2.5;
      const LATE = 239;
      let sent = 0;
      let largest = 0;
      while (Date.now() < begun + MONTH) {
        vi.setSystemTime(Date.now() + (LATE + 1) * SPACING * SECOND);
        await one.until(Date.now());
        const backlog = Array.from(
          { length: LATE },
          (_, index): NonNullable<HeartbeatReport["backlog"]>[number] => [
            sent + index + 1,
            (LATE - index) * SPACING,
            87.5,
            21.3,
            12.5,
            30.1,
            512.7,
            sent + index + 1,
          ],
        );
        sent += LATE + 1;
        await one.heartbeat({ ...reading(sent), boot_id: "boot", sequence: sent, backlog });
        await one.settled();
        rowIsSmall(one);
        if (sent % (96 * (LATE + 1)) === 0) largest = Math.max(largest, heldIn(one).characters);
      }
      // An hour of it comes in until the next look.
      expect(largest).toBeLessThan(HELD_CHARACTERS * 1.02);
      expect(largest).toBeGreaterThan(HELD_CHARACTERS * 0.98);
      expect(toldOf(one)).toHaveLength(1);
      const { kept, tookMs } = await returned(one, sent);
      print(`late readings, one every ${SPACING} s`, one, sent, kept, tookMs);
    },
  );
});
