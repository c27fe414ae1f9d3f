import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { newFleet } from "../../../src/fleet/rules/state.ts";
import { RecentEvents } from "../../../src/fleet/tables/events.ts";
import type { HistoryEvent } from "../../../src/lifecycle/model/history-event.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { DAY, setClock } from "../../world.ts";
import { alertOf, type FleetStub, passAlarms, reportOf, rows } from "../fleets.ts";

/** Which events a fleet keeps, and that none of those it forgets is told a second time. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const A_DAY = 24 * 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.useRealTimers();
});

/** A fleet with a channel that wants none of these alerts: whether they count as told is all that matters here. */
async function fleetWithChannel(userId: string): Promise<FleetStub> {
  const fleet = fleetOf(env, userId);
  const channel = {
    id: "c-1",
    kind: "slack",
    name: "",
    minimumSeverity: "critical",
    createdAt: DAY,
  } as const;
  await fleet.addChannel(channel, { settings: "", origin: "" }, 1);
  return fleet;
}

const idle = (id: string, more: Partial<HistoryEvent> = {}) => alertOf(id, { kind: "idle", ...more });

const report = (fleet: FleetStub, ...events: HistoryEvent[]) => fleet.report(reportOf("rig", { events }));

/** Tells what waits to be told. */
const tell = (fleet: FleetStub) => passAlarms(fleet, Date.now() + MINUTE);

/** Many events of another instance, a millisecond apart, as they are kept once their digest is over. */
interface Many {
  readonly count: number;
  readonly at: number;
  readonly kind: "registered" | "idle";
}

async function putIn(fleet: FleetStub, { count, at, kind }: Many): Promise<void> {
  const told = kind === "idle" ? "a-digest" : null;
  await runInDurableObject(fleet, (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
       INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail, told)
       SELECT 1000000 + n + (SELECT COUNT(*) FROM events), ?2 + n, 'noisy', 'e-' || n, ?3, 'info', '', '{}', ?4
       FROM numbers`,
      count,
      at,
      kind,
      told,
    );
  });
}

const prune = (fleet: FleetStub, now = Date.now()) =>
  runInDurableObject(fleet, (_, { storage }) => new RecentEvents(storage.sql).prune(now));

const toldOf = async (fleet: FleetStub) =>
  Object.fromEntries(
    (
      await rows<{ id: string; told: string | null }>(
        fleet,
        "SELECT id, told FROM events WHERE instance_id = 'rig' ORDER BY number",
      )
    ).map(({ id, told }) => [id, told]),
  );

const kept = async (fleet: FleetStub, kind: Many["kind"]) => {
  const [row] = await rows<{ n: number; oldest: number }>(
    fleet,
    "SELECT COUNT(*) AS n, MIN(at) AS oldest FROM events WHERE instance_id = 'noisy' AND kind = ?",
    kind,
  );
  return row;
};

describe("rows read", () => {
  it("by a report, its share of pruning, and a digest do not grow with what is kept", async () => {
    const fleet = await fleetWithChannel("rows-read");
    await report(fleet, idle("told"));
    await tell(fleet);
    // Of the last hours and of many instances, so that neither age nor instance lets any go.
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      sql.exec(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 120000)
         INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail, told)
         SELECT 1000000 + n, ?1 - n * 100, 'noisy-' || (n % 1000), 'e-' || n, 'idle', 'info', '', '{}', 'a-digest'
         FROM numbers`,
        DAY,
      );
    });
    const read = await runInDurableObject(fleet, (_, { storage }) => {
      const exec = vi.spyOn(Object.getPrototypeOf(storage.sql), "exec");
      const events = new RecentEvents(storage.sql);
      const state = { ...newFleet(), revision: 2_000_999 };
      const one = new Fleet(storage, state, 1);
      const rowsRead = (act: () => unknown): number => {
        exec.mockClear();
        act();
        const cursors = exec.mock.results.map(({ value }) => value as SqlStorageCursor<never>);
        return cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
      };
      const now = Date.now();
      return {
        report: rowsRead(() => one.take(reportOf("rig", { revision: 2, events: [idle("again")] }), now)),
        pruning: rowsRead(() => events.prune(now)),
        digest: rowsRead(() => one.digests.compose("d-1", "ordinary", null, 4 * 60 * MINUTE, now)),
        told: storage.sql.exec("SELECT told FROM events WHERE id = 'again'").one().told,
      };
    });
    const few = expect.toSatisfy((rowsRead: number) => rowsRead > 0 && rowsRead < 80);
    expect(read).toEqual({ report: few, pruning: few, digest: few, told: "nobody" });
  });
});

describe("pruning", () => {
  it("is due within five minutes of a thousand changes, however many more there are", async () => {
    const fleet = await fleetWithChannel("prune-seldom");
    await runInDurableObject(fleet, (_, { storage }) => {
      const one = new Fleet(storage, { ...newFleet(), revision: 998 }, 1);
      one.take(reportOf("a"), DAY);
      expect(one.state.due.pruneAt).toBeNull();
      one.take(reportOf("b"), DAY);
      expect(one.state.due.pruneAt).toBe(DAY + 5 * MINUTE);
      one.update((state) => ({ ...state, revision: 1999 }));
      one.take(reportOf("c"), DAY + MINUTE);
      expect(one.state.due.pruneAt).toBe(DAY + 5 * MINUTE);
    });
  });
});

describe("events that nobody is told of", () => {
  it("have a bound of their own, and push out no alert: a report that comes again tells nothing", async () => {
    const fleet = await fleetWithChannel("quiet-flood");
    await report(fleet, idle("told"));
    await tell(fleet);
    const told = await toldOf(fleet);
    expect(told).toEqual({ told: expect.stringContaining("-ordinary-1") });
    await putIn(fleet, { count: 20_500, at: DAY + 100, kind: "registered" });
    await prune(fleet);
    expect(await kept(fleet, "registered")).toEqual({ n: 20_000, oldest: DAY + 601 });
    await report(fleet, idle("told", { at: DAY }));
    expect(await toldOf(fleet)).toEqual(told);
  });

  it("make nothing new of what was told a while ago and lasts", async () => {
    const fleet = await fleetWithChannel("quiet-repetition");
    await report(fleet, idle("told"));
    await tell(fleet);
    await putIn(fleet, { count: 20_500, at: DAY + 100, kind: "registered" });
    await prune(fleet);
    await report(fleet, idle("again"));
    await tell(fleet);
    expect(await toldOf(fleet)).toMatchObject({ again: "nobody" });
  });

  it("push out none that ended what was told: what begins anew is told", async () => {
    const fleet = await fleetWithChannel("quiet-end");
    await report(fleet, idle("told"));
    await tell(fleet);
    await report(fleet, alertOf("ended", { kind: "kept_alive", severity: "info" }));
    await putIn(fleet, { count: 20_500, at: Date.now() + 100, kind: "registered" });
    await prune(fleet);
    await report(fleet, idle("anew"));
    await tell(fleet);
    expect(await toldOf(fleet)).toMatchObject({ anew: expect.stringContaining("-ordinary-2") });
  });
});

describe("alerts", () => {
  it("are all kept for a week, and then the newest of them", async () => {
    const fleet = await fleetWithChannel("alert-flood");
    await putIn(fleet, { count: 20_500, at: DAY, kind: "idle" });
    await prune(fleet, DAY + 7 * A_DAY);
    expect(await kept(fleet, "idle")).toEqual({ n: 20_500, oldest: DAY + 1 });
    await prune(fleet, DAY + 7 * A_DAY + 100);
    expect(await kept(fleet, "idle")).toEqual({ n: 20_400, oldest: DAY + 101 });
    expect(await prune(fleet, DAY + 8 * A_DAY)).toBe(DAY + 501 + 30 * A_DAY);
    expect(await kept(fleet, "idle")).toEqual({ n: 20_000, oldest: DAY + 501 });
  });

  it("that are more than a fleet can hold give way, the oldest first, but none that waits", async () => {
    const fleet = await fleetWithChannel("too-many");
    await report(fleet, idle("waiting", { at: DAY - 2 }), idle("told", { at: DAY - 1 }));
    await runInDurableObject(fleet, (_, { storage }) => {
      storage.sql.exec("UPDATE events SET told = 'a-digest' WHERE id = 'told'");
    });
    await putIn(fleet, { count: 500_000, at: DAY, kind: "idle" });
    await prune(fleet);
    expect(await kept(fleet, "idle")).toEqual({ n: 500_000, oldest: DAY + 1 });
    expect(await toldOf(fleet)).toEqual({ waiting: "pending" });
    // What is reported late and is as old as what was forgotten may have been told.
    await report(fleet, idle("told", { at: DAY - 1 }), idle("late", { at: DAY - 5 }), idle("new"));
    expect(await toldOf(fleet)).toEqual({ waiting: "pending", new: "pending" });
  });

  it("that were forgotten for their age and are reported again are not told again, and others are", async () => {
    const fleet = await fleetWithChannel("forgotten");
    await report(fleet, idle("old"));
    await tell(fleet);
    const now = DAY + 30 * A_DAY;
    setClock(now + SECOND);
    await prune(fleet);
    expect(await toldOf(fleet)).toEqual({});
    await report(fleet, idle("old", { at: DAY }), idle("younger", { at: DAY + 1 }));
    expect(await toldOf(fleet)).toEqual({ younger: "pending" });
  });

  it("whose instances were hibernated are counted once, though one was forgotten and comes again", async () => {
    const fleet = await fleetWithChannel("counted-once");
    const hibernated = alertOf("h-1", { kind: "hibernated", detail: { reason: "idle" } });
    await report(fleet, hibernated);
    await tell(fleet);
    setClock(DAY + 31 * A_DAY);
    await prune(fleet);
    await report(fleet, hibernated);
    expect(await fleet.hibernations()).toEqual([{ reason: "idle", hibernations: 1, regretted: 0 }]);
  });
});
