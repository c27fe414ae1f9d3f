import { resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import {
  createUser,
  listEvents,
  listInstances,
  registerInstance,
  request,
  sendHeartbeat,
} from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { FORMER_RELEASE } from "../../scripts/keep-release.ts";
import { bundleRelease, type Release, readRelease } from "../../scripts/release/bundle.ts";
import { FakeHttp } from "../outside/http.ts";
import { ReleaseWorld } from "./release-world.ts";

/**
 * During a deployment in stages some objects run under this release and others under the former one: an instance reports to a
 * fleet of another release, and a fleet asks such an instance.
 */

const PATIENCE = { timeout: 120_000, interval: 300 };

/** A minute of the policies is a second. */
const SPEED = 60;

let former: Release;
let present: Release;

beforeAll(async () => {
  former = await readRelease(FORMER_RELEASE);
  present = await bundleRelease(resolve(import.meta.dirname, "../.."), { minify: false });
});

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

it.each(["fleets of the former release", "fleets of this release"])("understands %s", async (which) => {
  const [instances, fleets] = which.includes("former") ? [present, former] : [former, present];
  const plane = await ControlPlane.start();
  const receiver = await FakeHttp.start(() => ({ status: 204, body: "" }));
  const world = await ReleaseWorld.create({ SIMULATION_SPEED: String(SPEED) });
  closing.push(
    () => world.end(),
    () => plane.stop(),
    () => receiver.stop(),
  );
  await world.deploy(instances, fleets);
  const { url } = world;
  const user = await createUser(url, world.adminToken, "Ada");
  const api = (path: string, method = "GET", json?: unknown) =>
    request(`${url}/api/agent${path}`, method, user.token, json);

  await api("/providers/webhook", "PUT", { url: plane.url, secret: plane.secret });
  const settings = { kind: "webhook", url: receiver.url, secret: plane.secret };
  await api("/channels", "POST", { name: "all", minimum_severity: "info", settings });
  const patient = { idle: { warn_after_seconds: 60, hibernate_after_seconds: 80_000 } };
  await api("/policy", "PUT", { ...patient, guard: { minimum_instances: 100 } });
  const orphan = { orphan_after_seconds: 180, hibernate_after_seconds: 240 };
  const tokens = new Map<string, string>();
  for (const id of ["silent", "idle", "rig"]) {
    const policy =
      id === "silent"
        ? { orphan }
        : {
            orphan: {
              orphan_after_seconds: 80_000,
              hibernate_after_seconds: 81_000,
              force_hibernate_after_seconds: 82_000,
            },
          };
    const costs = { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 };
    const registration = { instance_id: id, name: id, provider: "webhook", policy, ...costs };
    tokens.set(id, await registerInstance(url, user.token, registration));
  }
  const beat = (id: string, gpu: number) =>
    sendHeartbeat(url, tokens.get(id) ?? "", { instance_id: id, gpu_utilization: gpu });
  await Promise.all([beat("silent", 80), beat("idle", 1)]);
  for (let number = 1; number <= 40; number++) await beat("rig", number);

  const statuses = async () =>
    Object.fromEntries(
      (await listInstances(url, user.token)).map(({ instance_id, status }) => [instance_id, status]),
    );
  await expect.poll(async () => (await statuses()).silent, PATIENCE).toBe("hibernated");
  expect(plane.ordersFor("silent")).toEqual(["hibernate"]);
  await expect
    .poll(async () => {
      await beat("idle", 1);
      return (await listEvents(url, user.token)).map(({ kind }) => kind);
    }, PATIENCE)
    .toContain("idle");
  // A policy of the fleet reaches its instances, and a command of the owner its machine.
  await api("/policy", "PUT", { ...patient, keep_alive_minutes: 30, guard: { minimum_instances: 100 } });
  await api("/instances/rig/hibernate", "POST");
  await expect.poll(statuses, PATIENCE).toEqual({ silent: "hibernated", idle: "running", rig: "hibernated" });
  if (instances === present) {
    // A fleet of the former release keeps no previews of policies.
    expect(await api("/policy/preview")).toEqual({ previews: [] });
    await expect(api("/policy/preview", "POST", { policy: {} })).rejects.toThrow(": 503 ");
    await api("/instances/rig", "PATCH", { tags: { team: "vision" } });
    // A fleet of the former release does not look for tags; the list does all the same.
    const tagged = async (view: string) =>
      z
        .object({ instances: z.array(z.looseObject({ instance_id: z.string() })) })
        .parse(await api(`/instances?tag=team:vision&view=${view}`))
        .instances.map(({ instance_id }) => instance_id);
    for (const view of ["full", "summary"]) {
      await expect.poll(() => tagged(view), PATIENCE).toEqual(["rig"]);
    }
  }
  const { heartbeats } = z
    .object({ heartbeats: z.array(z.looseObject({})) })
    .parse(await api("/instances/rig/heartbeats?limit=1000"));
  expect(heartbeats).toHaveLength(40);
  await expect.poll(() => receiver.calls.some(({ body }) => body.includes("idle")), PATIENCE).toBe(true);
  expect(world.takeErrors()).toEqual([]);
});
