import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { seal } from "../../../src/accounts/seal.ts";
import type { Report } from "../../../src/fleet/report.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { listConnections } from "../../../src/providers/connections.ts";
import { openProvider } from "../../../src/providers/registry.ts";
import { DAY, newUser, setClock } from "../../world.ts";
import { listOf, reportOf, rows } from "../fleets.ts";

/** What a fleet reads that the former release, or a newer one, has written. */

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** The fleet of a new user, with these credentials for Vast.ai, as the former release keeps them. */
async function formerFleet(key = "vast-key-0123456789") {
  const { userId } = await newUser();
  const fleet = fleetOf(env, userId);
  await fleet.connections();
  const sealed = await seal(env.SEAL_KEY, `provider/${userId}/vast`, JSON.stringify({ api_key: key }));
  await runInDurableObject(fleet, (_, { storage: { sql } }) => {
    sql.exec("DROP TABLE connections");
    sql.exec("INSERT INTO credentials (kind, sealed, set_at) VALUES ('vast', ?, 5000)", sealed);
  });
  await evictDurableObject(fleet);
  return { userId, fleet };
}

describe("credentials of the former release", () => {
  it("are the first connection of their kind, with its name, and open the provider as before", async () => {
    const { userId } = await formerFleet();
    expect(await listConnections(env, userId)).toEqual([
      {
        id: "vast",
        kind: "vast",
        name: "Vast.ai",
        createdAt: 5000,
        setAt: 5000,
        checkedAt: null,
        problem: null,
        refusals: 0,
      },
    ]);
    const asked = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response('{"instances":null}'));
    const { provider, credentialsSetAt } = await openProvider(env, userId, "vast");
    const sighting = await provider.status({ ref: "1", instanceId: "rig", actionId: "a" });
    expect([sighting, credentialsSetAt]).toEqual([{ state: "missing" }, 5000]);
    const headers = new Headers(asked.mock.calls[0]?.[1]?.headers);
    expect(headers.get("Authorization")).toBe("Bearer vast-key-0123456789");
  });

  it("are not refused for what was noted of those before them", async () => {
    const { userId, fleet } = await formerFleet();
    const refused = { at: 6000, isCheck: false, outcome: "refused", problem: "bad key" } as const;
    for (let time = 1; time <= 3; time++) await fleet.noteTrial("vast", { ...refused, setAt: 5000 });
    expect(await listConnections(env, userId)).toMatchObject([{ refusals: 3, problem: "bad key" }]);
    // A call that was under way with the former ones.
    await runInDurableObject(fleet, (_, { storage }) => {
      storage.sql.exec("UPDATE credentials SET set_at = 7000");
    });
    await fleet.noteTrial("vast", { ...refused, setAt: 5000 });
    expect(await listConnections(env, userId)).toMatchObject([
      { refusals: 0, problem: null, name: "Vast.ai" },
    ]);
  });
});

it("a connection to a provider that only a newer version knows is left alone, and hides no other", async () => {
  const { userId, fleet } = await formerFleet();
  await fleet.connections();
  await runInDurableObject(fleet, (_, { storage: { sql } }) => {
    sql.exec("INSERT INTO credentials (kind, sealed, set_at) VALUES ('c-1', '', 1), ('c-2', '', 1)");
    sql.exec("INSERT INTO connections VALUES ('c-1', 'toaster', 'Kitchen', 1, NULL, NULL, 0, 1)");
  });
  expect(await listConnections(env, userId)).toMatchObject([{ id: "vast" }]);
  expect(await fleet.credentials("c-1")).toBeNull();
  expect(await fleet.removeConnection("c-1")).toBe("unknown");
  await expect(openProvider(env, userId, "vast@c-2")).rejects.toMatchObject({ code: "unauthorised" });
});

describe("a report", () => {
  /** As an instance of the former release words it, which passes its provider on as it is stored. */
  function formerReport(instanceId: string, provider: string): Report {
    const report = reportOf(instanceId, { providerRef: `m-${instanceId}` });
    const { connection: _, ...view } = report.row.view;
    return { ...report, row: { ...report.row, view: { ...view, provider } as Report["row"]["view"] } };
  }

  it("of an instance of the former release is shown with its connection", async () => {
    const { fleet } = await formerFleet();
    await fleet.report(formerReport("one", "vast"));
    await fleet.report(formerReport("two", "vast@c-1"));
    await fleet.report(formerReport("zero", "agent"));
    const shown = (await listOf(fleet)).map(({ provider, connection }) => [provider, connection]);
    expect(shown).toEqual([
      ["vast", "vast"],
      ["vast", "c-1"],
      ["agent", null],
    ]);
    const listed = (await fleet.listedAfter("", 9)).map(({ view }) => [view.provider, view.connection]);
    expect(listed).toEqual(shown);
    expect(await listOf(fleet, { provider: "vast" })).toHaveLength(2);
    expect(await listOf(fleet, { provider: "vast@c-1" })).toHaveLength(1);
    expect(await rows(fleet, "SELECT provider, ref FROM machines ORDER BY ref")).toEqual([
      { provider: "vast", ref: "m-one" },
      { provider: "vast", ref: "m-two" },
    ]);
  });

  it("keeps its connection although a fleet of the former release wrote the kind alone", async () => {
    const { fleet } = await formerFleet();
    const report = reportOf("one", { provider: "vast" });
    const view = { ...report.row.view, connection: "c-1" };
    await fleet.report({ ...report, row: { ...report.row, view } });
    expect(await rows(fleet, "SELECT provider FROM instances")).toEqual([{ provider: "vast@c-1" }]);
    expect(await fleet.hasInstanceOf("vast")).toBe(false);
    await runInDurableObject(fleet, (_, { storage }) => {
      storage.sql.exec("UPDATE instances SET provider = 'vast'");
    });
    expect(await fleet.hasInstanceOf("vast@c-1")).toBe(true);
    expect(await fleet.hasInstanceOf("vast@c-2")).toBe(false);
  });
});
