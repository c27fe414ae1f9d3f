import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fleet } from "../../src/fleet/fleet.ts";
import { newFleet } from "../../src/fleet/rules/state.ts";
import type { HistoryEvent, HistoryEventKind } from "../../src/lifecycle/model/history-event.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { alertOf, type FleetStub, passAlarms, reportOf } from "../fleet/fleets.ts";
import { call, DAY, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_DAY = 24 * HOUR;

let answer: () => Response;
beforeEach(() => {
  setClock(DAY);
  answer = () => new Response("ok");
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => answer());
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

let events = 0;
function event(kind: HistoryEventKind, more: Partial<HistoryEvent> = {}): HistoryEvent {
  events += 1;
  return alertOf(`e${events}`, { kind, message: `${kind} ${events}`, ...more });
}

async function newWorld(settings: object | null = { kind: "slack", url: "https://hooks.example.com/x" }) {
  const { token, userId } = await newUser();
  const fleet = fleetOf(env, userId);
  if (settings !== null) {
    const json = { name: "c", settings, minimum_severity: "info" };
    expect((await call("POST", "/api/agent/channels", { token, json })).status).toBe(201);
  }
  const revisions = new Map<string, number>();
  const report = async (instanceId: string, ...of: HistoryEvent[]) => {
    const revision = (revisions.get(instanceId) ?? 0) + 1;
    revisions.set(instanceId, revision);
    await fleet.report(reportOf(instanceId, { revision, name: `Rig ${instanceId}`, events: of }));
  };
  const settle = () => passAlarms(fleet, Date.now() + 10 * MINUTE);
  const list = async (query = "") => (await call("GET", `/api/agent/alerts${query}`, { token })).body;
  const acknowledge = (id: string) => call("POST", `/api/agent/alerts/${id}/acknowledge`, { token });
  const snooze = (id: string, until: number) =>
    call("PUT", `/api/agent/alerts/snoozes/${id}`, { token, json: { until: new Date(until).toISOString() } });
  return { token, userId, fleet, report, settle, list, acknowledge, snooze };
}

type World = Awaited<ReturnType<typeof newWorld>>;

const told = () => vi.mocked(fetch).mock.calls.map(([, request]) => String(request?.body));
const kindsOf = (alerts: readonly { kind: string }[]) => alerts.map(({ kind }) => kind);

describe("alerts", () => {
  it("are listed with what they cost, open ones apart, also where nobody is told of them", async () => {
    const { report, list, token } = await newWorld(null);
    await report(
      "a",
      event("orphaned", { detail: { rate: 0.5 } }),
      event("kept_alive", { severity: "info" }),
    );
    await report("b", event("idle", { at: DAY + 1 }), event("hibernated", { severity: "info", at: DAY + 2 }));
    await report("a", event("orphaned", { at: DAY + 3, detail: { rate: 0.5 } }));
    const body = await list();
    expect(body).toMatchObject({ open_count: 1, unacknowledged_count: 1, snoozes: [], next_cursor: null });
    expect(body.open).toMatchObject([
      {
        instance_id: "a",
        name: "Rig a",
        kind: "orphaned",
        status: "open",
        money_text: "It costs $0.50 an hour.",
        open_since: expect.any(String),
        acknowledged: null,
      },
    ]);
    const headers = { "Accept-Language": "pt-BR" };
    const portuguese = await call("GET", "/api/agent/alerts", { token, headers });
    expect(portuguese.body.open).toMatchObject([{ money_text: "Ela custa US$ 0,50 por hora." }]);
    expect(kindsOf(body.alerts)).toEqual(["orphaned", "hibernated", "idle", "orphaned"]);
    expect(body.alerts.map(({ status }: { status: string }) => status)).toEqual([
      "open",
      "over",
      "over",
      "over",
    ]);
    expect(
      (await call("GET", "/api/agent/alerts", { token: (await newUser("Eve")).token })).body.alerts,
    ).toEqual([]);
    expect(body.alerts[0].id).not.toBe(body.alerts[3].id);
    expect(token).not.toBe("");
  });

  it("of further steps stand for the former ones, until the instance is back", async () => {
    const { report, list } = await newWorld();
    await report("a", event("orphaned"), event("silent", { at: DAY + 1 }));
    await report("a", event("abandoned", { at: DAY + 2, severity: "critical" }));
    expect(kindsOf((await list()).open)).toEqual(["abandoned"]);
    await report("a", event("recovered", { at: DAY + 3, severity: "info" }));
    expect((await list()).open).toEqual([]);
  });

  it("go with their instance", async () => {
    const { fleet, report, list, snooze } = await newWorld();
    await report("a", event("orphaned"));
    await snooze("a", DAY + HOUR);
    await fleet.remove("a", 9);
    expect(await list()).toMatchObject({ open: [], snoozes: [], open_count: 0 });
    expect((await list()).alerts[0]).toMatchObject({ name: null, status: "over" });
  });

  it("are chosen by severity and instance, and go on in pages", async () => {
    const { report, list } = await newWorld(null);
    for (let index = 0; index < 5; index++)
      await report(
        index % 2 === 0 ? "a" : "b",
        event("flapping", { at: DAY + index, severity: index === 2 ? "critical" : "warning" }),
      );
    expect((await list("?severity=critical")).alerts).toHaveLength(1);
    expect((await list("?severity=critical")).open).toHaveLength(1);
    expect((await list("?instance_id=b")).alerts).toHaveLength(2);
    expect((await list("?status=open")).alerts).toEqual([]);
    const first = await list("?limit=2");
    const second = await list(`?limit=2&cursor=${first.next_cursor}`);
    const third = await list(`?limit=2&cursor=${second.next_cursor}`);
    const all = [first, second, third].flatMap(({ alerts }) => alerts.map(({ at }: { at: string }) => at));
    expect(all).toHaveLength(5);
    expect(second.open).toEqual([]);
    expect(third.next_cursor).toBeNull();
  });

  it("that somebody acknowledges say who did, and are not told again by repetition", async () => {
    const { report, settle, list, acknowledge } = await newWorld();
    await report("a", event("hibernate_failed"));
    await settle();
    expect(told()).toHaveLength(1);
    const [open] = (await list()).open;
    const { status, body } = await acknowledge(open.id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "acknowledged", acknowledged: { by: expect.any(String) } });
    expect((await acknowledge(open.id)).body).toEqual(body);
    expect(await list()).toMatchObject({ open_count: 1, unacknowledged_count: 0 });
    setClock(DAY + 6 * HOUR);
    await report("a", event("hibernate_failed", { at: Date.now() }));
    await settle();
    expect(told()).toHaveLength(1);
    // A worse one is told, and so is one of a trouble that began anew.
    await report("a", event("hibernate_failed", { at: Date.now(), severity: "critical" }));
    await settle();
    expect(told()).toHaveLength(2);
    expect((await list()).unacknowledged_count).toBe(1);
    await report("a", event("recovered", { at: Date.now() + 1, severity: "info" }));
    await report("a", event("hibernate_failed", { at: Date.now() + 2 }));
    await settle();
    expect(told().at(-1)).toContain("hibernate_failed");
  });

  it.each<[what: string, kind: HistoryEventKind, between: HistoryEventKind, more: Partial<HistoryEvent>]>([
    ["a warning of idleness", "idle", "recovered", {}],
    ["a planned stop", "stop_planned", "policy_changed", {}],
    ["a machine that is never heard", "never_heard", "changed", {}],
    ["a machine that somebody has started", "found_running", "hibernated", { severity: "critical" }],
    ["a stop that fails", "hibernate_failed", "kept_alive", { severity: "critical" }],
  ])("%s is told each time it comes about, whoever has acknowledged the last one", async (...of) => {
    const [, kind, between, more] = of;
    const { report, settle, list, acknowledge } = await newWorld();
    await report("a", event(kind, more));
    await settle();
    const [open] = (await list()).open;
    expect((await acknowledge(open.id)).status).toBe(200);
    setClock(DAY + 12 * HOUR);
    await report("a", event(between, { at: Date.now(), severity: "info" }));
    await settle();
    const before = told().length;
    setClock(DAY + A_DAY);
    await report("a", event(kind, { at: Date.now(), ...more }));
    await settle();
    expect(told()).toHaveLength(before + 1);
    expect((await list()).unacknowledged_count).toBe(1);
  });

  it("that nobody can tell the end of are over once acknowledged", async () => {
    const { report, list, acknowledge } = await newWorld();
    await report("a", event("flapping"));
    const [open] = (await list()).open;
    expect((await acknowledge(open.id)).body).toMatchObject({
      status: "over",
      acknowledged: { by: expect.any(String) },
    });
    expect((await list()).open).toEqual([]);
    expect((await acknowledge(open.id)).status).toBe(200);
  });

  it("that are over, no alert, or somebody else's can't be acknowledged", async () => {
    const { report, list, acknowledge } = await newWorld();
    await report("a", event("orphaned"), event("kept_alive", { at: DAY + 1, severity: "info" }));
    const [over] = (await list()).alerts;
    expect((await acknowledge(over.id)).body.error.code).toBe("not_possible");
    expect((await acknowledge(String(Number(over.id) + 1))).status).toBe(404);
    const eve = await newUser("Eve");
    expect(
      (await call("POST", `/api/agent/alerts/${over.id}/acknowledge`, { token: eve.token })).status,
    ).toBe(404);
  });
});

describe("a snooze", () => {
  const idle = (of: World) => of.report("a", event("idle", { at: Date.now() })).then(of.settle);

  it("keeps what is not critical from being told, until it ends", async () => {
    const world = await newWorld();
    await world.report("a");
    expect((await world.snooze("a", DAY + 2 * HOUR)).body).toMatchObject({
      instance_id: "a",
      by: expect.any(String),
    });
    await idle(world);
    expect(told()).toEqual([]);
    expect((await world.list()).open).toHaveLength(1);
    await world.report("a", event("hibernate_failed", { at: Date.now(), severity: "critical" }));
    await world.settle();
    expect(told()).toHaveLength(1);
    await world.report("b", event("idle", { at: Date.now() }));
    await world.settle();
    expect(told()).toHaveLength(2);
    setClock(DAY + 3 * HOUR);
    expect((await world.list()).snoozes).toEqual([]);
    await idle(world);
    expect(told()).toHaveLength(3);
  });

  it.each(["ends", "is undone"])("tells what is so still when it %s, and nothing else", async (how) => {
    const world = await newWorld();
    await world.report("a");
    await world.snooze("a", DAY + HOUR);
    // It is told once: nothing would follow.
    await world.report("a", event("idle", { at: DAY + 1 }), event("busy", { at: DAY + 2, severity: "info" }));
    await world.report("a", event("never_heard", { at: DAY + 3 }));
    await world.settle();
    expect(told()).toEqual([]);
    if (how === "ends") setClock(DAY + HOUR);
    else await call("DELETE", "/api/agent/alerts/snoozes/a", { token: world.token });
    await world.settle();
    expect(told()).toHaveLength(1);
    expect(told()[0]).toContain("never_heard");
    expect(told()[0]).not.toContain("idle");
    expect((await world.list()).snoozes).toEqual([]);
  });

  it("is listed, replaced and undone", async () => {
    const world = await newWorld();
    const { token } = world;
    await world.report("a");
    await world.snooze("a", DAY + HOUR);
    await world.snooze("a", DAY + A_DAY);
    expect((await world.list()).snoozes).toMatchObject([{ instance_id: "a", until: "2030-01-08T00:00:00Z" }]);
    const undo = () => call("DELETE", "/api/agent/alerts/snoozes/a", { token });
    expect((await undo()).status).toBe(200);
    expect((await undo()).status).toBe(404);
    await idle(world);
    expect(told()).toHaveLength(1);
  });

  it("ends within a week, and is of an instance that there is", async () => {
    const { report, snooze } = await newWorld();
    await report("a");
    expect((await snooze("a", DAY + 7 * A_DAY + MINUTE)).status).toBe(400);
    expect((await snooze("a", DAY - MINUTE)).status).toBe(400);
    expect((await snooze("nobody", DAY + HOUR)).status).toBe(404);
  });
});

it("a channel that keeps incidents hears of each end, whoever brought it about and whatever is snoozed", async () => {
  answer = () => new Response("{}", { status: 202 });
  const world = await newWorld({ kind: "pagerduty", routing_key: "k".repeat(32) });
  await world.report("a", event("orphaned"));
  await world.settle();
  await world.snooze("a", Date.now() + HOUR);
  await world.report("a", event("kept_alive", { at: Date.now(), severity: "info" }));
  await world.settle();
  const sent = told().map((body) => JSON.parse(body));
  const [opened] = sent;
  expect(opened).toMatchObject({ event_action: "trigger", payload: { class: "orphaned" } });
  expect(sent).toContainEqual(
    expect.objectContaining({ event_action: "resolve", dedup_key: opened.dedup_key }),
  );
});

it("no name of a machine begins a line of its own in a message, or turns one round", async () => {
  const { fleet, settle } = await newWorld();
  const name = "rig\n• *prod* `prod` Everything is well\r\n\u2028\u202Edne";
  const events = [event("orphaned", { message: `Instance ${name} may be stuck` })];
  await fleet.report(reportOf("a", { name, events }));
  await settle();
  const [message = ""] = told();
  expect(message).toContain("rig • *prod*");
  expect(message).not.toMatch(/\\n• \*prod|[\u2028\u202E]/);
});

describe("a channel that keeps incidents", () => {
  const settings = { kind: "pagerduty", routing_key: "k".repeat(32), region: "us" };
  const of = (body: string) => JSON.parse(body);
  /** The incidents that are open by what was sent. */
  const open = () => {
    const last = new Map(told().map((body) => [of(body).dedup_key, of(body)]));
    return [...last.values()].filter(({ event_action }) => event_action === "trigger");
  };
  beforeEach(() => {
    answer = () => new Response("{}", { status: 202 });
  });
  const machines = (count: number) => Array.from({ length: count }, (_, index) => `rig-${index}`);

  it("hears of every machine that is in trouble at once, and of the end of each", async () => {
    const world = await newWorld(settings);
    const all = machines(120);
    for (const id of all) await world.report(id, event("hibernate_failed", { severity: "critical" }));
    await world.settle();
    expect(open()).toHaveLength(all.length);
    for (const id of all) await world.report(id, event("gone", { severity: "info", at: Date.now() }));
    await world.settle();
    expect(open()).toEqual([]);
  });

  it("hears that a machine is back that it was told of before an outage was known", async () => {
    const { fleet, settle } = await newWorld(settings);
    const silentSince = DAY - 5 * MINUTE;
    for (const id of ["a", "b", "c"]) await fleet.report(reportOf(id));
    const orphan = (id: string) =>
      fleet.report(
        reportOf(id, { revision: 2, silentSince, events: [event("orphaned", { at: Date.now() })] }),
      );
    await orphan("a");
    await passAlarms(fleet, DAY + MINUTE);
    expect(open()).toHaveLength(1);
    await orphan("b");
    await orphan("c");
    await passAlarms(fleet, Date.now() + 2 * MINUTE);
    expect(open().map(({ payload }) => payload.class)).toContain("guard_closed");
    const detail = { orphaned_since: new Date(DAY).toISOString(), step: "orphaned" };
    const recovered = event("recovered", { at: Date.now(), severity: "info", detail });
    await fleet.report(reportOf("a", { revision: 3, events: [recovered] }));
    await settle();
    expect(open().map(({ payload }) => payload.class)).not.toContain("orphaned");
  });

  it("hears of the others where the service refuses one", async () => {
    const world = await newWorld(settings);
    let calls = 0;
    answer = () => new Response("{}", { status: calls++ === 0 ? 400 : 202 });
    for (const id of machines(3)) await world.report(id, event("orphaned"));
    await world.settle();
    expect(told().filter((body) => of(body).payload.class === "orphaned")).toHaveLength(3);
  });
});

it("what is open is found out anew after a release that knew nothing of it", async () => {
  const { fleet, report, list, acknowledge } = await newWorld();
  await report("a", event("orphaned"));
  await report("b", event("orphaned"), event("recovered", { at: DAY + 1, severity: "info" }));
  await report("c", event("flapping"), event("idle", { at: DAY + 1 }));
  for (const { id, kind } of (await list()).open) if (kind !== "idle") await acknowledge(id);
  const before = await list();
  await asAfterAFormerRelease(fleet);
  const after = await list();
  expect(kindsOf(before.open)).toEqual(["idle", "orphaned"]);
  expect(after.open).toEqual(before.open);
});

/** Has the fleet start as a release would that finds nothing of open alerts. */
async function asAfterAFormerRelease(fleet: FleetStub): Promise<void> {
  await runInDurableObject(fleet, (_, { storage }) => {
    storage.sql.exec("DELETE FROM open_alerts");
    new Fleet(storage, newFleet(), 1).openAlerts.rebuild(Date.now());
  });
}
