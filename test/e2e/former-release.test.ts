import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createUser, registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { FORMER_RELEASE } from "../../scripts/keep-release.ts";
import { bundleRelease, type Release, readRelease } from "../../scripts/release/bundle.ts";
import { FakeHttp } from "../outside/http.ts";
import { ReleaseWorld } from "./release-world.ts";
import { againDue, almostParked, heldIn } from "./stored-delivery.ts";
import { NEW_SETTINGS, withoutFields } from "./without-fields.ts";

/**
 * This release leaves a user's instances in every state. The former one goes on with them, as after a rollback, and then this
 * one again. Both run as they were bundled for deployment, over one storage. CONTRIBUTING.md says how the former one is kept.
 */

/** A minute of the policies is a second. */
const SPEED = 60;

const DAY_SECONDS = 86_400;

/** Steps lie far beyond the test, but for those that an instance's own policy brings near. */
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
const DELETED_AFTER_DAYS = 0.01;

/** Instances are called after what they are when this release is left. */
const OWN_POLICIES: Readonly<Record<string, object>> = {
  registered: {},
  rig: {},
  idle: {},
  orphaned: { orphan: { orphan_after_seconds: 180 } },
  hibernating: {},
  hibernated: {},
  deleting: {
    orphan: {
      orphan_after_seconds: 180,
      hibernate_after_seconds: 240,
      force_hibernate_after_seconds: 300,
      delete_after_days: DELETED_AFTER_DAYS,
    },
  },
  // Their history does not take what they have: it waits in rows of its own, or failed so often that it is parked.
  waiting: {},
  parked: {},
};

/** Of `elsewhere`, whose provider is of a kind that the former release does not know. */
const STEPS_OF_SILENCE = {
  orphan: { orphan_after_seconds: 180, hibernate_after_seconds: 240, force_hibernate_after_seconds: 300 },
};

const STATUSES = {
  deleting: "deleting",
  elsewhere: "orphaned",
  hibernated: "hibernated",
  hibernating: "hibernating",
  idle: "running",
  orphaned: "orphaned",
  parked: "running",
  registered: "pending",
  rig: "running",
  waiting: "running",
};

/** So many that the state's row can't hold them: the first goes to the history at once, and then six full chunks wait. */
const BEATS_TO_WAIT = 200;
const BEATS_IN_FULL_CHUNKS = 1 + 6 * 30;

const PATIENCE = { timeout: 120_000, interval: 300 };

let former: Release;
let present: Release;
let world: ReleaseWorld;
let plane: ControlPlane;
let receiver: FakeHttp;
let ada: User;
let before: Awaited<ReturnType<typeof look>>;
/** A viewer's token, and the cookie of a browser: the former release knows neither. */
let viewer: string;
let cookie: string;
/** Previews of policies, which the former release does not know. */
let previews: unknown;
const tokens = new Map<string, string>();
/** The numbers of the beats that were acknowledged. */
const acknowledged = new Map<string, number[]>();

beforeAll(async () => {
  [former, present, plane, receiver, world] = await Promise.all([
    readRelease(FORMER_RELEASE),
    bundleRelease(resolve(import.meta.dirname, "../.."), { minify: false }),
    ControlPlane.start(),
    FakeHttp.start(() => ({ status: 204, body: "" })),
    ReleaseWorld.create({ SIMULATION_SPEED: String(SPEED) }),
  ]);
});
afterAll(async () => {
  await Promise.all([world?.end(), plane?.stop(), receiver?.stop()]);
});

const api = (path: string, method = "GET", json?: unknown) =>
  request(`${world.url}/api/agent${path}`, method, ada.token, json);

async function register(id: string, policy: object): Promise<void> {
  const costs = { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 };
  const registration = { instance_id: id, name: id, provider: "webhook", policy, ...costs };
  tokens.set(id, await registerInstance(world.url, ada.token, registration));
}

/** Nobody answers for its provider, so a call to it would be an error. */
async function registerElsewhere(): Promise<void> {
  await api("/providers/lambda?verify=false", "PUT", { api_key: "lambda-key-0123456789" });
  const registration = { instance_id: "elsewhere", provider: "lambda", policy: STEPS_OF_SILENCE };
  const { token } = z
    .object({ token: z.string() })
    .parse(await api("/instances?sight=false", "POST", registration));
  tokens.set("elsewhere", token);
}

/** Beats tell their number by their reading; idle ones tell none. */
async function beat(id: string, gpu?: number): Promise<void> {
  const sent = acknowledged.get(id) ?? [];
  const number = (sent.at(-1) ?? 0) + 1;
  const reading = { gpu_utilization: gpu ?? 50 + number / 10, vram_used_gb: 18.4, cpu_utilization: 45.5 };
  const more = { ram_used_gb: 12.25, disk_used_gb: 45.2, cost_accumulated: 2.4, uptime_seconds: 7200 };
  await sendHeartbeat(world.url, tokens.get(id) ?? "", { instance_id: id, ...reading, ...more });
  if (gpu === undefined) acknowledged.set(id, [...sent, number]);
}

async function beats(id: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) await beat(id);
}

const heartbeatsSchema = z.object({ heartbeats: z.array(z.object({ gpu_utilization: z.number() })) });

async function beatsKept(id: string): Promise<number[]> {
  const { heartbeats } = heartbeatsSchema.parse(await api(`/instances/${id}/heartbeats?limit=1000`));
  const numbers = heartbeats.map(({ gpu_utilization }) => Math.round((gpu_utilization - 50) * 10));
  return numbers.filter((number) => number > 0).reverse();
}

/** The numbers of the beats of this instance that D1 holds: nothing waits any more. */
async function beatsInDatabase(id: string): Promise<number> {
  const { beats } = z
    .object({ beats: z.number() })
    .parse(await world.first(`SELECT COUNT(*) AS beats FROM heartbeats WHERE instance_id = '${id}'`));
  return beats;
}

async function statusOf(id: string): Promise<string> {
  return z.object({ status: z.string() }).parse(await api(`/instances/${id}`)).status;
}

const eventsSchema = z.object({
  events: z.array(z.object({ id: z.string(), kind: z.string(), instance_id: z.string().nullable() })),
});

async function kindsOf(id: string): Promise<string[]> {
  return eventsSchema.parse(await api(`/instances/${id}/events?limit=500`)).events.map(({ kind }) => kind);
}

/** Lambda Cloud is listed, and may be out of reach from here: that is no error of the service. */
function errors(): string[] {
  return world.takeErrors().filter((line) => !line.includes("failed to lookup address"));
}

/** What the API says, but for what passes with time alone. */
async function look() {
  const list = z
    .object({
      instances: z.array(z.looseObject({ instance_id: z.string(), status: z.string() })),
      guard: z.looseObject({ state: z.string() }),
    })
    .parse(await api("/instances?limit=500"));
  const channels = z
    .object({ channels: z.array(z.looseObject({ id: z.string() })) })
    .parse(await api("/channels"));
  return {
    statuses: Object.fromEntries(list.instances.map(({ instance_id, status }) => [instance_id, status])),
    guard: list.guard.state,
    policy: withoutFields(await api("/policy"), NEW_SETTINGS),
    // The former release knows nothing of confirmations and pauses.
    channels: channels.channels.map(
      ({ last_delivery: _, confirmed: __, paused: ___, ...channel }) => channel,
    ),
    provider: await api("/providers/webhook"),
    events: eventsSchema.parse(await api("/events?limit=500")).events,
  };
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

/** Every alert that the owner was told of, as `kind instance event`. A repeated message has the id of the first. */
function told(): string[] {
  const messages = new Map(receiver.calls.map((call) => [call.headers["webhook-id"], call]));
  return [...messages.values()].flatMap(({ body }) =>
    messageSchema
      .parse(JSON.parse(body))
      .data.groups.flatMap(({ kind, alerts }) =>
        alerts.map((alert) => `${kind} ${alert.instance_id} ${alert.event_id}`),
      ),
  );
}

const toldTimes = (kindAndInstance: string) =>
  told().filter((alert) => alert.startsWith(`${kindAndInstance} `)).length;

/** Reports, as the control plane does, that an order which it accepted is carried out. */
async function reportDone(instanceId: string, order: string): Promise<void> {
  const placed = plane.orders.find((each) => each.instanceId === instanceId && each.kind === order);
  const result = { order, outcome: "succeeded", snapshot_id: order === "snapshot" ? "snap-1" : null };
  await api(`/actions/${placed?.actionId}/result`, "POST", result);
}

/** The history takes nothing of `waiting`, and no heartbeats of `parked`. */
const REFUSALS = [
  ["waiting_beats", "heartbeat_chunks", "NEW.instance_id = 'waiting'"],
  ["waiting_events", "events", "NEW.instance_id = 'waiting'"],
  ["parked_beats", "heartbeat_chunks", "NEW.instance_id = 'parked'"],
] as const;
const refuse = () =>
  world.sql(
    REFUSALS.map(
      ([name, table, condition]) =>
        `CREATE TRIGGER ${name} BEFORE INSERT ON ${table} WHEN ${condition} BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    ),
  );
const refuseNoMore = () => world.sql(REFUSALS.map(([name]) => `DROP TRIGGER ${name}`));

/** What a token or a cookie gets of the service now. */
async function statusFor(headers: Record<string, string>): Promise<number> {
  return (await fetch(`${world.url}/api/agent/policy`, { headers })).status;
}

/** Of the owner's token, the viewer's, and the browser. */
const statusesFor = () =>
  Promise.all([
    statusFor({ Authorization: `Bearer ${ada.token}` }),
    statusFor({ Authorization: `Bearer ${viewer}` }),
    statusFor({ Cookie: cookie }),
  ]);

it("comes into every state under this release", async () => {
  await world.deploy(present);
  ada = await createUser(world.url, world.adminToken, "Ada");
  viewer = z
    .object({ token: z.string() })
    .parse(await api("/tokens", "POST", { name: "tv", role: "viewer" })).token;
  const signedIn = await fetch(`${world.url}/api/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: ada.token }),
  });
  cookie = signedIn.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  expect(await statusesFor()).toEqual([200, 200, 200]);
  await api("/providers/webhook", "PUT", { url: plane.url, secret: plane.secret });
  await api("/policy", "PUT", PATIENT);
  const settings = { kind: "webhook", url: receiver.url, secret: plane.secret };
  await api("/channels", "POST", { name: "all", minimum_severity: "info", settings });
  const accept = (wanted: string) => (order: { kind: string }) =>
    order.kind === wanted ? { status: 202, body: { status: "accepted" } } : undefined;
  plane.interventions.set("hibernating", accept("hibernate"));
  plane.interventions.set("deleting", accept("snapshot"));

  for (const [id, policy] of Object.entries(OWN_POLICIES)) await register(id, policy);
  for (const id of Object.keys(OWN_POLICIES)) if (id !== "registered") await beat(id);
  await registerElsewhere();
  await beat("elsewhere");
  await refuse();
  // The event of it waits in its row, for the former release to read.
  await api("/instances/waiting", "PATCH", { tags: { team: "vision" } });
  for (const id of ["hibernating", "hibernated"]) await api(`/instances/${id}/hibernate`, "POST");
  await Promise.all([beats("rig", 44), beats("waiting", BEATS_TO_WAIT), beats("parked", 35)]);
  await expect.poll(() => statusOf("hibernated"), PATIENCE).toBe("hibernated");
  await expect.poll(() => statusOf("deleting"), PATIENCE).toBe("hibernated");
  await sleep((DELETED_AFTER_DAYS * DAY_SECONDS * 1000) / SPEED);
  await request(`${world.url}/api/admin/cleanup`, "POST", world.adminToken);
  await expect.poll(() => plane.ordersFor("deleting"), PATIENCE).toContain("snapshot");

  // What has failed nine times fails once more, long before its time.
  await world.stop();
  expect(await world.change("parked", almostParked)).toBe(1);
  await world.deploy(present);
  await beats("parked", 1);
  await expect.poll(() => kindsOf("parked"), PATIENCE).toContain("delivery_parked");

  // An alert waits for the end of its window when this release is left.
  await expect
    .poll(async () => {
      await beat("idle", 1);
      return kindsOf("idle");
    }, PATIENCE)
    .toContain("idle");
  expect(toldTimes("idle idle")).toBe(0);
  const preview = await api("/policy/preview", "POST", { policy: { preset: "careful" } });
  expect(preview).toMatchObject({ state: "done", instances: { total: 10, done: 10, skipped: 0 } });
  previews = await api("/policy/preview");
  before = await look();
  expect(before.statuses).toEqual(STATUSES);
  expect(await beatsInDatabase("waiting")).toBe(1);
  expect(errors()).toEqual([]);
});

it("goes on under the former release as it stood", async () => {
  await refuseNoMore();
  await world.stop();
  let held = 0;
  await world.change("waiting", (json) => {
    held = heldIn(json);
    return againDue(json);
  });
  expect(held).toBeGreaterThan(0);
  await world.deploy(former);
  expect(await look()).toEqual(before);
  expect(await statusesFor()).toEqual([200, 401, 401]);
  for (const [id, sent] of acknowledged) expect(await beatsKept(id), id).toEqual(sent);

  await Promise.all([beats("rig", 40), beats("waiting", 2), beats("registered", 1)]);
  await expect.poll(() => beatsInDatabase("waiting"), PATIENCE).toBeGreaterThanOrEqual(BEATS_IN_FULL_CHUNKS);
  await expect.poll(() => statusOf("registered"), PATIENCE).toBe("running");
  await expect.poll(() => toldTimes("idle idle"), PATIENCE).toBe(1);
  plane.machines.set("hibernating", "stopped");
  await reportDone("hibernating", "hibernate");
  await expect.poll(() => statusOf("hibernating"), PATIENCE).toBe("hibernated");
  expect(plane.distinctOrdersFor("hibernating")).toEqual(["hibernate"]);
  await register("newcomer", {});
  await beats("newcomer", 3);
  await api("/policy", "PUT", { ...PATIENT, keep_alive_minutes: 30 });
  before = await look();
  expect(errors()).toEqual([]);
});

it("goes on under this release again, with nothing lost and nothing told twice", async () => {
  await world.stop();
  expect(await world.change("parked", againDue)).toBe(1);
  await world.deploy(present);
  expect(await look()).toEqual(before);
  expect(await statusesFor()).toEqual([200, 200, 200]);
  expect(await api("/policy/preview")).toEqual(previews);
  await Promise.all(["rig", "waiting", "parked", "newcomer"].map((id) => beats(id, 31)));
  for (const [id, sent] of acknowledged) expect(await beatsKept(id), id).toEqual(sent);
  await expect.poll(() => beatsInDatabase("parked"), PATIENCE).toBeGreaterThanOrEqual(36);

  await reportDone("deleting", "snapshot");
  await expect.poll(() => statusOf("deleting"), PATIENCE).toBe("deleted");
  expect(plane.distinctOrdersFor("deleting")).toEqual(["hibernate", "snapshot", "delete"]);
  await expect.poll(() => toldTimes("deleted deleting"), PATIENCE).toBe(1);
  await expect.poll(() => toldTimes("hibernated hibernating"), PATIENCE).toBe(1);
  expect(told()).toHaveLength(new Set(told()).size);
  expect(plane.forged).toBe(0);
  expect(errors()).toEqual([]);
});
