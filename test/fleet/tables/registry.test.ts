import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fleet } from "../../../src/fleet/fleet.ts";
import type { SummaryView } from "../../../src/fleet/live/messages.ts";
import type { Report } from "../../../src/fleet/report.ts";
import { type FleetState, newFleet } from "../../../src/fleet/rules/state.ts";
import { createTables } from "../../../src/fleet/tables/schema.ts";
import { writeFleet } from "../../../src/fleet/tables/stored-fleet.ts";
import type { ListFilter } from "../../../src/fleet/views/list-filter.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { MOST_TAGS } from "../../../src/lifecycle/model/tags.ts";
import { tagSchema } from "../../../src/lifecycle/model/tags-schema.ts";
import type { LiveView } from "../../../src/lifecycle/views/instance-view.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { type HeldClaim, releaseMachine } from "../../../src/providers/machines.ts";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";
import { alertOf, type FleetStub, listOf, type Reported, reportOf, rows, stateOf } from "../fleets.ts";

const MINUTE = 60_000;
const TABLES = ["instances", "removals", "silences", "events", "deliveries", "machines"];

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A fleet that nothing was imported for, on the storage of an object that has no other use. */
function withEmptyFleet<T>(use: (fleet: (state?: FleetState) => Fleet, sql: SqlStorage) => T): Promise<T> {
  return runInDurableObject(fleetOf(env, "laboratory"), (_, { storage }) => {
    const begin = (state = newFleet()) => {
      createTables(storage.sql);
      for (const table of TABLES) storage.sql.exec(`DELETE FROM ${table}`);
      writeFleet(storage.sql, state);
      return new Fleet(storage, state, 1);
    };
    return use(begin, storage.sql);
  });
}

function dump(sql: SqlStorage): Record<string, unknown[]> {
  const tables = [...TABLES, "fleet", "channels"];
  return Object.fromEntries(tables.map((table) => [table, sql.exec(`SELECT * FROM ${table}`).toArray()]));
}

describe("the registry's row", () => {
  const shown = async (fleet: FleetStub) =>
    (
      await rows<{ name: string; status: string; revision: number }>(
        fleet,
        "SELECT name, status, revision FROM instances",
      )
    )[0];

  it("goes by the newest revision: an older one that arrives late changes nothing", async () => {
    const one = await Instance.register(await newUser(), "rig", { name: "Rig" });
    await one.heartbeat();
    await one.settled();
    const fleet = fleetOf(env, one.userId);
    const before = await shown(fleet);
    if (before === undefined) throw new Error("no row");
    expect(before).toMatchObject({ name: "Rig", status: "running" });

    const { revision } = before;
    await fleet.report(reportOf("rig", { name: "Older", status: "pending", revision: revision - 1 }));
    expect(await shown(fleet)).toEqual(before);
    await fleet.report(reportOf("rig", { name: "Later", revision, asOf: DAY + MINUTE }));
    expect(await shown(fleet)).toMatchObject({ name: "Later", revision });
    await fleet.report(reportOf("rig", { name: "Earlier", revision, asOf: DAY + MINUTE - 1 }));
    expect(await shown(fleet)).toMatchObject({ name: "Later", revision });
    await fleet.report(reportOf("rig", { name: "Newer", revision: revision + 1, asOf: DAY }));
    expect(await shown(fleet)).toMatchObject({ name: "Newer", revision: revision + 1 });
  });

  it("is not written again by a report that is repeated", async () => {
    const fleet = fleetOf(env, "repeating");
    const report = reportOf("rig", { silentSince: DAY - 5 * MINUTE, events: [alertOf("e-1")] });
    await fleet.report(report);
    const before = await runInDurableObject(fleet, (_, { storage }) => dump(storage.sql));
    for (let time = 0; time < 3; time++) await fleet.report(report);
    expect(await runInDurableObject(fleet, (_, { storage }) => dump(storage.sql))).toEqual(before);
  });
});

describe("an instance that was removed", () => {
  it.each([
    ["known", true],
    ["never reported", false],
  ])("and was %s stays so, whatever report of it arrives late", async (_, isKnown) => {
    const fleet = fleetOf(env, `removed-${isKnown}`);
    if (isKnown) await fleet.report(reportOf("rig", { revision: 5 }));
    await fleet.remove("rig", 9);
    const late = { silentSince: DAY - 5 * MINUTE, events: [alertOf("late")] };
    for (const revision of [1, 5, 9]) await fleet.report(reportOf("rig", { revision, ...late }));
    expect(await fleet.instanceIds("", 10)).toEqual([]);
    expect((await fleet.events(null, 10)).entries).toEqual([]);
    expect(await stateOf(fleet)).toMatchObject({ awake: 0, instancesByStatus: {} });
    expect(await rows(fleet, "SELECT * FROM silences")).toEqual([]);
  });

  it("comes back when it is registered anew, and its former life's reports change nothing", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    const former = await Instance.register(user, "rig", { name: "Former" });
    await former.settled();
    await former.ask("DELETE");
    expect(await fleet.instanceIds("", 10)).toEqual([]);
    setClock(DAY + MINUTE);
    const next = await Instance.register(user, "rig", { name: "Next" });
    await next.settled();
    await fleet.report(reportOf("rig", { name: "Former", revision: DAY + 2 }));
    expect(await listOf(fleet)).toMatchObject([{ name: "Next" }]);
    expect((await stateOf(fleet)).instancesByStatus).toEqual({ pending: 1 });
  });

  it("takes its machine with it", async () => {
    const fleet = fleetOf(env, "machines-removed");
    await fleet.report(reportOf("rig", { provider: "webhook", providerRef: "m-1" }));
    expect(await fleet.holderOf({ provider: "webhook", ref: "m-1" })).toBe("rig");
    await fleet.remove("rig", 9);
    expect(await fleet.holderOf({ provider: "webhook", ref: "m-1" })).toBeNull();
  });
});

/** What reports of a few instances may say, sensible or not. */
const rowsOf = fc.array(
  fc.record({
    id: fc.constantFrom("a", "b", "c", "d"),
    status: fc.constantFrom(...STATUSES),
    silentMinutes: fc.option(fc.integer({ min: 5, max: 40 })),
    events: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Each later report of an instance has a higher revision, and the events of all reports are different ones. */
function toReports(made: typeof rowsOf extends fc.Arbitrary<infer T> ? T : never): Report[] {
  return made.map(({ id, status, silentMinutes, events }, index) => {
    const kinds = ["orphaned", "hibernated"] as const;
    return reportOf(id, {
      revision: index + 1,
      status,
      silentSince: silentMinutes === null ? null : DAY - silentMinutes * MINUTE,
      events: kinds
        .slice(0, events)
        .map((kind) => alertOf(`e-${index}-${kind}`, { at: DAY + index, kind, detail: { reason: "idle" } })),
    });
  });
}

describe("reports", () => {
  it("in any order, and repeated, leave the same registry, counts and events", async () => {
    const unguarded = { ...newFleet(), policy: { overrides: { guard: { enabled: false } }, version: 1 } };
    await withEmptyFleet((begin, sql) => {
      const outcomeOf = (reports: readonly Report[]) => {
        const fleet = begin(unguarded);
        for (const report of reports) fleet.take(report, DAY);
        const { awake, instancesByStatus, hibernations } = fleet.state;
        return {
          awake,
          instancesByStatus,
          hibernations,
          instances: sql
            .exec(
              `SELECT instance_id, revision, as_of, status, health, orphaned_since, silent_since, bucket, view
               FROM instances ORDER BY instance_id`,
            )
            .toArray(),
          events: sql.exec("SELECT at, instance_id, id, kind FROM events ORDER BY at, id").toArray(),
        };
      };
      const shuffled = rowsOf.chain((made) => {
        const reports = toReports(made);
        const again = fc.array(fc.integer({ min: 0, max: reports.length - 1 }), { maxLength: 8 });
        return again
          .chain((indices) => {
            const all = [...reports, ...indices.flatMap((index) => reports[index] ?? [])];
            return fc.shuffledSubarray(all, { minLength: all.length });
          })
          .map((delivered) => ({ reports, delivered }));
      });
      fc.assert(
        fc.property(shuffled, ({ reports, delivered }) => {
          expect(outcomeOf(delivered)).toEqual(outcomeOf(reports));
        }),
      );
    });
  });

  it("are counted by minute as a recount finds, through outages that begin and end", async () => {
    const step = fc.record({
      id: fc.constantFrom("a", "b", "c", "d", "e"),
      // At the same moment, within an outage, or after the longest hold.
      afterMinutes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.constant(361)),
      what: fc.oneof(
        { weight: 4, arbitrary: fc.record({ silentMinutes: fc.integer({ min: 5, max: 15 }) }) },
        { weight: 3, arbitrary: fc.constant("heard" as const) },
        { weight: 1, arbitrary: fc.constant("removed" as const) },
      ),
    });
    await withEmptyFleet((begin, sql) => {
      const recount = (counted: "guard" | "vote", openedAt: number) =>
        sql
          .exec(
            `SELECT bucket, COUNT(*) AS instances FROM instances
             WHERE silent_since IS NOT NULL AND orphaned_since > ? GROUP BY bucket ORDER BY bucket`,
            openedAt,
          )
          .toArray()
          .map((row) => ({ counted, ...row }));
      const opened = { guard: 0, vote: 0 };
      fc.assert(
        fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
          const fleet = begin();
          let now = DAY;
          steps.forEach(({ id, afterMinutes, what }, index) => {
            now += afterMinutes * MINUTE;
            const revision = index + 1;
            if (what === "removed") fleet.remove(id, revision, now);
            else {
              const silentSince = what === "heard" ? null : now - what.silentMinutes * MINUTE;
              fleet.take(reportOf(id, { revision, asOf: now, silentSince }), now);
            }
            const { guard, vote, epochs } = fleet.state;
            const kept = sql
              .exec("SELECT counted, epoch, bucket, instances FROM silences ORDER BY counted, bucket")
              .toArray();
            expect(kept).toEqual([
              ...recount("guard", guard.openedAt ?? 0).map((row) => ({ epoch: epochs.guard, ...row })),
              ...recount("vote", vote.openedAt ?? 0).map((row) => ({ epoch: epochs.vote, ...row })),
            ]);
          });
          opened.guard += fleet.state.epochs.guard;
          opened.vote += fleet.state.epochs.vote;
        }),
        { numRuns: 300 },
      );
      expect(Math.min(opened.guard, opened.vote)).toBeGreaterThan(50);
    });
  });

  it("read as many rows in a fleet of 20,000 as in one of 100, with most of it silent", async () => {
    const outage = DAY - 30 * MINUTE;
    /** Rows as reports would have left them: 60 % silent, within ten minutes. */
    const fill = (sql: SqlStorage, instances: number): FleetState => {
      const silent = 0.6 * instances;
      sql.exec(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
         INSERT INTO instances (instance_id, changed, revision, registered_at, as_of, name, provider, status, health,
                                orphaned_since, silent_since, overrides, view, savings, bucket, guard_epoch, vote_epoch)
         SELECT printf('rig-%06d', n), n, 1, 0, 0, '', 'none',
                iif(n <= ?2, 'orphaned', 'running'), 'healthy',
                iif(n <= ?2, ?3 + (n % 10) * 60000 + 300000, NULL), iif(n <= ?2, ?3 + (n % 10) * 60000, NULL),
                '{}', '{}', '{}', iif(n <= ?2, (?3 + (n % 10) * 60000) / 60000, NULL), iif(n <= ?2, 0, NULL), iif(n <= ?2, 0, NULL)
         FROM numbers`,
        instances,
        silent,
        outage,
      );
      for (const counted of ["guard", "vote"]) {
        sql.exec(
          `INSERT INTO silences SELECT ?, 0, bucket, COUNT(*), MIN(orphaned_since) FROM instances
           WHERE bucket IS NOT NULL GROUP BY bucket`,
          counted,
        );
      }
      const closed = { closedAt: outage + 16 * MINUTE, openedAt: null, seenFrom: outage - MINUTE };
      return {
        ...newFleet(),
        awake: instances - silent,
        instancesByStatus: { orphaned: silent, running: instances - silent },
        guard: { ...closed, silentFrom: outage + 5 * MINUTE },
        vote: { ...closed, seenAt: outage },
        revision: instances,
      };
    };
    const reports: [string, Report][] = [
      [
        "another orphan",
        reportOf("rig-000090", { revision: 2, silentSince: outage, events: [alertOf("a")] }),
      ],
      ["one that is silent still", reportOf("rig-000007", { revision: 2, silentSince: outage + 7 * MINUTE })],
      ["one that came back", reportOf("rig-000008", { revision: 2 })],
      ["a new one", reportOf("newcomer")],
      ["one that is repeated", reportOf("newcomer")],
    ];
    const read = await withEmptyFleet((begin, sql) => {
      const exec = vi.spyOn(Object.getPrototypeOf(sql), "exec");
      const readBy = (instances: number) => {
        const fleet = begin();
        const state = fill(sql, instances);
        fleet.update(() => state);
        return reports.map(([what, report]): [string, number] => {
          exec.mockClear();
          fleet.take(report, DAY);
          const cursors = exec.mock.results.map(({ value }) => value as SqlStorageCursor<never>);
          return [what, cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0)];
        });
      };
      return { few: readBy(100), many: readBy(20_000) };
    });
    expect(read.many).toEqual(read.few);
    for (const [, rowsRead] of read.many) {
      expect(rowsRead).toBeGreaterThan(1);
      expect(rowsRead).toBeLessThan(80);
    }
  });
});

describe("a removal that arrives late, after the id was registered anew,", () => {
  const claim = { provider: "webhook", ref: "m-1" } as const;
  const held = reportOf("rig", { revision: 50, provider: "webhook", providerRef: "m-1" });

  it("takes out neither the new instance nor its claims", async () => {
    await withEmptyFleet((begin) => {
      const fleet = begin();
      fleet.take(reportOf("rig", { revision: 9 }), DAY);
      fleet.remove("rig", 10, DAY);
      fleet.take(held, DAY);
      const { revision, awake } = fleet.state;
      fleet.remove("rig", 10, DAY);
      expect(fleet.registry.find("rig")).toMatchObject({ revision: 50 });
      expect(fleet.machines.holderOf(claim)).toBe("rig");
      expect(fleet.state).toMatchObject({ revision, awake });
    });
  });

  it("takes nothing from a registration that is still under way", async () => {
    await withEmptyFleet((begin) => {
      const fleet = begin();
      fleet.remove("rig", 10, DAY);
      fleet.machines.claim(claim, "rig", DAY);
      fleet.remove("rig", 10, DAY);
      fleet.remove("rig", 9, DAY);
      expect(fleet.machines.holderOf(claim)).toBe("rig");
      expect(fleet.registry.removedRevision("rig")).toBe(10);
    });
  });

  it("though the first removal is long forgotten", async () => {
    await withEmptyFleet((begin, sql) => {
      const fleet = begin();
      fleet.take(held, DAY);
      fleet.remove("rig", 10, DAY);
      expect(fleet.registry.find("rig")).toMatchObject({ revision: 50 });
      expect(sql.exec("SELECT * FROM removals").toArray()).toEqual([]);
    });
  });

  it("does not let the next one begin below the row that is there", async () => {
    await withEmptyFleet((begin, sql) => {
      const fleet = begin();
      fleet.remove("rig", 10, DAY);
      fleet.take(held, DAY);
      expect(fleet.admit("rig", 10, DAY)).toMatchObject({ idsAfter: 50 });
      sql.exec("UPDATE removals SET revision = 70");
      expect(fleet.admit("rig", 10, DAY)).toMatchObject({ idsAfter: 70 });
    });
  });
});

describe("one whose row can't be read", () => {
  it("is taken out as the registry lists it", async () => {
    await withEmptyFleet((begin) => {
      const fleet = begin();
      fleet.take(reportOf("rig", { revision: 50 }), DAY);
      fleet.remove("rig", fleet.registry.lastRevision("rig") + 1, DAY);
      expect(fleet.registry.find("rig")).toBeNull();
      fleet.take(reportOf("rig", { revision: 50, asOf: DAY + 1 }), DAY);
      expect(fleet.registry.find("rig")).toBeNull();
    });
  });
});

describe("a change that fails in the middle", () => {
  const report = reportOf("rig", { silentSince: DAY - 5 * MINUTE, events: [alertOf("e-1"), alertOf("e-2")] });

  it("leaves memory and storage as they were", async () => {
    await withEmptyFleet((begin, sql) => {
      const fleet = begin();
      fleet.take(reportOf("other"), DAY);
      const stored = dump(sql);
      const { state } = fleet;
      const add = fleet.events.add.bind(fleet.events);
      let added = 0;
      const spy = vi.spyOn(fleet.events, "add").mockImplementation((...event) => {
        added += 1;
        if (added === 2) throw new Error("the disk is full");
        return add(...event);
      });
      const failing: [string, () => void][] = [
        ["an event", () => fleet.take(report, DAY)],
        [
          "the state's row",
          () =>
            fleet.update((before) => {
              fleet.registry.remove("other", 7, 7);
              return { ...before, awake: 7n as never };
            }),
        ],
        [
          "what is made of it",
          () =>
            fleet.change(() => {
              fleet.registry.remove("other", 7, 7);
              throw new Error("no");
            }),
        ],
      ];
      for (const [what, fail] of failing) {
        expect(fail, what).toThrow();
        expect(fleet.state, what).toBe(state);
        expect(dump(sql), what).toEqual(stored);
      }
      spy.mockRestore();
      fleet.take(report, DAY);
      expect(fleet.state).toMatchObject({ awake: 1, instancesByStatus: { orphaned: 1, running: 1 } });
      expect(sql.exec("SELECT id FROM events ORDER BY id").toArray()).toEqual([{ id: "e-1" }, { id: "e-2" }]);
    });
  });

  it("is an error to the instance that reports, whose outbox brings the report again", async () => {
    const fleet = fleetOf(env, "failing");
    await fleet.report(reportOf("other"));
    const before = await stateOf(fleet);
    await runInDurableObject(fleet, async (actor, { storage }) => {
      const write = vi.spyOn(Object.getPrototypeOf(storage.sql), "exec").mockImplementationOnce(() => {
        throw new Error("the disk is full");
      });
      await expect(actor.report(report)).rejects.toThrow("the disk is full");
      write.mockRestore();
    });
    expect(await stateOf(fleet)).toEqual(before);
    await fleet.report(report);
    await evictDurableObject(fleet);
    expect((await stateOf(fleet)).instancesByStatus).toEqual({ orphaned: 1, running: 1 });
  });
});

describe("the daily cleanup", () => {
  it("visits whoever has come to rest for two days, since something may wait there whose alarm was lost", async () => {
    const fleet = fleetOf(env, "visited");
    const rig = (id: string, status: Reported["status"]) => fleet.report(reportOf(id, { status }));
    await Promise.all([rig("awake", "running"), rig("asleep", "hibernated"), rig("gone", "deleted")]);
    const visited = async () => (await fleet.instancesToVisit("", 10)).map(({ instanceId }) => instanceId);
    expect(await visited()).toEqual(["asleep", "awake", "gone"]);
    setClock(DAY + 48 * 60 * MINUTE + MINUTE);
    expect(await visited()).toEqual(["awake"]);
  });
});

describe("lists", () => {
  const of: Record<string, Reported> = {
    a: { name: "Alpha", provider: "vast", providerRef: "77" },
    b: { name: "Beta 50%", status: "hibernated" },
    c: { name: "ALPHABET", silentSince: DAY - 5 * MINUTE },
  };

  it("are filtered by status, health, provider and text, and come in pages", async () => {
    const fleet = fleetOf(env, "lists");
    for (const [id, reported] of Object.entries(of)) await fleet.report(reportOf(id, reported));
    const ids = async (filter: ListFilter, after = "", limit = 10) => {
      const { json } = await fleet.summaries(filter, after, limit);
      const listed = JSON.parse(json).map((row: SummaryView) => row.instance_id);
      expect(await fleet.instanceIds(after, limit, filter)).toEqual(listed);
      return listed;
    };
    expect(await ids({})).toEqual(["a", "b", "c"]);
    expect(await ids({}, "a", 1)).toEqual(["b"]);
    expect(await ids({ status: "orphaned" })).toEqual(["c"]);
    expect(await ids({ health: "healthy" })).toEqual(["a", "b"]);
    expect(await ids({ provider: "vast" })).toEqual(["a"]);
    expect(await ids({ text: "alpha" })).toEqual(["a", "c"]);
    expect(await ids({ text: "50%" })).toEqual(["b"]);
    expect(await ids({ text: "77" })).toEqual(["a"]);
    expect(await ids({ text: "alpha", status: "running" })).toEqual(["a"]);
  });
});

describe("tags", () => {
  const HOSTILE = `'; DROP TABLE instances; -- "\\ <script>$.x[0]%_`;
  const of: Record<string, Reported> = {
    a: { tags: { team: "vision", env: "prod" }, provider: "vast" },
    b: { tags: { team: "vision", env: "test" } },
    c: { tags: { team: "Vision", "a.b-c_d": HOSTILE, empty: "" } },
    // Keys that rows have too, or that stand for something elsewhere.
    d: { tags: { connection: "c-1", hibernated_cost: "1", status: "hibernated", tags: "{", view: "x" } },
    e: { tags: { constructor: "x", city: "S\u00e3o Paulo \ud83d\ude80" } },
    f: {},
  };

  it("filter a list: all that are wanted must match, to the letter", async () => {
    const fleet = fleetOf(env, "tags");
    for (const [id, reported] of Object.entries(of)) await fleet.report(reportOf(id, reported));
    const ids = async (texts: readonly string[], filter: ListFilter = {}, after = "", limit = 10) => {
      const wanted = { ...filter, tag: texts.map((text) => tagSchema.parse(text)) };
      const { json } = await fleet.summaries(wanted, after, limit);
      const listed = JSON.parse(json).map((row: SummaryView) => row.instance_id);
      expect(await fleet.instanceIds(after, limit, wanted)).toEqual(listed);
      return listed;
    };
    expect(await ids([])).toEqual(Object.keys(of));
    expect(await ids(["team:vision"])).toEqual(["a", "b"]);
    expect(await ids(["team:vision"], {}, "a")).toEqual(["b"]);
    expect(await ids(["team:vision"], {}, "", 1)).toEqual(["a"]);
    expect(await ids(["team:vision", "env:prod"])).toEqual(["a"]);
    expect(await ids(["team:vision", "team:Vision"])).toEqual([]);
    expect(await ids(["team:vision"], { provider: "vast", status: "running" })).toEqual(["a"]);
    expect(await ids([`a.b-c_d:${HOSTILE}`])).toEqual(["c"]);
    expect(await ids(["empty:"])).toEqual(["c"]);
    expect(await ids(["env:"])).toEqual([]);
    expect(await ids(["a.b:x"])).toEqual([]);
    // Every row has a status; a tag is another thing.
    expect(await ids(["status:running"])).toEqual([]);
    expect(await ids(["status:hibernated"])).toEqual(["d"]);
    expect(await ids(["constructor:x"])).toEqual(["e"]);
    expect(await ids(["city:S\u00e3o Paulo \ud83d\ude80"])).toEqual(["e"]);
    const most = Array.from({ length: MOST_TAGS }, (_, n) => `k${n}:v`);
    expect(await ids(most, { status: "running", health: "healthy", provider: "vast", text: "a" })).toEqual(
      [],
    );
  });

  it("are shown as they are, and change nothing of what else a row shows", async () => {
    const fleet = fleetOf(env, "tags-shown");
    for (const [id, reported] of Object.entries(of)) await fleet.report(reportOf(id, reported));
    for (const { as_of: _, control, ...view } of await listOf(fleet)) {
      const { row } = reportOf(view.instance_id, of[view.instance_id]);
      expect(view).toEqual(row.view);
      // One of its own agent's: no connection, whatever a tag says.
      expect(control.why_not).toBe(view.provider === "vast" ? "not_connected" : "no_provider");
    }
  });

  it("of an instance of the former release are none", async () => {
    const fleet = fleetOf(env, "tags-former");
    const { row, ...report } = reportOf("a", { provider: "none" });
    const { tags: _, ...view } = row.view;
    await fleet.report({ ...report, row: { ...row, view: view as LiveView } });
    expect(await listOf(fleet)).toMatchObject([{ instance_id: "a", tags: {} }]);
    const tag = [{ key: "team", value: "vision" }];
    expect(await listOf(fleet, { tag })).toEqual([]);
  });
});

describe("machines", () => {
  const machine = { provider: "webhook", ref: "m-1" } as const;

  it("have one watcher; a claim that came to nothing can be taken back unless it was made anew", async () => {
    const fleet = fleetOf(env, "machines");
    const [first, second] = await Promise.all([fleet.claim(machine, "a"), fleet.claim(machine, "b")]);
    expect(first).toEqual({ holder: "a", isNew: true, claimedAt: DAY });
    expect(second).toEqual({ holder: "a", isNew: false, claimedAt: DAY });
    const again = await fleet.claim(machine, "a");
    expect(again).toEqual({ holder: "a", isNew: false, claimedAt: DAY + 1 });
    await fleet.withdrawClaim(machine, "a", DAY);
    expect(await fleet.holderOf(machine)).toBe("a");
    await fleet.withdrawClaim(machine, "b", DAY + 1);
    expect(await fleet.holderOf(machine)).toBe("a");
    await fleet.withdrawClaim(machine, "a", DAY + 1);
    expect(await fleet.holderOf(machine)).toBeNull();
  });

  it("are released by who has left them, but not by who has come back", async () => {
    const fleet = fleetOf(env, "machines-left");
    const watching = (ref: string, revision: number) =>
      fleet.report(reportOf("a", { provider: "webhook", providerRef: ref, revision }));
    const release = async (id: string, held: readonly HeldClaim[]) =>
      releaseMachine(env, "machines-left", machine, id, held);
    await watching("m-1", 1);
    const held = await fleet.claimsOf("a");
    expect(held).toEqual([{ ...machine, claimedAt: DAY }]);
    await watching("m-2", 2);
    await release("b", held);
    expect(await fleet.holderOf(machine)).toBe("a");
    await fleet.claim(machine, "a");
    await release("a", held);
    expect(await fleet.holderOf(machine)).toBe("a");
    await release("a", await fleet.claimsOf("a"));
    expect(await fleet.holderOf(machine)).toBeNull();
    expect(await fleet.holderOf({ ...machine, ref: "m-2" })).toBe("a");
    await fleet.report(
      reportOf("a", { provider: "webhook", providerRef: "m-2", revision: 3, status: "deleted" }),
    );
    expect(await fleet.holderOf({ ...machine, ref: "m-2" })).toBeNull();
  });
});

describe("the machines of an instance whose fleet was set back", () => {
  const held = async (fleet: FleetStub, id: string) =>
    (await fleet.claimsOf(id)).map(({ provider, ref }) => `${provider} ${ref}`);

  const watching = (ref: string, revision: number, provider: ProviderKind = "webhook") =>
    reportOf("a", { provider, providerRef: ref, revision });

  it("are the one that its row names: what it left since is released by its next report", async () => {
    const fleet = fleetOf(env, "claims-set-back");
    await fleet.report(watching("m-1", 1));
    // It has changed from m-1 to m-2, and the fleet was set back to before that.
    setClock(DAY + 2 * MINUTE);
    await fleet.report(watching("m-2", 9));
    expect(await held(fleet, "a")).toEqual(["webhook m-2"]);
    await fleet.report({ ...reportOf("b", { provider: "webhook", providerRef: "m-1" }) });
    expect(await fleet.holderOf({ provider: "webhook", ref: "m-1" })).toBe("b");
    // Nor does one whose agent stops it hold anything.
    setClock(DAY + 4 * MINUTE);
    await fleet.report(watching("m-2", 10, "agent"));
    expect(await held(fleet, "a")).toEqual([]);
    expect(await held(fleet, "b")).toEqual(["webhook m-1"]);
  });

  it("stay with a change that is under way, and with whoever holds another", async () => {
    const fleet = fleetOf(env, "claims-under-way");
    await fleet.report(watching("m-1", 1));
    setClock(DAY + 5 * MINUTE);
    await fleet.claim({ provider: "webhook", ref: "m-2" }, "a");
    setClock(DAY + 6 * MINUTE - 1);
    await fleet.report(watching("m-1", 2));
    expect(await held(fleet, "a")).toEqual(["webhook m-1", "webhook m-2"]);
    // It is there, and the former one goes in the end, though nobody came to release it.
    await fleet.report(watching("m-2", 3));
    expect(await held(fleet, "a")).toEqual(["webhook m-2"]);
    // An older report that comes late names a machine that it has left: it changes nothing.
    setClock(DAY + 8 * MINUTE);
    await fleet.report(watching("m-1", 2));
    expect(await held(fleet, "a")).toEqual(["webhook m-2"]);
  });
});

describe("channels", () => {
  it("are at most as many as allowed, however many are added at once, and are gone once deleted", async () => {
    const { userId, token } = await newUser();
    const add = (url: string) =>
      call("POST", "/api/agent/channels", {
        token,
        json: { name: "test", minimum_severity: "info", settings: { kind: "slack", url } },
      });
    const added = await Promise.all(
      Array.from({ length: 25 }, (_, index) => add(`https://hooks.example.com/${index}`)),
    );
    const made = added.filter(({ status }) => status === 201);
    const fleet = fleetOf(env, userId);
    expect(await fleet.channels()).toHaveLength(made.length);
    expect(made.length).toBeLessThan(25);
    const [first] = await fleet.channels();
    if (first === undefined) throw new Error("there is none");
    expect(await fleet.deleteChannel(first.id)).toBe(true);
    expect(await fleet.deleteChannel(first.id)).toBe(false);
    expect(await fleet.sealedChannel(first.id)).toBeNull();
    // A delivery that was under way when its channel was deleted.
    await fleet.noteDelivery(first.id, {
      delivered: true,
      detail: "200",
      mayPass: false,
      retryAfterSeconds: null,
    });
    expect(await fleet.channels()).toHaveLength(made.length - 1);
  });
});
