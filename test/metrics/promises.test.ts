import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NEWEST_MIGRATION } from "../../src/history/standing.ts";
import type { InstanceActor } from "../../src/instance/actor.ts";
import { withProgress } from "../../src/instance/attempts.ts";
import { HeldEffects } from "../../src/instance/held.ts";
import { SHARDS, shardNumbered } from "../../src/service/address.ts";
import { readService } from "../../src/service/service.ts";
import { outboxOf } from "../instance/outbox-of.ts";
import { introspectOrders } from "../orders/introspect.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

/** What the operator's metrics say of promises that break: see the table of docs/monitoring.md. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let now = DAY;

beforeEach(() => {
  now += 24 * HOUR;
  setClock(now);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

mayLog(/outbox not delivered|unreadable/);

/** By how much a counter has grown since the last look, once what is gathered in memory is handed over. */
async function counted(key: string): Promise<number> {
  // The next count after fifteen seconds takes along what was gathered before.
  setClock(Date.now() + 20_000);
  await call("POST", "/api/agent/status", { token: "x.y.z", json: {} });
  for (let shard = 0; shard < SHARDS; shard++) await runDurableObjectAlarm(shardNumbered(env, shard));
  return (await readService(env)).counts[key] ?? 0;
}

async function grows(key: string, by: number, when: () => Promise<unknown>): Promise<void> {
  const before = await counted(key);
  await when();
  await expect.poll(async () => (await counted(key)) - before, { timeout: 60_000 }).toBe(by);
}

describe("the operator's counters", () => {
  it("count what happens to instances by its kind", async () => {
    const user = await newUser();
    await grows('events{"kind":"kept_alive"}', 2, async () => {
      const one = await Instance.register(user, "rig");
      await one.ask("POST", "/keep-alive");
      await one.ask("POST", "/keep-alive");
      for (let beat = 0; beat < 5; beat++) await one.heartbeat();
    });
  });

  it("count an alarm that fires far too late, and no other", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await grows("alarms_late{}", 1, async () => {
      for (const lateMs of [MINUTE, 11 * MINUTE]) {
        const alarm = { scheduledTime: Date.now() - lateMs, isRetry: false, retryCount: 0 };
        await runInDurableObject<InstanceActor, void>(one.actor, (actor) => actor.alarm(alarm));
      }
    });
  });

  it("count an order whose end nobody told", async () => {
    await using _ = await introspectOrders();
    vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({ state: "running" }));
    const user = await newUser();
    await call("PUT", "/api/agent/providers/webhook?verify=false", {
      token: user.token,
      json: { url: "https://plane.example.com/", secret: `whsec_${btoa("0".repeat(32))}` },
    });
    const one = await Instance.register(user, "rig", { provider: "webhook" });
    await one.heartbeat();
    await grows("orders_overdue{}", 1, async () => {
      await one.ask("POST", "/hibernate");
      const begun = Date.now();
      while (Date.now() < begun + 130 * MINUTE) {
        await one.until(Date.now() + 5 * MINUTE);
        await one.heartbeat();
      }
      expect(await one.status()).toBe("running");
    });
  });

  it("count what an instance gives up once, by who did not take it", async () => {
    const one = await Instance.register(await newUser(), "rig", { policy: { orphan: { enabled: false } } });
    await one.settled();
    const begun = Date.now();
    await runInDurableObject(one.actor, (_, { storage: { sql } }) => {
      new HeldEffects(sql).hold(withProgress(outboxOf("chunk", "event"), []), begun);
      // As after a rollback: nobody takes what can't be read.
      sql.exec(`UPDATE held SET pending = '{}'`);
    });
    await evictDurableObject(one.actor);
    const toFleet = 'deliveries_given_up{"target":"fleet"}';
    const before = await counted(toFleet);
    await grows('deliveries_given_up{"target":"history"}', 1, async () => {
      await one.heartbeat();
      await one.until(begun + 7 * 24 * HOUR + HOUR);
    });
    expect((await counted(toFleet)) - before).toBe(1);
  });

  it("count a request that fails by our own fault, and no refusal", async () => {
    const { token } = await newUser();
    await grows("request_failures{}", 1, async () => {
      const down = vi.spyOn(Object.getPrototypeOf(env.DB), "prepare").mockImplementation(() => {
        throw new Error("D1_ERROR");
      });
      expectLogged(/request failed/);
      expect((await call("GET", "/api/admin/users", { token: ADMIN_TOKEN })).status).toBe(503);
      down.mockRestore();
      expect((await call("GET", "/api/agent/instances/none", { token })).status).toBe(404);
    });
  });

  it("begin at 0 where a rule watches for a first time, and tell how the databases stand", async () => {
    setClock(Date.now() + 20_000);
    const { body } = await call("GET", "/metrics", { token: ADMIN_TOKEN });
    for (const line of [
      'dumont_service_deliveries_given_up_total{target="order"} 0',
      'dumont_service_events_total{kind="found_running"} 0',
      'dumont_service_actions_total{kind="delete",outcome="failed"} 0',
      'dumont_service_alerts_given_up_total{channel="slack"} 0',
      'dumont_service_differences_total{difference="alarm_lost"} 0',
      "dumont_service_databases_unfit 0",
    ]) {
      expect(body).toContain(`\n${line}\n`);
    }
    expect(body).toContain(`migration="${NEWEST_MIGRATION}"`);
    setClock(Date.now() + 20_000);

    await env.DB.prepare("UPDATE d1_migrations SET name = '0000_' || id").run();
    const behind = await call("GET", "/metrics", { token: ADMIN_TOKEN });
    expect(behind.body).toContain("\ndumont_service_databases_unfit 1\n");
  });
});
