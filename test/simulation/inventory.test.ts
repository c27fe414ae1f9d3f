import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetConnection, noteTrial, setCredentials } from "../../src/fleet/connections.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { newFleet } from "../../src/fleet/rules/state.ts";
import { createTables } from "../../src/fleet/tables/schema.ts";
import { NOT_COUNTED } from "../../src/fleet/tables/silences.ts";
import { adoptAll } from "../../src/fleet/tasks/adopt.ts";
import { Listings } from "../../src/fleet/tasks/listing.ts";
import { setSuspended } from "../../src/fleet/tasks/standing.ts";
import { toIso } from "../../src/lifecycle/model/time.ts";
import type { Turn } from "../../src/providers/pace.ts";
import {
  type ListedMachine,
  type MachinePage,
  type Provider,
  ProviderError,
} from "../../src/providers/provider.ts";
import { SqliteStorage } from "./sqlite-host.ts";

/** A fleet lists the machines of its user's connections, at a provider that answers as a test says. */

const USER = "u-1";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse("2026-11-01T00:00:00Z");

let fleet: Fleet;
let list: (after: string | null) => Promise<MachinePage>;
let listings: Listings;
/** What the lane says next; then it is free. */
let turns: Turn[];
/** What it was told of limits, and whether this one has lasted for long. */
let limited: [string, number | null][];
let isLongLimit: boolean;

function makeFleet(): Fleet {
  const storage = new SqliteStorage();
  createTables(storage.sql);
  return Reflect.construct(Fleet, [storage, newFleet(), 1]);
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  vi.spyOn(console, "warn").mockReturnValue();
  fleet = makeFleet();
  fleet.connections.set("gcp", { sealed: "", setAt: 1 }, null);
  fleet.start(START);
  turns = [];
  limited = [];
  isLongLimit = false;
  listings = new Listings(
    {
      takeTurn: async () => turns.shift() ?? { type: "go", afterMs: 0, waits: 0 },
      noteLimited: async ({ connection }, retryAfterSeconds) => {
        limited.push([connection, retryAfterSeconds]);
        return { afterMs: (retryAfterSeconds ?? 10) * 1_000, isFailure: isLongLimit };
      },
    },
    async (_env, _userId, { kept }) => {
      const provider: Provider = Object.assign(Object.create(null), {
        list: (after: string | null) => list(after),
      });
      return { provider, credentialsSetAt: kept.setAt };
    },
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const env: Env = Object.assign(Object.create(null), { SIMULATION_SPEED: "1" });

function machine(ref: string, more: Partial<ListedMachine> = {}): ListedMachine {
  return {
    ref,
    name: `rig-${ref}`,
    state: "running",
    gpu: "RTX 4090",
    gpus: 1,
    region: null,
    createdAt: null,
    hourlyCost: 0.5,
    stoppedHourlyCost: null,
    memberOf: null,
    ...more,
  };
}

const shows = (...machines: ListedMachine[]) => {
  list = async () => ({ machines, next: null });
};

/** Time passes, and the task of the fleet's alarm is done whenever it is due. */
async function until(moment: number): Promise<void> {
  for (;;) {
    const at = fleet.state.due.inventoryAt;
    if (at === null || at > moment) break;
    vi.setSystemTime(Math.max(at, Date.now()));
    await listings.listDue(env, USER, fleet);
  }
  vi.setSystemTime(moment);
}

const alerts = () => fleet.events.after(0, 100).rows.filter(({ instanceId }) => instanceId === null);

/** An instance of the registry, such as one whose agent hibernates it. */
function place(
  instanceId: string,
  provider: string,
  ref: string | null,
  status = "running",
  hibernatedSince: number | null = null,
): void {
  const hibernated_since = hibernatedSince === null ? null : toIso(hibernatedSince);
  const view = { status, name: instanceId, provider, provider_ref: ref, health: "healthy", hibernated_since };
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

describe("an account of twelve machines", () => {
  const twelve = Array.from({ length: 12 }, (_, index) =>
    machine(`${index + 1}`, { hourlyCost: (index + 1) / 4 }),
  );
  // 3 watched; of the 9 others 2 stopped and 1 a cluster's.
  const shown = twelve.map((one, index) => {
    if (index === 3 || index === 4) return { ...one, state: "stopped" as const };
    return index === 5 ? { ...one, memberOf: "cluster-1" } : one;
  });

  beforeEach(() => {
    for (const ref of ["1", "2"]) {
      fleet.machines.claim({ provider: "gcp", ref }, `i-${ref}`, 0);
      place(`i-${ref}`, "gcp", ref);
    }
    place("3", "agent", null);
    shows(...shown);
  });

  it("of which six bill and are not watched, is told in one alert, with their dollars", async () => {
    await until(START + HOUR);
    expect(alerts()).toMatchObject([
      {
        kind: "unwatched_machines",
        severity: "warning",
        detail: { machines: 6, hourly_cost: 14.25, unpriced: 0, refs: "12 11 10 9 8 7" },
      },
    ]);
    expect(alerts()[0]?.message).toContain(
      "6 machines at Google Compute Engine run, watched by nobody: $14.25 an hour",
    );
    for (const ref of ["7", "8", "9", "10", "11", "12"])
      expect(alerts()[0]?.message).toContain(`rig-${ref} (`);
  });

  it("is told again after a day, of those that go on", async () => {
    await until(START + 12 * HOUR);
    shows(...shown.filter(({ ref }) => ref !== "12"));
    await until(START + 25 * HOUR);
    expect(alerts()).toMatchObject([
      { detail: { machines: 6, reminder: false } },
      { detail: { machines: 5, reminder: true } },
    ]);
    expect(fleet.inventory.find({ connection: "gcp", ref: "12" })?.vanishedAt).toBeGreaterThan(
      START + 12 * HOUR,
    );
  });

  it("shows who watches which", async () => {
    await until(START + MINUTE);
    const page = (watched: boolean | null) =>
      fleet.inventory.page({ provider: "", ref: "" }, watched, 100).rows.map(({ ref }) => ref);
    expect(page(true)).toEqual(["1", "2", "3"]);
    expect(page(false)).toHaveLength(9);
    expect(page(null)).toHaveLength(12);
    expect(fleet.inventory.page({ provider: "gcp", ref: "3" }, false, 2).rows.map(({ ref }) => ref)).toEqual([
      "4",
      "5",
    ]);
    expect(fleet.inventory.find({ connection: "gcp", ref: "3" })?.watchedBy).toBe("3");
    place("3", "agent", null, "deleted");
    expect(page(true)).toEqual(["1", "2"]);
    // Another provider's machine of the same id is another machine.
    place("4", "vast", null);
    place("x", "vast", "5");
    expect(page(true)).toEqual(["1", "2"]);
    place("y", "none", "5");
    expect(page(true)).toEqual(["1", "2", "5"]);
  });
});

describe("a listing", () => {
  it("that fails as a whole changes nothing, is made less and less often, and is told once", async () => {
    shows(machine("a"), machine("b", { state: "stopped" }));
    await until(START + MINUTE);
    const before = fleet.inventory.of("gcp");
    let calls = 0;
    list = async (after) => {
      calls += 1;
      if (after === null) return { machines: [machine("a", { state: "stopped" })], next: "2" };
      throw new ProviderError("unavailable", "503");
    };
    await until(START + 12 * HOUR);
    expect(fleet.inventory.of("gcp")).toEqual(before);
    expect(calls / 2).toBeLessThan(9);
    expect(alerts().map(({ kind }) => kind)).toEqual(["unwatched_machines", "listing_failed"]);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ problem: "503", listedAt: START });
    shows();
    await until(START + 17 * HOUR);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ problem: null, failures: 0, isComplete: true });
    expect(fleet.inventory.of("gcp").every(({ vanishedAt }) => vanishedAt !== null)).toBe(true);
  });

  it("waits no longer than its deadline for an answer, and begins anew", async () => {
    list = () => new Promise(() => {});
    const turn = listings.listDue(env, USER, fleet);
    await vi.advanceTimersByTimeAsync(15_000);
    await turn;
    expect(fleet.inventory.listing("gcp")).toMatchObject({
      failures: 1,
      problem: "it did not answer in time",
    });
    expect(fleet.state.due.inventoryAt).toBeGreaterThan(Date.now() + 13 * MINUTE);
  });

  it("of many pages goes on in turns, and an endless one ends without proof that anything is gone", async () => {
    shows(machine("gone"));
    await until(START + MINUTE);
    let page = 0;
    list = async () => {
      page += 1;
      vi.setSystemTime(Date.now() + 400);
      return { machines: [machine(`m-${page}`, { state: "stopped" })], next: String(page) };
    };
    await until(START + 30 * MINUTE);
    expect(page).toBe(1000);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ isComplete: false, failures: 0 });
    expect(fleet.inventory.of("gcp")).toHaveLength(1001);
    expect(fleet.inventory.find({ connection: "gcp", ref: "gone" })?.vanishedAt).toBeNull();
  });

  it("that is longer than the bound is no proof that the rest is gone, wherever it ends", async () => {
    shows(machine("beyond"));
    await until(START + MINUTE);
    const many = Array.from({ length: 10_000 }, (_, index) => machine(`m-${index}`, { state: "stopped" }));
    shows(...many, machine("beyond"));
    await until(START + 20 * MINUTE);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ isComplete: false });
    expect(fleet.inventory.find({ connection: "gcp", ref: "beyond" })?.vanishedAt).toBeNull();
  });

  it("takes its turns at its provider, and has failed when it gets none", async () => {
    shows(machine("a"));
    turns = [{ type: "ask again", afterMs: MINUTE, waits: 1 }];
    await listings.listDue(env, USER, fleet);
    expect(fleet.inventory.of("gcp")).toEqual([]);
    expect(fleet.state.due.inventoryAt).toBe(START + MINUTE);
    await until(START + MINUTE);
    expect(fleet.inventory.of("gcp")).toHaveLength(1);
    turns = [{ type: "given up", waits: 9 }];
    await until(START + 20 * MINUTE);
    expect(fleet.inventory.listing("gcp")).toMatchObject({
      failures: 1,
      problem: "too many other calls to it wait",
    });
  });

  it("that is too much for its provider tells the lane, goes on where it was, and has failed only when that lasts", async () => {
    const asked: (string | null)[] = [];
    list = async (after) => {
      asked.push(after);
      if (after === "2" && limited.length === 0) throw new ProviderError("rate_limited", "429", 40);
      return { machines: [machine(after ?? "1")], next: after === null ? "2" : null };
    };
    await listings.listDue(env, USER, fleet);
    expect(limited).toEqual([["gcp", 40]]);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ failures: 0, listedAt: null });
    expect(fleet.state.due.inventoryAt).toBe(START + 40_000);
    await until(START + MINUTE);
    expect(asked).toEqual([null, "2", "2"]);
    expect(fleet.inventory.of("gcp")).toHaveLength(2);
    isLongLimit = true;
    list = async () => {
      throw new ProviderError("rate_limited", "429");
    };
    await until(START + 20 * MINUTE);
    expect(limited.at(-1)).toEqual(["gcp", null]);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ failures: 1, problem: "429" });
  });

  it("of a second connection of the same account makes no machine two", async () => {
    shows(machine("a"), machine("b"));
    await until(START + MINUTE);
    fleet.connections.add(
      { id: "c-1", kind: "gcp", name: "Team B", createdAt: START },
      { sealed: "", setAt: 1 },
      null,
      10,
    );
    await until(START + 10 * HOUR);
    expect(fleet.inventory.of("c-1")).toHaveLength(2);
    const entries = () =>
      fleet.inventory
        .page({ provider: "", ref: "" }, null, 100)
        .rows.map(({ connection, ref }) => [connection, ref]);
    expect(entries()).toEqual([
      ["gcp", "a"],
      ["gcp", "b"],
    ]);
    expect(fleet.inventory.page({ provider: "", ref: "" }, null, 1)).toMatchObject({
      end: { provider: "gcp", ref: "a" },
    });
    expect(alerts().map(({ message }) => message)).toEqual([
      expect.stringContaining("2 machines at Google Compute Engine run"),
    ]);
    await until(START + 30 * HOUR);
    expect(alerts()).toHaveLength(2);
    // The first connection goes: what the second one lists is there all the same.
    forgetConnection(fleet, "gcp");
    expect(entries()).toEqual([
      ["c-1", "a"],
      ["c-1", "b"],
    ]);
    await until(START + 40 * HOUR);
    expect(alerts()).toHaveLength(2);
  });

  it("that leaves a part out says nothing of a machine there", async () => {
    shows(machine("zone-a/1"), machine("zone-b/2"));
    await until(START + MINUTE);
    list = async () => ({ machines: [], next: null, unlisted: [{ name: "zone-a", refPrefix: "zone-a/" }] });
    await until(START + HOUR);
    const vanishedAt = (ref: string) => fleet.inventory.find({ connection: "gcp", ref })?.vanishedAt;
    expect(vanishedAt("zone-a/1")).toBeNull();
    expect(vanishedAt("zone-b/2")).toBeGreaterThan(START);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ isComplete: false, failures: 0, problem: null });
  });

  it("that does not go on fails", async () => {
    let calls = 0;
    list = async () => {
      calls += 1;
      return { machines: [machine("a")], next: "again" };
    };
    await listings.listDue(env, USER, fleet);
    expect(calls).toBe(2);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ failures: 1, problem: "its list does not go on" });
    expect(fleet.inventory.of("gcp")).toEqual([]);
  });

  it("by credentials that were replaced meanwhile counts for nothing", async () => {
    list = async () => {
      fleet.connections.set("gcp", { sealed: "", setAt: 2 }, null);
      return { machines: [machine("other-account")], next: null };
    };
    await listings.listDue(env, USER, fleet);
    expect(fleet.inventory.of("gcp")).toEqual([]);
  });
});

describe("a machine that bills", () => {
  const told = () =>
    alerts().flatMap(({ kind, detail }) => (kind === "unwatched_machines" ? [detail.refs] : []));

  it("is watched by nobody where its claim is of an instance that never came to be", async () => {
    shows(machine("a"));
    fleet.machines.claim({ provider: "gcp", ref: "a" }, "never-came", START);
    await until(START + 5 * MINUTE);
    expect(told()).toEqual([]);
    expect(fleet.inventory.find({ connection: "gcp", ref: "a" })?.watchedBy).toBe("never-came");
    await until(START + 40 * MINUTE);
    expect(told()).toEqual(["a"]);
    expect(fleet.inventory.find({ connection: "gcp", ref: "a" })?.watchedBy).toBeNull();
  });

  it("is told though an instance holds it as hibernated that no list can speak to", async () => {
    shows(machine("a"), machine("b"), machine("c"));
    place("by-itself", "agent", "a", "hibernated", START);
    place("by-hook", "webhook", "b", "hibernated", START + 90 * MINUTE);
    place("called", "gcp", "c", "hibernated", START);
    fleet.machines.claim({ provider: "gcp", ref: "c" }, "called", START);
    await until(START + 30 * MINUTE);
    expect(told()).toEqual([]);
    await until(START + 2 * HOUR);
    expect(told()).toEqual(["a"]);
    expect(alerts()[0]?.message).toContain("by-itself counts as hibernated");
    await until(START + 3 * HOUR);
    expect(told()).toEqual(["a", "b"]);
  });

  it("is told though its provider says impossible things of it", async () => {
    const impossible = { createdAt: 1e300, hourlyCost: 1e308, stoppedHourlyCost: -1 };
    shows(machine("a", impossible), machine("b", { createdAt: Number.NaN, hourlyCost: 2 }));
    await until(START + MINUTE);
    expect(alerts()).toMatchObject([
      { kind: "unwatched_machines", detail: { machines: 2, unpriced: 1, hourly_cost: 2 } },
    ]);
    expect(fleet.inventory.find({ connection: "gcp", ref: "a" })).toMatchObject({
      createdAt: null,
      hourlyCost: null,
      stoppedHourlyCost: null,
    });
  });

  it("is told though its state is not understood, unless that passes", async () => {
    shows(machine("a"), machine("b", { memberOf: "cluster 1" }));
    fleet.machines.claim({ provider: "gcp", ref: "a" }, "i-a", START);
    place("i-a", "gcp", "a");
    await until(START + MINUTE);
    const unread = { name: null, state: "unknown", gpu: null, gpus: null, hourlyCost: null } as const;
    shows(machine("a", unread), machine("b", unread), machine("c", unread));
    await until(START + 20 * MINUTE);
    expect(told()).toEqual([]);
    await until(START + 2 * HOUR);
    expect(told()).toEqual(["c"]);
    expect(alerts()[0]?.message).toContain("state not known since");
    // What was known of it before still counts.
    expect(fleet.inventory.find({ connection: "gcp", ref: "b" })).toMatchObject({
      name: "rig-b",
      memberOf: "cluster 1",
      hourlyCost: 0.5,
    });
  });
});

it("each instance hears in its turn how its machine is listed, though more than a turn takes never take it in", async () => {
  const heard = new Set<string>();
  const INSTANCES = {
    getByName: (name: string) => ({
      noteListed: async () => {
        heard.add(name);
        throw new Error("it can't be read");
      },
    }),
  };
  const refs = Array.from({ length: 250 }, (_, index) => `m-${index}`);
  for (const ref of refs) {
    fleet.machines.claim({ provider: "gcp", ref }, `i-${ref}`, START);
    place(`i-${ref}`, "gcp", ref, "hibernated", START);
  }
  shows(...refs.map((ref) => machine(ref)));
  Object.assign(env, { INSTANCES });
  await until(START + 3 * HOUR);
  Reflect.deleteProperty(env, "INSTANCES");
  expect(heard.size).toBe(250);
});

it("adoptions at the same time register each machine once, and its instance keeps it", async () => {
  const refs = Array.from({ length: 12 }, (_, index) => `projects/project-1/zones/us-a/instances/m-${index}`);
  const registered: string[] = [];
  const INSTANCES = {
    getByName: (name: string) => ({
      register: async () => {
        if (registered.includes(name)) return { outcome: "exists", isLeaving: false };
        registered.push(name);
        return { outcome: "registered", tokenGeneration: 1 };
      },
      noteListed: async () => true,
    }),
  };
  shows(...refs.map((ref) => machine(ref)));
  await until(START + MINUTE);
  const own: Env = Object.assign(Object.create(env), { INSTANCES, INSTANCES_PER_USER: "100" });
  const places = refs.map((ref) => ({ connection: "gcp", ref }));
  await Promise.all([1, 2].map(() => adoptAll(own, USER, fleet, places, true)));
  expect(registered.toSorted()).toEqual(refs.map((_, index) => `${USER}/m-${index}`).toSorted());
  for (const [index, ref] of refs.entries()) {
    expect(fleet.machines.holderOf({ provider: "gcp", ref })).toBe(`m-${index}`);
  }
});

describe("that an account can't be listed", () => {
  const failing = () => {
    list = async () => {
      throw new ProviderError("refused", "its key may not list");
    };
  };
  const told = () => alerts().map(({ kind }) => kind);

  it("is told of credentials that replace refused ones", async () => {
    failing();
    for (let refusals = 0; refusals < 3; refusals++) {
      const trial = { setAt: 1, isCheck: false, outcome: "refused", problem: "401" } as const;
      noteTrial(fleet, "gcp", { ...trial, at: START });
    }
    await until(START + 6 * HOUR);
    expect(told()).toEqual(["connection_refused"]);
    setCredentials(fleet, "gcp", { sealed: "", setAt: START + 6 * HOUR }, null);
    await until(START + 12 * HOUR);
    expect(told()).toEqual(["connection_refused", "listing_failed"]);
  });

  it("is not held against credentials that were set meanwhile, nor noted of a connection that was removed", async () => {
    list = async () => {
      setCredentials(fleet, "gcp", { sealed: "", setAt: 2 }, null);
      throw new ProviderError("refused", "of the former key");
    };
    await listings.listDue(env, USER, fleet);
    expect(fleet.inventory.listing("gcp")).toMatchObject({ failures: 0, problem: null, dueAt: START });
    list = async () => {
      forgetConnection(fleet, "gcp");
      throw new ProviderError("refused", "of the former key");
    };
    await listings.listDue(env, USER, fleet);
    expect(fleet.inventory.listing("gcp")).toBeNull();
  });

  it("is told of a part of it, once a day, unless it passes", async () => {
    const unlisted = [{ name: "zone-b", refPrefix: "zone-b/" }];
    const partly = async () => ({ machines: [], next: null, unlisted });
    list = partly;
    await until(START + MINUTE);
    shows();
    await until(START + HOUR);
    expect(told()).toEqual([]);
    list = partly;
    await until(START + 20 * HOUR);
    expect(told()).toEqual(["listing_failed"]);
    expect(alerts()[0]?.message).toContain("what is in zone-b is not listed");
    await until(START + 30 * HOUR);
    expect(told()).toHaveLength(2);
  });

  it("is told of all that lies beyond the bound", async () => {
    shows(...Array.from({ length: 10_001 }, (_, index) => machine(`${index}`, { state: "stopped" })));
    await until(START + 20 * MINUTE);
    expect(told()).toEqual(["listing_failed"]);
  });
});

describe("of two connections of one account", () => {
  const entry = (connection = "gcp") => fleet.inventory.find({ connection, ref: "a" });

  beforeEach(async () => {
    shows(machine("a"));
    await until(START + MINUTE);
    const second = { id: "c-1", kind: "gcp", name: "Team B", createdAt: START } as const;
    fleet.connections.add(second, { sealed: "", setAt: 1 }, null, 10);
    await until(START + 20 * MINUTE);
    expect(entry()).toMatchObject({ connection: "gcp", isCurrent: true });
    expect(entry("c-1")).toMatchObject({ connection: "c-1", isCurrent: true });
  });

  const refuse = () => {
    for (let refusals = 0; refusals < 3; refusals++) {
      const trial = { setAt: 1, isCheck: false, outcome: "refused", problem: "401" } as const;
      noteTrial(fleet, "gcp", { ...trial, at: START });
    }
  };

  it("the one speaks for a machine that is not refused", () => {
    refuse();
    expect(entry()).toMatchObject({ connection: "c-1", isCurrent: true });
  });

  it("one that is refused keeps no machine that the other lists no more", async () => {
    refuse();
    const lists = list;
    list = async () => ({ machines: [], next: null });
    const gcp = fleet.inventory.of("gcp");
    fleet.inventory.makeDue("gcp", START + 100 * HOUR);
    await until(START + HOUR);
    expect(fleet.inventory.of("gcp")).toMatchObject(gcp.map(({ ref }) => ({ ref, vanishedAt: null })));
    expect(entry()?.vanishedAt).toBeGreaterThan(START);
    list = lists;
    await until(START + 2 * HOUR);
    expect(entry()?.vanishedAt).toBeNull();
  });

  it("the one speaks for a machine whose present credentials have shown it", () => {
    setCredentials(fleet, "gcp", { sealed: "", setAt: Date.now() }, null);
    expect(entry()).toMatchObject({ connection: "c-1", isCurrent: true });
    setCredentials(fleet, "c-1", { sealed: "", setAt: Date.now() }, null);
    expect(entry()).toMatchObject({ isCurrent: false });
  });
});

describe("nothing is listed", () => {
  it("for a user without connections that can be listed", () => {
    const other = makeFleet();
    other.connections.set("webhook", { sealed: "", setAt: 1 }, null);
    other.start(START);
    expect(other.alarmAt).toBeNull();
  });

  it("while the user is suspended, and again afterwards", async () => {
    shows();
    setSuspended(fleet, true, START);
    expect(fleet.state.due.inventoryAt).toBeNull();
    setSuspended(fleet, false, START + HOUR);
    expect(fleet.state.due.inventoryAt).not.toBeNull();
  });
});
