import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import {
  keepAlive,
  listEvents,
  listInstances,
  registerInstance,
  request,
  sendHeartbeat,
  type User,
} from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { FakeSlack } from "../outside/slack.ts";
import { ServerWorld } from "../server/world.ts";

/** A budget drill: real time, a real server, real prices by the second; the control plane and Slack are stand-ins. */

/** An hour of the policy passes in a minute. */
const SPEED = 60;
const INTERVAL_MS = 60_000 / SPEED;

/** Dollars an hour: enough to spend a budget while one watches. */
const HOURLY_COST = 100;

const IDLE = ["idle-a", "idle-b", "idle-c"];
const BUSY = ["busy-a", "busy-b"];
const KEPT = ["kept"];

let plane: ControlPlane;
let slack: FakeSlack;
let world: ServerWorld;
let user: User;
const end = new AbortController();
let beating: Promise<unknown>;

beforeAll(async () => {
  [plane, slack] = await Promise.all([ControlPlane.start(), FakeSlack.start()]);
  world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" });
  user = await world.newOwner(plane);
  await ask("POST", "channels", {
    name: "#gpus",
    minimum_severity: "critical",
    settings: { kind: "slack", url: slack.url },
  });
  const agents = await Promise.all(
    [...IDLE, ...BUSY, ...KEPT].map(async (id) => {
      const token = await registerInstance(world.url, user.token, {
        instance_id: id,
        name: `The ${id}`,
        hourly_cost: HOURLY_COST,
        hibernated_hourly_cost: 0,
        provider: "webhook",
        policy: {
          // Its own ladder warns, and leaves the rest to the budget.
          idle: { hibernate_after_seconds: 86_400 },
          // On a slow machine heartbeats come late: that is neither silence nor too little to be idle by.
          heartbeat_interval_seconds: 120,
          orphan: {
            orphan_after_seconds: 80_000,
            hibernate_after_seconds: 81_000,
            force_hibernate_after_seconds: 82_000,
          },
        },
      });
      return { id, token };
    }),
  );
  beating = Promise.all(agents.map(({ id, token }) => beatOn(id, token)));
});
afterAll(async () => {
  end.abort();
  await beating;
  await world.end();
  await Promise.all([plane.stop(), slack.stop()]);
});

/** Beats once an interval, unless its machine is stopped. */
async function beatOn(id: string, token: string): Promise<void> {
  const gpu_utilization = BUSY.includes(id) ? 90 : 1;
  while (!end.signal.aborted) {
    if (plane.machines.get(id) !== "stopped") {
      await sendHeartbeat(world.url, token, { instance_id: id, gpu_utilization }).catch(() => undefined);
    }
    await sleep(INTERVAL_MS, undefined, { signal: end.signal }).catch(() => undefined);
  }
}

function ask(method: string, path: string, json?: unknown): Promise<unknown> {
  return request(`${world.url}/api/agent/${path}`, method, user.token, json);
}

const planSchema = z.object({
  hibernate: z.number(),
  saves_hourly: z.number().optional(),
  would_save_hourly: z.number().optional(),
  skipped: z.record(z.string(), z.number()),
  instances: z.array(z.object({ instance_id: z.string(), does: z.string(), because: z.string() })),
});

/** What would be hibernated, or is, and what for. */
async function hibernateAll(json: object) {
  const plan = planSchema.parse(await ask("POST", "hibernate-all", json));
  const ids = plan.instances.filter(({ does }) => does === "hibernate").map(({ instance_id }) => instance_id);
  return { ...plan, ids };
}

const budgetSchema = z.object({
  spent_this_month: z.number(),
  rate: z.number(),
  exceeded: z.array(z.string()),
  month_breaks_at: z.string().nullable(),
});

const budget = async () => budgetSchema.parse(await ask("GET", "budget"));

const idsThatAre = async (status: string) =>
  (await listInstances(world.url, user.token))
    .filter((each) => each.status === status)
    .map(({ instance_id }) => instance_id)
    .toSorted();

const ordersToHibernate = () =>
  plane.orders.filter(({ kind }) => kind === "hibernate").map(({ instanceId }) => instanceId);

it("hibernates the idle ones at 100 %, warns of those that work, and does what the dry run said", async () => {
  await keepAlive(world.url, user.token, "kept");
  const onlyIdle = { filter: { only_idle: true } };
  const dryRun = () => hibernateAll({ ...onlyIdle, dry_run: true });
  await expect.poll(async () => (await dryRun()).ids, { timeout: 120_000, interval: 500 }).toEqual(IDLE);

  const { spent_this_month, rate } = await budget();
  expect(rate).toBe(6 * HOURLY_COST);
  // It is used up in ten seconds.
  const month = spent_this_month + (rate * 10) / 3600;
  await ask("PUT", "budget", { month, at_limit: "hibernate_idle" });
  const breaksAt = Date.parse((await budget()).month_breaks_at ?? "");
  expect(Math.abs(breaksAt - Date.now() - 10_000)).toBeLessThan(10_000);
  const said = await dryRun();
  expect(said).toMatchObject({ ids: IDLE, would_save_hourly: 3 * HOURLY_COST });
  expect(plane.orders).toEqual([]);

  await expect.poll(() => idsThatAre("hibernated"), { timeout: 120_000, interval: 500 }).toEqual(said.ids);
  expect((await budget()).exceeded).toEqual(["month"]);
  expect(ordersToHibernate().toSorted()).toEqual(said.ids);
  expect(await idsThatAre("running")).toEqual([...BUSY, ...KEPT]);

  // The owner is told once, of those that go on by name.
  await expect.poll(() => slack.texts.length, { timeout: 60_000 }).toBeGreaterThan(0);
  const told = (await listEvents(world.url, user.token)).filter(({ kind }) => kind === "budget_reached");
  expect(told.map(({ severity }) => severity)).toContain("critical");
  const [used] = told;
  expect(used?.message).toContain("The month's budget is used up");
  expect(used?.message).toContain("Hibernating 3 idle instances. 3 instances go on: ");
  for (const id of BUSY) expect(used?.message).toContain(`The ${id} (working, $100.00 an hour)`);
  expect(used?.message).toContain("The kept (kept alive, $100.00 an hour)");
  expect(slack.texts.filter((text) => text.includes("budget is used up"))).toHaveLength(1);

  // Those that work go on, though the budget stays used up.
  await sleep(20_000);
  expect(await idsThatAre("running")).toEqual([...BUSY, ...KEPT]);
  expect(ordersToHibernate()).toHaveLength(3);

  // The kill switch: its dry run, and then the deed.
  const dry = await hibernateAll({ dry_run: true });
  expect(dry).toMatchObject({
    ids: BUSY,
    would_save_hourly: 2 * HOURLY_COST,
    skipped: { hibernated: 3, kept_alive: 1 },
  });
  const deed = await hibernateAll({});
  expect([deed.ids, deed.saves_hourly]).toEqual([dry.ids, dry.would_save_hourly]);
  await expect
    .poll(() => idsThatAre("hibernated"), { timeout: 120_000, interval: 500 })
    .toEqual([...BUSY, ...IDLE]);
  expect(await idsThatAre("running")).toEqual(KEPT);
  expect(ordersToHibernate().toSorted()).toEqual([...BUSY, ...IDLE]);
  await expect
    .poll(() => ask("GET", "hibernate-all"), { timeout: 30_000 })
    .toMatchObject({
      last: { is_over: true, ended: { ordered: 2 }, not_ordered: [] },
      last_by_budget: { is_over: true, ended: { ordered: 3 }, not_ordered: [] },
    });
});
