import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fleet } from "../../src/fleet/fleet.ts";
import { newFleet } from "../../src/fleet/rules/state.ts";
import { createTables } from "../../src/fleet/tables/schema.ts";
import { NOT_COUNTED } from "../../src/fleet/tables/silences.ts";
import { Listings } from "../../src/fleet/tasks/listing.ts";
import { bringPolicy } from "../../src/fleet/tasks/policy.ts";
import { runDueTasks } from "../../src/fleet/tasks/tasks.ts";
import { reportTotals } from "../../src/fleet/tasks/totals.ts";
import { OPEN_GUARD } from "../../src/lifecycle/rules/outage-guard.ts";
import { SqliteStorage } from "./sqlite-host.ts";

/** What happens to a fleet while one of its tasks waits for the outside: it must not be forgotten when that answers. */

vi.mock("../../src/alerts/channels/registry.ts", () => ({ sendBy: () => new Promise<never>(() => {}) }));

const USER = "u-1";

let fleet: Fleet;

beforeEach(() => {
  const storage = new SqliteStorage();
  createTables(storage.sql);
  fleet = Reflect.construct(Fleet, [storage, newFleet(), 1]);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function env(bindings: object): Env {
  return Object.assign(Object.create(null), { SIMULATION_SPEED: "1", ...bindings });
}

function place(instanceId: string, status: string): void {
  fleet.update((state) => {
    const instancesByStatus = { ...state.instancesByStatus, [status]: 1 };
    return { ...state, instancesByStatus, due: { ...state.due, totalsAt: Date.now() } };
  });
  const view = { status, name: instanceId, provider: "none", provider_ref: null, health: "healthy" };
  fleet.registry.write(
    instanceId,
    1,
    Object.assign(Object.create(null), {
      revision: 1,
      registeredAt: 0,
      asOf: 0,
      overrides: {},
      savings: {},
      orphanedSince: null,
      silentSince: null,
      view,
    }),
    NOT_COUNTED,
  );
}

const listings = () =>
  new Listings({
    takeTurn: async () => ({ type: "go", afterMs: 0, waits: 0 }),
    noteLimited: async () => ({ afterMs: 0, isFailure: false }),
  });

describe("totals", () => {
  const service = (meanwhile: () => void) =>
    env({
      SERVICE: {
        getByName: () => ({
          report: async () => {
            meanwhile();
            return { isTaken: true, guard: OPEN_GUARD };
          },
        }),
      },
    });

  it("that change while a report is on its way are due again soon", async () => {
    place("a", "running");
    await reportTotals(
      service(() => place("b", "hibernated")),
      USER,
      fleet,
    );
    expect(fleet.state.due.totalsAt).toBeLessThanOrEqual(Date.now() + 15_000);
  });

  it("that did not change are due again in hours", async () => {
    place("a", "running");
    await reportTotals(
      service(() => {}),
      USER,
      fleet,
    );
    expect(fleet.state.due.totalsAt).toBeGreaterThan(Date.now() + 3_600_000);
  });
});

describe("the order of totals", () => {
  const told: number[] = [];
  const service = (newest: () => number) =>
    env({
      SERVICE: {
        getByName: () => ({
          report: async ({ number }: { number: number }) => {
            told.push(number);
            if (number <= newest()) return { isTaken: false, newest: newest() };
            return { isTaken: true, guard: OPEN_GUARD };
          },
        }),
      },
    });

  beforeEach(() => {
    told.length = 0;
    place("a", "running");
  });

  it("is that of a counter, whatever the clock says", async () => {
    const now = vi.spyOn(Date, "now").mockReturnValue(1_000_000);
    await reportTotals(
      service(() => 0),
      USER,
      fleet,
    );
    now.mockReturnValue(1_000);
    await reportTotals(
      service(() => 1),
      USER,
      fleet,
    );
    expect(told).toEqual([1, 2]);
    expect(fleet.state.service?.answeredAt).toBe(1_000);
  });

  it("goes on above what the service knows when the fleet's state was lost", async () => {
    const known = 7;
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await reportTotals(
      service(() => known),
      USER,
      fleet,
    );
    expect(told).toEqual([1, known + 1]);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("set back to a former state"));
    warn.mockRestore();
    await reportTotals(
      service(() => known + 1),
      USER,
      fleet,
    );
    expect(told.at(-1)).toBe(known + 2);
  });

  it("that the service never takes bring no word of its guard, and stay due", async () => {
    const { due } = fleet.state;
    const refused = reportTotals(
      service(() => told.at(-1) ?? 0),
      USER,
      fleet,
    );
    await expect(refused).rejects.toThrow("did not take");
    expect(fleet.state.service).toBeNull();
    expect(fleet.state.due.totalsAt).toBe(due.totalsAt);
  });
});

describe("events of the fleet itself", () => {
  const addEvent = (number: number) =>
    fleet.update((state) => {
      fleet.events.add(
        number,
        null,
        {
          id: `guard-${number}`,
          at: number,
          kind: "guard_closed",
          severity: "critical",
          message: "",
          detail: {},
        },
        false,
      );
      return { ...state, due: { ...state.due, historyAt: Date.now() } };
    });

  it("that come while others are written are written next", async () => {
    const written: unknown[] = [];
    const prepare = () => ({ bind: (...values: unknown[]) => values[3] });
    const batch = async (ids: unknown[]) => {
      written.push(...ids);
      if (written.length === 1) addEvent(2);
    };
    addEvent(1);
    const now = Date.now();
    await runDueTasks(env({ DB: { prepare, batch } }), USER, fleet, listings(), now);
    expect(fleet.state.due.historyAt).not.toBeNull();
    await runDueTasks(env({ DB: { prepare, batch } }), USER, fleet, listings(), now + 60_000);
    expect(written).toEqual(["guard-1", "guard-2"]);
    expect(fleet.state.due.historyAt).toBeNull();
  });
});

describe("a task that is never answered", () => {
  it("is due again later, and holds up none of the others", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    vi.useFakeTimers();
    place("a", "running");
    const now = Date.now();
    fleet.setDue({ deliveriesAt: now, historyAt: now, totalsAt: now, pruneAt: now });
    fleet.events.add(
      1,
      null,
      { id: "guard-1", at: now, kind: "guard_closed", severity: "critical", message: "", detail: {} },
      false,
    );
    fleet.channels.add(
      { id: "c", kind: "webhook", name: "", minimumSeverity: "info", createdAt: 0 },
      { settings: "", origin: "" },
      1,
    );
    const notice = { title: "", severity: "info", groups: [] } as const;
    fleet.deliveries.add({ id: "d", channelId: "c", digestId: "d", notice }, now);
    const never = () => new Promise<never>(() => {});
    const hanging = {
      DB: { prepare: () => ({ bind: () => null }), batch: never },
      ALERT_DELIVERY: { create: never, get: never },
      SERVICE: { getByName: () => ({ report: never }) },
    };
    const running = runDueTasks(env(hanging), USER, fleet, listings(), now);
    await vi.advanceTimersByTimeAsync(30_000);
    await running;
    const { due } = fleet.state;
    for (const at of [due.deliveriesAt, due.historyAt, due.totalsAt]) expect(at).toBeGreaterThan(now);
    expect(due.pruneAt).not.toBe(now);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fleet.state.due).toEqual(due);
  });
});

describe("a policy", () => {
  it("that nobody answers does not keep whoever sets it, and goes on by the alarm", async () => {
    vi.useFakeTimers();
    for (let index = 100; index < 400; index++) place(`rig-${index}`, "running");
    fleet.setPolicy({ keep_alive_minutes: 5 }, Date.now());
    const began = Date.now();
    const getByName = () => ({ setUserPolicy: () => new Promise<never>(() => {}) });
    let endedAt = 0;
    const bringing = bringPolicy(env({ INSTANCES: { getByName } }), USER, fleet).then(() => {
      endedAt = Date.now();
    });
    await vi.advanceTimersByTimeAsync(60_000);
    await bringing;
    expect(endedAt - began).toBeLessThanOrEqual(30_000);
    expect(fleet.state.due.policy).toEqual({ at: endedAt, after: "rig-249" });
    expect(fleet.retries.due(Number.MAX_SAFE_INTEGER, 1000)).toHaveLength(150);
  });

  it("is brought again to the one that was out of reach", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.spyOn(console, "warn").mockReturnValue();
    const told: string[] = [];
    let isAway = true;
    const getByName = (name: string) => ({
      setUserPolicy: async () => {
        if (isAway && name.endsWith("/b")) throw new Error("out of reach");
        told.push(name);
      },
    });
    for (const id of ["a", "b", "c"]) place(id, "hibernated");
    const set = fleet.setPolicy({ keep_alive_minutes: 5 }, Date.now());
    expect(set).toMatchObject({ version: 1 });
    await bringPolicy(env({ INSTANCES: { getByName } }), USER, fleet);
    expect(told).toEqual(["u-1/a", "u-1/c"]);
    expect(fleet.state.due.policy?.at).toBeGreaterThan(Date.now());
    isAway = false;
    vi.setSystemTime(fleet.state.due.policy?.at ?? 0);
    await bringPolicy(env({ INSTANCES: { getByName } }), USER, fleet);
    expect(told).toEqual(["u-1/a", "u-1/c", "u-1/b"]);
    expect(fleet.state.due.policy).toBeNull();
  });
});
