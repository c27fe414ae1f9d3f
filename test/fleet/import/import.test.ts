import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { mayLog } from "../../quiet.ts";
import { DAY, setClock } from "../../world.ts";
import { alertOf, type FleetStub, passAlarms, refusalOf, reportOf, rows, stateOf } from "../fleets.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY_MS = 24 * 60 * MINUTE;

mayLog(/"kind":"guard_(closed|opened)"/);
// Its credentials are made up.
mayLog(/machines could not be listed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const insert = (table: string, row: Record<string, unknown>) => {
  const columns = Object.keys(row);
  return env.DB.prepare(
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  ).bind(...Object.values(row));
};

/** Six minutes ago three of four fell silent, and the guard closed; a channel has two alerts to hear of. */
async function keepInD1(userId: string): Promise<void> {
  const instance = (id: string, status: string, more: Record<string, unknown> = {}) =>
    insert("instances", {
      user_id: userId,
      instance_id: id,
      name: `Rig ${id}`,
      provider: "webhook",
      provider_ref: `m-${id}`,
      policy: "{}",
      status,
      registered_at: 5,
      revision: 40,
      ...more,
    });
  const silent = { silent_since: DAY - 6 * MINUTE, orphaned_since: DAY - MINUTE };
  const event = (id: string, severity: string, notice: string | null, at = DAY - MINUTE) =>
    insert("events", {
      user_id: userId,
      at,
      instance_id: "a",
      id,
      kind: "delete_failed",
      severity,
      message: `Message ${id}`,
      detail: "{}",
      notice,
    });
  const guard = { user_id: userId, closed_at: DAY - MINUTE, opened_at: 7, seen_from: DAY - 16 * MINUTE };
  await env.DB.batch([
    insert("users", {
      id: userId,
      name: "Ada",
      policy: JSON.stringify({ idle: { warn_after_seconds: 90 } }),
      policy_version: 4,
      created_at: 1,
    }),
    instance("a", "orphaned", silent),
    instance("b", "orphaned", silent),
    instance("c", "hibernated", silent),
    instance("d", "running", { policy: JSON.stringify({ idle: { enabled: false } }), hourly_cost: 2.5 }),
    instance("e", "hibernated"),
    instance("f", "deleted"),
    insert("guards", { ...guard, silent_from: DAY - MINUTE }),
    insert("outage_votes", { ...guard, seen_at: DAY - 6 * MINUTE }),
    insert("hibernation_counts", { user_id: userId, reason: "idle", hibernations: 7, regretted: 2 }),
    insert("channels", {
      user_id: userId,
      id: "c-1",
      kind: "slack",
      name: "ops",
      minimum_severity: "info",
      settings: "sealed",
      origin: "https://dumont.test",
      created_at: 3,
      last_delivery: JSON.stringify({ at: 9, delivered: true, detail: "200 ok" }),
    }),
    insert("machines", {
      user_id: userId,
      provider: "webhook",
      ref: "m-a",
      instance_id: "a",
      claimed_at: 11,
    }),
    insert("providers", { user_id: userId, kind: "vast", credentials: "sealed", updated_at: 12 }),
    event("told", "warning", "digest-1"),
    event("quiet", "info", null),
    event("old", "info", null, DAY - 31 * DAY_MS),
    event("waits", "warning", "pending"),
    event("waits-critical", "critical", "pending"),
    // Another user's things stay where they are.
    insert("channels", {
      user_id: `${userId}-other`,
      id: "c-1",
      kind: "slack",
      name: "other",
      minimum_severity: "info",
      settings: "sealed",
      origin: "",
      created_at: 3,
    }),
  ]);
}

/** All that was taken over, apart from when it was. */
async function takenOver(fleet: FleetStub) {
  const { guard, vote, policy, hibernations, awake, instancesByStatus, digest } = await stateOf(fleet);
  return {
    state: { guard, vote, policy, hibernations, awake, instancesByStatus, digest },
    instances: await rows(
      fleet,
      "SELECT instance_id, revision, name, provider_ref, status, silent_since, orphaned_since, overrides FROM instances",
    ),
    silences: await rows(fleet, "SELECT * FROM silences ORDER BY counted"),
    events: await rows(fleet, "SELECT id, told FROM events ORDER BY id"),
    channels: await fleet.channels(),
    machines: await rows(fleet, "SELECT * FROM machines"),
    credentials: await fleet.credentials("vast"),
  };
}

const silentRow = { silent_since: DAY - 6 * MINUTE, orphaned_since: DAY - MINUTE, overrides: "{}" };
const loudRow = { silent_since: null, orphaned_since: null, overrides: "{}" };
const named = (id: string, status: string) => ({
  instance_id: id,
  revision: 40,
  name: `Rig ${id}`,
  provider_ref: `m-${id}`,
  status,
});
const kept = { closedAt: DAY - MINUTE, openedAt: 7, seenFrom: DAY - 16 * MINUTE };
const silence = {
  epoch: 0,
  bucket: (DAY - 6 * MINUTE) / MINUTE,
  instances: 3,
  first_orphaned_since: DAY - MINUTE,
};

const EXPECTED = {
  state: {
    guard: { ...kept, silentFrom: DAY - MINUTE },
    vote: { ...kept, seenAt: DAY - 6 * MINUTE },
    policy: { overrides: { idle: { warn_after_seconds: 90 } }, version: 4 },
    hibernations: { idle: { hibernations: 7, regretted: 2 } },
    awake: 1,
    instancesByStatus: { orphaned: 2, hibernated: 2, running: 1, deleted: 1 },
    digest: {
      criticalAt: DAY,
      quietUntil: null,
      ordinary: { at: DAY + 30 * SECOND, latestAt: DAY + 105 * SECOND },
    },
  },
  instances: [
    { ...named("a", "orphaned"), ...silentRow },
    { ...named("b", "orphaned"), ...silentRow },
    { ...named("c", "hibernated"), ...silentRow },
    { ...named("d", "running"), ...loudRow, overrides: '{"idle":{"enabled":false}}' },
    { ...named("e", "hibernated"), ...loudRow },
    { ...named("f", "deleted"), ...loudRow },
  ],
  silences: [
    { counted: "guard", ...silence },
    { counted: "vote", ...silence },
  ],
  events: [
    { id: "quiet", told: "nobody" },
    { id: "told", told: "digest-1" },
    { id: "waits", told: "pending" },
    { id: "waits-critical", told: "pending" },
  ],
  channels: [
    {
      id: "c-1",
      kind: "slack",
      name: "ops",
      minimumSeverity: "info",
      createdAt: 3,
      confirmed: true,
      lastDelivery: { at: 9, delivered: true, detail: "200 ok" },
      paused: null,
    },
  ],
  machines: [{ provider: "webhook", ref: "m-a", instance_id: "a", claimed_at: 11 }],
  credentials: {
    sealed: "sealed",
    setAt: 12,
    connection: expect.objectContaining({ id: "vast", kind: "vast", name: "Vast.ai", createdAt: 12 }),
  },
};

describe("what D1 knew of a user", () => {
  it("is taken over at the fleet's first start, and only then", async () => {
    await keepInD1("import-once");
    const fleet = fleetOf(env, "import-once");
    expect(await fleet.policy()).toEqual(EXPECTED.state.policy);
    expect(await takenOver(fleet)).toEqual(EXPECTED);

    await env.DB.batch([
      env.DB.prepare("DELETE FROM instances WHERE user_id = 'import-once'"),
      env.DB.prepare("UPDATE users SET policy_version = 9 WHERE id = 'import-once'"),
    ]);
    await evictDurableObject(fleet);
    expect(await fleet.policy()).toEqual(EXPECTED.state.policy);
    expect(await takenOver(fleet)).toEqual(EXPECTED);
  });

  it("is nothing for a new user, whose fleet then waits for nothing", async () => {
    const fleet = fleetOf(env, "import-nothing");
    expect(await fleet.policy()).toEqual({ overrides: {}, version: 0 });
    expect(await fleet.instanceIds("", 10)).toEqual([]);
    expect(await runInDurableObject(fleet, (_, { storage }) => storage.getAlarm())).toBeNull();
  });

  it("goes on: the guard opens by what is reported then, and an older report changes nothing", async () => {
    const fleet = fleetOf(env, "import-guard");
    await keepInD1("import-guard");
    await fleet.report(reportOf("a", { revision: 39 }));
    expect((await stateOf(fleet)).guard.closedAt).toBe(DAY - MINUTE);
    await fleet.report(reportOf("a", { revision: 40, provider: "webhook", providerRef: "m-a" }));
    await fleet.report(reportOf("b", { revision: 41, provider: "webhook", providerRef: "m-b" }));
    expect((await stateOf(fleet)).guard).toMatchObject({ closedAt: null, openedAt: DAY });
    expect((await fleet.events(null, 1)).entries.map(({ kind }) => kind)).toEqual(["guard_opened"]);
  });

  it("says nothing of who could not report before: a step waits until they had the time to", async () => {
    vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockResolvedValue("known");
    const fleet = fleetOf(env, "import-deaf");
    await keepInD1("import-deaf");
    await env.DB.prepare(
      "DELETE FROM instances WHERE user_id = 'import-deaf' AND instance_id IN ('b', 'c')",
    ).run();
    await env.DB.prepare("DELETE FROM guards WHERE user_id = 'import-deaf'").run();
    const ask = async () => {
      const asking = { revision: 41, silentSince: DAY - 6 * MINUTE, questions: ["hibernate"] as const };
      return (await fleet.report(reportOf("a", asking))).answers;
    };
    expect(await ask()).toEqual([{ step: "hibernate", answer: { held: true } }]);
    await passAlarms(fleet, DAY + 4 * MINUTE);
    setClock(DAY + 4 * MINUTE);
    expect(await ask()).toEqual([{ step: "hibernate", answer: { held: false, openedAt: null } }]);
  });

  it("begins anew after it was cut off, wherever that was, and then holds everything once", async () => {
    mayLog(/fleet not started/);
    const steps: [string, "batch" | "prepare", RegExp | number][] = [
      ["account", "batch", 1],
      ["instances", "prepare", /^SELECT \* FROM instances/],
      ["events", "prepare", /FROM events\s+WHERE user_id/],
      ["claim", "prepare", /^UPDATE events /],
    ];
    for (const [name, method, when] of steps) {
      const userId = `import-cut-${name}`;
      await keepInD1(userId);
      const prototype = Object.getPrototypeOf(env.DB);
      const original = prototype[method];
      const spy = vi.spyOn(prototype, method).mockImplementation(function (this: unknown, ...of: unknown[]) {
        if (typeof when === "number" || when.test(String(of[0]))) throw new Error("cut off");
        return Reflect.apply(original, this, of);
      });
      const fleet = fleetOf(env, userId);
      expect(await refusalOf(fleet, (actor) => actor.policy()), name).toContain("cut off");
      spy.mockRestore();
      await evictDurableObject(fleet);
      await fleet.policy();
      expect(await takenOver(fleet), name).toEqual(EXPECTED);
    }
  });

  it("goes on after the last page that was taken over", async () => {
    mayLog(/fleet not started/);
    const userId = "import-pages";
    await env.DB.prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4500)
       INSERT INTO instances (user_id, instance_id, name, provider, policy, status, registered_at, revision)
       SELECT ?, printf('rig-%05d', n), 'Rig', 'webhook', '{}', 'running', 1, 1 FROM numbers`,
    )
      .bind(userId)
      .run();
    const prototype = Object.getPrototypeOf(env.DB);
    const { prepare } = prototype;
    let pages = 0;
    let isCut = true;
    const spy = vi.spyOn(prototype, "prepare").mockImplementation(function (this: unknown, ...of: unknown[]) {
      if (String(of[0]).startsWith("SELECT * FROM instances")) {
        pages += 1;
        if (pages === 2 && isCut) throw new Error("cut off");
      }
      return Reflect.apply(prepare, this, of);
    });
    const fleet = fleetOf(env, userId);
    expect(await refusalOf(fleet, (actor) => actor.policy())).toContain("cut off");
    // Should nobody ask, the alarm goes on with it.
    expect(await runInDurableObject(fleet, (_, { storage }) => storage.getAlarm())).toBe(DAY + 30 * SECOND);
    await evictDurableObject(fleet);
    isCut = false;
    pages = 0;
    await fleet.policy();
    spy.mockRestore();
    expect(pages).toBe(2);
    expect(await stateOf(fleet)).toMatchObject({ awake: 4500, instancesByStatus: { running: 4500 } });
    expect(await rows(fleet, "SELECT COUNT(*) AS n FROM instances")).toEqual([{ n: 4500 }]);
    expect(await rows(fleet, "SELECT * FROM import")).toEqual([]);
  });

  it("does not wait for good for a D1 that does not answer, and is tried again", async () => {
    mayLog(/fleet not started/);
    const userId = "import-hanging";
    await keepInD1(userId);
    const batch = vi
      .spyOn(Object.getPrototypeOf(env.DB), "batch")
      .mockImplementation(() => new Promise(() => {}));
    const fleet = fleetOf(env, userId);
    expect(await refusalOf(fleet, (actor) => actor.policy())).toContain("no answer within");
    batch.mockRestore();
    await fleet.policy();
    expect(await takenOver(fleet)).toEqual(EXPECTED);
  });

  it("that was all written but for the state's row is taken over again, with the alerts it had claimed", async () => {
    const userId = "import-cut-last";
    await keepInD1(userId);
    const fleet = fleetOf(env, userId);
    await fleet.policy();
    await runInDurableObject(fleet, (_, { storage }) => void storage.sql.exec("DELETE FROM fleet"));
    await evictDurableObject(fleet);
    await fleet.policy();
    expect(await takenOver(fleet)).toEqual(EXPECTED);
  });

  it.each([
    [
      "account",
      "UPDATE users SET policy = 'no JSON' WHERE id = ?",
      "UPDATE users SET policy = ? WHERE id = ?",
    ],
    [
      "guard",
      "UPDATE guards SET seen_from = 'soon' WHERE user_id = ?",
      "UPDATE guards SET seen_from = ? WHERE user_id = ?",
    ],
    [
      "vote",
      "UPDATE outage_votes SET seen_from = 'soon' WHERE user_id = ?",
      "UPDATE outage_votes SET seen_from = ? WHERE user_id = ?",
    ],
  ])("is not begun without its %s, if that is there and can't be read", async (name, spoil, mend) => {
    mayLog(/fleet not started/);
    const userId = `import-unreadable-${name}`;
    await keepInD1(userId);
    await env.DB.prepare(spoil).bind(userId).run();
    const fleet = fleetOf(env, userId);
    expect(await refusalOf(fleet, (actor) => actor.policy())).toMatch(/Invalid input|expected JSON/);
    const right =
      name === "account" ? JSON.stringify(EXPECTED.state.policy.overrides) : EXPECTED.state.guard.seenFrom;
    await env.DB.prepare(mend).bind(right, userId).run();
    await fleet.policy();
    expect(await takenOver(fleet)).toEqual(EXPECTED);
  });

  it("is told by the fleet, once, and by no digest of the former version", async () => {
    vi.spyOn(InstanceActor.prototype, "setUserPolicy").mockResolvedValue("known");
    const userId = "import-told";
    await keepInD1(userId);
    const fleet = fleetOf(env, userId);
    const created: string[] = [];
    vi.spyOn(Object.getPrototypeOf(env.ALERT_DELIVERY), "create").mockImplementation((async ({
      params,
    }: {
      params: { notice: { title: string } };
    }) => {
      created.push(params.notice.title);
    }) as never);
    await fleet.policy();
    const { results } = await env.DB.prepare("SELECT id FROM events WHERE user_id = ? AND notice = 'pending'")
      .bind(userId)
      .all();
    expect(results).toEqual([]);
    await passAlarms(fleet, DAY + 5 * MINUTE);
    expect(created).toEqual(["Rig a: Message waits-critical", "Rig a: Message waits"]);
    // The instance's outbox may bring an event that it had brought before.
    const again = { severity: "warning", message: "Message waits", at: DAY - MINUTE } as const;
    await fleet.report(
      reportOf("a", {
        revision: 41,
        provider: "webhook",
        providerRef: "m-a",
        silentSince: DAY - 6 * MINUTE,
        events: [alertOf("waits", again)],
      }),
    );
    await passAlarms(fleet, DAY + 10 * MINUTE);
    expect(created).toEqual(["Rig a: Message waits-critical", "Rig a: Message waits"]);
  });

  it("asks each instance to report, by the alarm", async () => {
    await keepInD1("import-asks");
    const fleet = fleetOf(env, "import-asks");
    const asked: string[] = [];
    await runInDurableObject(env.INSTANCES.getByName("nobody/rig"), (actor) => {
      vi.spyOn(Object.getPrototypeOf(actor), "setUserPolicy").mockImplementation(async function (
        this: unknown,
      ) {
        asked.push(String(Reflect.get(Object(this), "ctx").id.name));
      });
    });
    await fleet.policy();
    expect(asked).toEqual([]);
    await passAlarms(fleet, DAY + MINUTE);
    expect(asked.sort()).toEqual(["a", "b", "c", "d", "e", "f"].map((id) => `import-asks/${id}`));
  });
});
