import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import * as current from "../../scripts/server.ts";
import { FakeHttp } from "../outside/http.ts";
import { ServerWorld } from "../server/world.ts";
import { type FormerVersion, renameClass, unpack } from "./former-version.ts";
import { NEW_READINGS, NEW_SETTINGS, withoutFields } from "./without-fields.ts";

/**
 * A service of before the fleets, with users in every state, is stopped and goes on under this version, and then under the
 * former one again. Both are real servers on one state folder.
 */

/** A minute of the policies is a second. */
const SPEED = 60;

const DAY_SECONDS = 86_400;

/** Steps of Ada's and Carol's instances lie far beyond the test, but for those that an instance's own policy brings near. */
const PATIENT = {
  idle: { warn_after_seconds: 120, hibernate_after_seconds: DAY_SECONDS },
  orphan: {
    orphan_after_seconds: 2 * DAY_SECONDS,
    hibernate_after_seconds: 3 * DAY_SECONDS,
    force_hibernate_after_seconds: 4 * DAY_SECONDS,
    delete_after_days: 30,
  },
  guard: { minimum_instances: 100 },
};

/** As instances of Ada are called after what they are at the upgrade. `rig` runs, and Bob has one of the same id. */
const OWN_POLICIES: Readonly<Record<string, object>> = {
  registered: {},
  rig: {},
  idle: {},
  orphaned: { orphan: { orphan_after_seconds: 180 } },
  hibernating: {},
  hibernated: {},
  "hibernated-for-silence": { orphan: { orphan_after_seconds: 180, hibernate_after_seconds: 240 } },
  deleting: {
    orphan: {
      orphan_after_seconds: 180,
      hibernate_after_seconds: 240,
      force_hibernate_after_seconds: 300,
      delete_after_days: 0.01,
    },
  },
};

const BOBS_POLICY = {
  orphan: { orphan_after_seconds: 180, hibernate_after_seconds: 300 },
  guard: { window_seconds: 3600, max_hold_seconds: DAY_SECONDS },
};
const BOBS = ["rig", "rig-2", "rig-3"];

/** The service's counters stood in an object of this class and name. */
const COUNTERS = { former: "ServiceMeter", now: "ServiceActor", object: "service" } as const;

/** Alerts that are not critical are told after a window of 30 s, and a little later while more come. */
const DIGEST_MS = 45_000;

let former: FormerVersion;
let world: ServerWorld;
let plane: ControlPlane;
let receiver: FakeHttp;
let ada: User;
let bob: User;
let carol: User;
let before: Snapshot;
const tokens = new Map<string, string>();

beforeAll(async () => {
  former = await unpack("before-fleets");
  plane = await ControlPlane.start();
  receiver = await FakeHttp.start(() => ({ status: 204, body: "" }));
});
afterAll(async () => {
  await world?.end();
  await Promise.all([plane?.stop(), receiver?.stop(), former?.remove()]);
});

const api = (user: User, path: string, method = "GET", json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, user.token, json);

const key = (user: User, id: string) => `${user.id}/${id}`;

async function register(user: User, id: string, policy: object): Promise<void> {
  const registration = { instance_id: id, name: `${id} of ${user.id}`, provider: "webhook", policy };
  const costs = { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 };
  tokens.set(key(user, id), await registerInstance(world.url, user.token, { ...registration, ...costs }));
}

async function beat(user: User, id: string, gpu = 90): Promise<void> {
  await sendHeartbeat(world.url, tokens.get(key(user, id)) ?? "", { instance_id: id, gpu_utilization: gpu });
}

/** What passes with time alone. */
const passing = [
  "seconds_since_heartbeat",
  "missed_heartbeats",
  "uptime_percent",
  "cost_today",
  "gpu_trend",
  "alert",
  "because",
  "in_seconds",
];

const detailSchema = z
  .looseObject({ instance_id: z.string(), status: z.string(), lifecycle: z.looseObject({}) })
  .transform(({ lifecycle, ...detail }) => ({ ...without(detail), lifecycle: without(lifecycle) }));

function without(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !passing.includes(name)));
}

type Seen = Awaited<ReturnType<typeof lookAt>>;

/** While an outage lasts, its steps are tried again every few seconds: then events are added, and deadlines move. */
function duringOutage({ instances, events, ...rest }: Seen) {
  return {
    ...rest,
    instances: instances.map(({ detail: { lifecycle, ...detail }, heartbeats }) => ({
      detail,
      heartbeats,
      next_step: lifecycle.next_step,
    })),
  };
}

const listSchema = z.object({
  instances: z.array(z.looseObject({ instance_id: z.string(), status: z.string() })),
  guard: z.object({ state: z.string(), closed_at: z.string().nullable() }),
});

const eventSchema = z.looseObject({
  id: z.string(),
  instance_id: z.string().nullable(),
  kind: z.string(),
  at: z.string(),
});

type Snapshot = Awaited<ReturnType<typeof look>>;

/** All that the API says of the three users. */
async function look() {
  const users = await Promise.all([ada, bob, carol].map(lookAt));
  return { users, service: await serviceCounters() };
}

/** Fields that the former version does not know. */
const NEW_FIELDS: ReadonlySet<string> = new Set([
  ...NEW_SETTINGS,
  ...NEW_READINGS,
  "connection",
  "control",
  "running_cost",
  "use",
  "utilization_max",
  "quiet_since",
  "power_watts",
  "power_limit_watts",
  "compute_processes",
  "hibernated_cost",
  "hibernated_cost_source",
  "stopped_risks",
  "wake_failed",
  "reclaimed",
  "tags",
  // Told otherwise: a machine that reports nothing costs money too.
  "cost_today",
  "cost_source",
  "rate",
  "rate_source",
  "wasted_today",
  "cost_total",
  "wasted_total",
]);

const impossible = z.looseObject({ lifecycle: z.looseObject({ blocked_by: z.literal("no_provider") }) });

/** An answer without them, and without the times of steps that nobody can carry out, which the former version shows. */
function asBefore(answer: unknown): unknown {
  const known = asBeforeNeverHeard(withoutFields(answer, NEW_FIELDS));
  const { data } = impossible.safeParse(known);
  return data === undefined ? known : { ...data, lifecycle: { ...data.lifecycle, at: null } };
}

/** An answer without the deadline that an instance which was never heard has since. */
function asBeforeNeverHeard(known: unknown): unknown {
  const { data } = z
    .looseObject({ lifecycle: z.looseObject({ next_step: z.literal("never_heard") }) })
    .safeParse(known);
  return data === undefined
    ? known
    : { ...data, lifecycle: { ...data.lifecycle, next_step: null, at: null } };
}

async function lookAt(user: User) {
  const list = listSchema.parse(await api(user, "/instances?limit=500"));
  const instances: { detail: z.infer<typeof detailSchema>; events: unknown; heartbeats: unknown }[] = [];
  for (const { instance_id: id } of list.instances) {
    instances.push({
      detail: detailSchema.parse(asBefore(await api(user, `/instances/${id}`))),
      events: await api(user, `/instances/${id}/events?limit=500`),
      heartbeats: asBefore(await api(user, `/instances/${id}/heartbeats?limit=1000`)),
    });
  }
  const savings = z.object({
    in_all: z.object({ saved_total: z.number(), hibernated_seconds_total: z.number() }),
  });
  return {
    guard: list.guard,
    statuses: Object.fromEntries(list.instances.map(({ instance_id, status }) => [instance_id, status])),
    instances,
    events: z.object({ events: z.array(eventSchema) }).parse(await api(user, "/events?limit=500")).events,
    policy: asBefore(await api(user, "/policy")),
    channels: z
      .object({ channels: z.array(z.looseObject({ id: z.string() })) })
      .parse(await api(user, "/channels"))
      // The former version knows nothing of confirmations and pauses.
      .channels.map(({ last_delivery: _, confirmed: __, paused: ___, ...channel }) => channel),
    provider: await api(user, "/providers/webhook").catch(() => null),
    saved: savings.parse(await api(user, "/savings")).in_all,
  };
}

/** Counters of the service, by their names with their labels. */
async function serviceCounters(): Promise<Record<string, number>> {
  const response = await fetch(`${world.url}/metrics`, {
    headers: { Authorization: `Bearer ${await world.adminToken()}` },
  });
  const lines = (await response.text()).matchAll(/^(dumont_service_\w+_total\S*) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [String(name), Number(value)]));
}

const messageSchema = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        kind: z.string(),
        alerts: z.array(z.object({ event_id: z.string(), instance_id: z.string().nullable() })),
      }),
    ),
  }),
});

/** Every alert that a receiver was told of, as `path kind instance event`. A repeated message has the id of the first. */
function told(): string[] {
  const messages = new Map(receiver.calls.map((call) => [call.headers["webhook-id"], call]));
  return [...messages.values()].flatMap(({ path, body }) =>
    messageSchema
      .parse(JSON.parse(body))
      .data.groups.flatMap(({ kind, alerts }) =>
        alerts.map((alert) => `${path} ${kind} ${alert.instance_id} ${alert.event_id}`),
      ),
  );
}

const toldTo = (path: string, kind: string, instanceId: string) =>
  told().filter((alert) => alert.startsWith(`${path} ${kind} ${instanceId} `)).length;

async function statusOf(user: User, id: string): Promise<string> {
  return z.object({ status: z.string() }).parse(await api(user, `/instances/${id}`)).status;
}

const PATIENCE = { timeout: 120_000, interval: 500 };

/** Reports, as the control plane does, that an order which it accepted long ago is carried out. */
async function reportDone(user: User, instanceId: string, order: string): Promise<void> {
  const placed = plane.orders.find((each) => each.instanceId === instanceId && each.kind === order);
  if (placed === undefined) throw new Error(`no order ${order} for ${instanceId}`);
  const result = { order, outcome: "succeeded", snapshot_id: order === "snapshot" ? "snap-1" : null };
  await api(user, `/actions/${placed.actionId}/result`, "POST", result);
}

it("comes into every state under the version before fleets", async () => {
  const vars = { SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" };
  world = await ServerWorld.create(vars, former);
  ada = await world.newOwner(plane);
  bob = await world.newUser("Bob");
  carol = await world.newUser("Carol");
  const { url, secret } = plane;
  for (const user of [bob, carol]) await api(user, "/providers/webhook", "PUT", { url, secret });
  for (const [user, policy] of [
    [ada, PATIENT] as const,
    [bob, BOBS_POLICY] as const,
    [carol, PATIENT] as const,
  ]) {
    await api(user, "/policy", "PUT", policy);
  }
  const channelOf = async (user: User, path: string) => {
    const settings = { kind: "webhook", url: `${receiver.url}${path}`, secret };
    await api(user, "/channels", "POST", { name: path, minimum_severity: "info", settings });
  };
  await channelOf(ada, "/ada");
  await channelOf(bob, "/bob");
  await channelOf(carol, "/carol");

  plane.interventions.set("hibernating", ({ kind }) =>
    kind === "hibernate" ? { status: 202, body: { status: "accepted" } } : undefined,
  );
  plane.interventions.set("deleting", ({ kind }) =>
    kind === "snapshot" ? { status: 202, body: { status: "accepted" } } : undefined,
  );
  for (const [id, policy] of Object.entries(OWN_POLICIES)) await register(ada, id, policy);
  await register(carol, "idle", {});
  for (const id of Object.keys(OWN_POLICIES)) if (id !== "registered") await beat(ada, id);
  await beat(carol, "idle");
  // Two chunks in the history, and some that wait.
  for (let beatNumber = 0; beatNumber < 24; beatNumber++) await beat(ada, "rig", 80 + (beatNumber % 10));
  for (const id of BOBS) await register(bob, id, {});
  await Promise.all(BOBS.map((id) => beat(bob, id, 55)));
  for (const id of ["hibernating", "hibernated"]) await api(ada, `/instances/${id}/hibernate`, "POST");

  await expect.poll(() => statusOf(ada, "hibernated-for-silence"), PATIENCE).toBe("hibernated");
  await expect.poll(() => statusOf(ada, "deleting"), PATIENCE).toBe("hibernated");
  await expect.poll(async () => (await lookAt(bob)).guard.state, PATIENCE).toBe("closed");
  // An expired orphan is deleted by the daily cleanup alone.
  await sleep((0.01 * DAY_SECONDS * 1000) / SPEED);
  await request(`${world.url}/api/admin/cleanup`, "POST", await world.adminToken());
  await expect.poll(() => plane.ordersFor("deleting"), PATIENCE).toContain("snapshot");
  await expect.poll(() => statusOf(ada, "orphaned"), PATIENCE).toBe("orphaned");
  await expect.poll(() => toldTo("/bob", "guard_closed", "null"), PATIENCE).toBe(1);
  await sleep(DIGEST_MS);

  // Alerts that wait for the end of their window when the service is stopped.
  for (let beatNumber = 0; beatNumber < 5; beatNumber++) {
    await Promise.all([beat(ada, "idle", 1), beat(carol, "idle", 1)]);
    await sleep(1000);
  }
  await expect
    .poll(
      async () => (await Promise.all([ada, carol].map(lookAt))).map(({ events }) => events[0]?.kind),
      PATIENCE,
    )
    .toEqual(["idle", "idle"]);
  expect(toldTo("/ada", "idle", "idle") + toldTo("/carol", "idle", "idle")).toBe(0);
  // What an instance's next step is depends on whether its last heartbeat is fresh: after a restart none is.
  await sleep((3 * 60 * 1000) / SPEED);
  before = await look();
  await world.kill();

  expect(before.users.map(({ statuses }) => statuses)).toEqual([
    {
      deleting: "deleting",
      hibernated: "hibernated",
      "hibernated-for-silence": "hibernated",
      hibernating: "hibernating",
      idle: "running",
      orphaned: "orphaned",
      registered: "pending",
      rig: "running",
    },
    { rig: "orphaned", "rig-2": "orphaned", "rig-3": "orphaned" },
    { idle: "running" },
  ]);
});

it("goes on under this version as it stood", async () => {
  await renameClass(world.stateDirectory, COUNTERS.former, COUNTERS.now, [COUNTERS.object]);
  const toldBefore = told();
  await world.deploy(current);
  const [adaBefore, bobBefore, carolBefore] = before.users;
  const adaNow = await lookAt(ada);
  expect({ ...adaNow, saved: null }).toEqual({ ...adaBefore, saved: null });
  const bobNow = await lookAt(bob);
  expect(duringOutage(bobNow)).toEqual(bobBefore && duringOutage(bobBefore));
  expect(bobNow.events).toEqual(expect.arrayContaining(bobBefore?.events ?? []));
  expect(bobNow.guard.state).toBe("closed");
  expect(await lookAt(carol)).toEqual(carolBefore);

  // Alerts that waited for a digest are told by the fleet. (Locally no workflow that slept wakes after a restart.)
  await expect.poll(() => toldTo("/ada", "idle", "idle"), PATIENCE).toBe(1);
  await expect.poll(() => toldTo("/carol", "idle", "idle"), PATIENCE).toBe(1);

  // What hibernation saved is asked of each instance after the upgrade, and has grown on.
  const saved = async () => (await lookAt(ada)).saved.hibernated_seconds_total;
  await expect.poll(saved, PATIENCE).toBeGreaterThanOrEqual(adaBefore?.saved.hibernated_seconds_total ?? 0);
  expect(adaBefore?.saved.hibernated_seconds_total).toBeGreaterThan(0);

  await sleep(DIGEST_MS);
  // That an instance was never heard is told since this version, with the daily cleanup at the latest.
  const news = told().filter((alert) => !toldBefore.includes(alert) && !alert.includes("never_heard"));
  expect(news.map((alert) => alert.split(" ").slice(0, 3).join(" ")).sort()).toEqual([
    "/ada idle idle",
    "/carol idle idle",
  ]);
});

it("ends the orders that were under way", async () => {
  plane.machines.set("hibernating", "stopped");
  await reportDone(ada, "hibernating", "hibernate");
  await reportDone(ada, "deleting", "snapshot");
  await expect.poll(() => statusOf(ada, "hibernating"), PATIENCE).toBe("hibernated");
  await expect.poll(() => statusOf(ada, "deleting"), PATIENCE).toBe("deleted");
  expect(plane.distinctOrdersFor("hibernating")).toEqual(["hibernate"]);
  expect(plane.distinctOrdersFor("deleting")).toEqual(["hibernate", "snapshot", "delete"]);
  expect(plane.forged).toBe(0);
  await expect.poll(() => toldTo("/ada", "hibernated", "hibernating"), PATIENCE).toBe(1);
  await expect.poll(() => toldTo("/ada", "deleted", "deleting"), PATIENCE).toBe(1);
});

it("hears every instance by its former token, opens the guard, and counts on", async () => {
  await api(bob, "/policy", "PUT", { ...BOBS_POLICY, orphan: PATIENT.orphan });
  for (const id of BOBS) await beat(bob, id);
  await expect.poll(async () => (await lookAt(bob)).guard.state, PATIENCE).toBe("open");
  await expect.poll(() => toldTo("/bob", "guard_opened", "null"), PATIENCE).toBe(1);
  for (const id of ["registered", "rig", "orphaned"]) await beat(ada, id);
  await expect.poll(() => statusOf(ada, "registered"), PATIENCE).toBe("running");
  await expect.poll(() => statusOf(ada, "orphaned"), PATIENCE).toBe("running");

  const heartbeats = 'dumont_service_heartbeats_total{outcome="accepted",reason=""}';
  const hasGrown = async () => {
    await beat(ada, "rig");
    const counters = await serviceCounters();
    const lost = Object.entries(before.service).filter(([name, count]) => (counters[name] ?? 0) < count);
    return { lost, grown: (counters[heartbeats] ?? 0) > (before.service[heartbeats] ?? 0) };
  };
  expect(before.service[heartbeats]).toBeGreaterThan(0);
  await expect.poll(hasGrown, { ...PATIENCE, interval: 3000 }).toEqual({ lost: [], grown: true });
});

/** Beats of `newcomer-2` tell their number by their reading. */
async function beatOn(from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) await beat(ada, "newcomer-2", 50 + number / 10);
}

async function beatsKept(): Promise<number[]> {
  const kept = z.object({ heartbeats: z.array(z.object({ gpu_utilization: z.number() })) });
  const { heartbeats } = kept.parse(await api(ada, "/instances/newcomer-2/heartbeats?limit=1000"));
  return heartbeats.map(({ gpu_utilization }) => Math.round((gpu_utilization - 50) * 10)).reverse();
}

const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);

it("goes back to the former version, which knows all but what came since", async () => {
  const policy = await api(ada, "/policy");
  await register(ada, "newcomer", {});
  await register(ada, "newcomer-2", {});
  // The first goes to the history at once. All others wait for a chunk that is full when one more comes.
  await beatOn(1, 31);
  await api(ada, "/policy", "PUT", { ...PATIENT, keep_alive_minutes: 30 });
  const settings = { kind: "webhook", url: `${receiver.url}/ada-2`, secret: plane.secret };
  await api(ada, "/channels", "POST", { name: "second", minimum_severity: "critical", settings });
  await sleep(DIGEST_MS);
  const [adaNow, bobNow, carolNow] = (await look()).users;
  const toldBefore = told();
  await world.kill();
  await renameClass(world.stateDirectory, COUNTERS.now, COUNTERS.former, [COUNTERS.object]);
  await world.deploy(former);

  const adaThen = await lookAt(ada);
  const { newcomer, "newcomer-2": second, ...known } = adaNow?.statuses ?? {};
  expect([newcomer, second]).toEqual(["pending", "running"]);
  // Each instance's own state is as it was left. The registry lacks who was registered since.
  expect(adaThen.statuses).toEqual(known);
  expect(await statusOf(ada, "newcomer")).toBe("pending");
  expect(await beatsKept()).toEqual(numbers(31));
  await beatOn(32, 45);
  expect(await beatsKept()).toEqual(numbers(45));
  // The user's policy and the channels are those of before the upgrade.
  expect(adaThen.policy).toEqual(asBefore(policy));
  expect(adaThen.channels).toEqual(before.users[0]?.channels);
  expect((await lookAt(carol)).statuses).toEqual(carolNow?.statuses);
  const bobThen = await lookAt(bob);
  expect(bobThen.statuses).toEqual(bobNow?.statuses);
  // His guard stands as it did at the upgrade, until an instance of his changes.
  expect(bobThen.guard.state).toBe("closed");
  for (const [user, id] of [[ada, "newcomer"] as const, [ada, "rig"] as const, [bob, "rig"] as const]) {
    await beat(user, id);
  }
  await expect.poll(async () => (await lookAt(ada)).statuses.newcomer, PATIENCE).toBe("running");
  await sleep(DIGEST_MS);
  expect(told().filter((alert) => !toldBefore.includes(alert))).toEqual([]);
  expect(told()).toHaveLength(new Set(told()).size);
});

it("goes forward again, and no heartbeat was lost on the way", async () => {
  await world.kill();
  await renameClass(world.stateDirectory, COUNTERS.former, COUNTERS.now, [COUNTERS.object]);
  await world.deploy(current);
  await beatOn(46, 80);
  expect(await beatsKept()).toEqual(numbers(80));
  await expect.poll(async () => (await lookAt(ada)).statuses["newcomer-2"], PATIENCE).toBe("running");
});
