import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, type ExpectStatic, it } from "vitest";
import { z } from "zod";
import {
  listEvents,
  listInstances,
  registerInstance,
  request,
  sendHeartbeat,
  type User,
} from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { FakeMail } from "../outside/mail.ts";
import { FakeSlack } from "../outside/slack.ts";
import { ServerWorld } from "./world.ts";

/** Orders and alerts through a real server: only the control plane, Slack and the mail server are stand-ins. */

/** An hour of the policy passes in half a minute. */
const SPEED = 120;
const INTERVAL_MS = 60_000 / SPEED;

let plane: ControlPlane;
let slack: FakeSlack;
let mail: FakeMail;
let world: ServerWorld;

beforeAll(async () => {
  [plane, slack, mail] = await Promise.all([ControlPlane.start(), FakeSlack.start(), FakeMail.start()]);
  world = await ServerWorld.create({
    SIMULATION_SPEED: String(SPEED),
    ALLOW_LOOPBACK_URLS: "true",
    MAIL_FROM: "alerts@dumont.test",
    SMTP_HOST: "127.0.0.1",
    SMTP_PORT: String(mail.port),
    SMTP_USERNAME: FakeMail.USERNAME,
    SMTP_PASSWORD: FakeMail.PASSWORD,
  });
});
afterAll(async () => {
  await world.end();
  await Promise.all([plane.stop(), slack.stop(), mail.stop()]);
});

/**
 * Of an instance that is to be hibernated for its idleness alone: on a slow machine its heartbeats come late, which would else make
 * it an orphan, or leave too few of them for evidence.
 */
const IDLE_ALONE = {
  heartbeat_interval_seconds: 180,
  orphan: {
    orphan_after_seconds: 80_000,
    hibernate_after_seconds: 81_000,
    force_hibernate_after_seconds: 82_000,
  },
};

function register(user: User, instanceId: string, policy: object = {}): Promise<string> {
  return registerInstance(world.url, user.token, {
    instance_id: instanceId,
    name: `The ${instanceId}`,
    hourly_cost: 0.4,
    hibernated_hourly_cost: 0.01,
    provider: "webhook",
    policy,
  });
}

async function statusOf(user: User, instanceId: string): Promise<string | undefined> {
  return (await listInstances(world.url, user.token)).find((each) => each.instance_id === instanceId)?.status;
}

async function kindsOf(user: User, instanceId: string): Promise<string[]> {
  const events = await listEvents(world.url, user.token);
  return events
    .filter((each) => each.instance_id === instanceId)
    .map((each) => each.kind)
    .reverse();
}

/** A machine that was stopped beats no more. */
async function beat(token: string, instanceId: string, gpu: number, times: number): Promise<void> {
  for (let beatNumber = 0; beatNumber < times; beatNumber++) {
    if (plane.machines.get(instanceId) === "stopped") return;
    await sendHeartbeat(world.url, token, { instance_id: instanceId, gpu_utilization: gpu }).catch(
      () => undefined,
    );
    await sleep(INTERVAL_MS);
  }
}

/** Beats with an idle GPU until its machine has an order. */
async function beatUntilOrdered(token: string, instanceId: string): Promise<void> {
  for (const limit = Date.now() + 240_000; Date.now() < limit; ) {
    if (plane.ordersFor(instanceId).length > 0) return;
    await beat(token, instanceId, 1, 1);
  }
  throw new Error(`no order for ${instanceId}`);
}

/** Presses the button behind the link in the first mail. */
async function confirmAddress(expect: ExpectStatic): Promise<void> {
  await expect.poll(() => mail.mails.length, { timeout: 60_000, interval: 100 }).toBe(1);
  // As mail is sent: a line that ends with `=` goes on, and `=3D` is an equals sign.
  const text = (mail.mails[0]?.data ?? "").replaceAll(/=\r?\n/g, "").replaceAll("=3D", "=");
  const link = /(http\S+\/confirm-channel\/[\w.-]+)/.exec(text)?.[1] ?? "";
  expect((await fetch(link, { method: "POST" })).status).toBe(200);
}

describe.concurrent("an owner with Slack and e-mail", () => {
  it("is told once of an idle instance that its control plane hibernates, and can keep the next one alive by link", async ({
    expect,
  }) => {
    const user = await world.newOwner(plane);
    for (const settings of [
      { kind: "slack", url: slack.url },
      { kind: "email", to: "ada@example.test" },
    ]) {
      const channel = z.object({ id: z.string() }).parse(
        await request(`${world.url}/api/agent/channels`, "POST", user.token, {
          name: settings.kind,
          minimum_severity: "info",
          settings,
        }),
      );
      if (settings.kind === "email") await confirmAddress(expect);
      const tested = await request(`${world.url}/api/agent/channels/${channel.id}/test`, "POST", user.token);
      expect(tested).toEqual({ delivered: true, detail: expect.any(String) });
    }
    expect(slack.texts[0]).toContain("Test of this channel");
    expect(mail.mails[1]).toMatchObject({ from: "alerts@dumont.test", to: ["ada@example.test"] });

    const token = await register(user, "idle-rig", IDLE_ALONE);
    await beatUntilOrdered(token, "idle-rig");
    await expect.poll(() => statusOf(user, "idle-rig"), { timeout: 240_000 }).toBe("hibernated");
    expect(plane.forged).toBe(0);
    expect(plane.ordersFor("idle-rig")).toEqual(["hibernate"]);
    expect(await kindsOf(user, "idle-rig")).toEqual([
      "registered",
      "first_heartbeat",
      "idle",
      "hibernating",
      "hibernated",
    ]);

    await expect.poll(() => slack.messages.length, { timeout: 240_000, interval: 500 }).toBe(2);
    await expect.poll(() => mail.mails.length, { timeout: 240_000, interval: 500 }).toBe(3);
    const told = slack.texts[1] ?? "";
    expect(told).toContain("1 instance idle");
    expect(told).toContain("Instance hibernated due to low usage");
    expect(mail.mails[2]?.data).toContain("Instance hibernated due to low usage");

    const link = /<(http[^|]+\/keep-alive\/[^|]+)\|Keep it alive>/.exec(told)?.[1] ?? "";
    const opened = await fetch(link);
    expect(opened.status).toBe(200);
    // It sleeps by now: there is nothing to keep alive.
    const page = await opened.text();
    expect(page).toContain("Hibernated since");
    expect(page).not.toContain("<form");
    const used = await fetch(link, { method: "POST" });
    expect(used.status).toBe(409);
    expect(await used.text()).toContain("hibernated: wake it first");
  });
});

describe.concurrent("a control plane that has its troubles", () => {
  it("answers 500 twice, and then obeys: one hibernation", async ({ expect }) => {
    const user = await world.newOwner(plane);
    const token = await register(user, "flaky", IDLE_ALONE);
    let failures = 2;
    plane.interventions.set("flaky", () => (failures-- > 0 ? { status: 500, body: {} } : undefined));
    await beatUntilOrdered(token, "flaky");
    await beat(token, "flaky", 1, 12);
    await expect.poll(() => statusOf(user, "flaky"), { timeout: 240_000 }).toBe("hibernated");
    const orders = plane.orders.filter((order) => order.instanceId === "flaky");
    expect(orders).toHaveLength(3);
    // By this the control plane knows the order for what it is: the same one.
    expect(new Set(orders.map((order) => order.messageId)).size).toBe(1);
    expect((await kindsOf(user, "flaky")).filter((kind) => kind === "hibernated")).toHaveLength(1);
  });

  it("takes longer than it is waited for, and is asked again: one hibernation", async ({ expect }) => {
    const user = await world.newOwner(plane);
    const token = await register(user, "slow", IDLE_ALONE);
    let slow = 1;
    // Obeyed at once, but the answer comes after the caller has given up.
    plane.interventions.set("slow", ({ instanceId }) => {
      if (slow-- <= 0) return undefined;
      plane.machines.set(instanceId, "stopped");
      return { status: 202, body: { status: "accepted" }, delayMs: 17_000 };
    });
    await beatUntilOrdered(token, "slow");
    await expect.poll(() => statusOf(user, "slow"), { timeout: 240_000 }).toBe("hibernated");
    const messages = plane.orders
      .filter((order) => order.instanceId === "slow")
      .map((each) => each.messageId);
    expect(messages.length).toBeGreaterThan(1);
    expect(new Set(messages).size).toBe(1);
    expect((await kindsOf(user, "slow")).filter((kind) => kind === "hibernated")).toHaveLength(1);
  });

  it("answers later, and twice: one hibernation", async ({ expect }) => {
    const user = await world.newOwner(plane);
    const token = await register(user, "late", IDLE_ALONE);
    plane.interventions.set("late", () => ({ status: 202, body: { status: "accepted" } }));
    await beatUntilOrdered(token, "late");
    await beat(token, "late", 1, 6);
    await expect.poll(() => plane.ordersFor("late"), { timeout: 240_000 }).toEqual(["hibernate"]);
    expect(await statusOf(user, "late")).toBe("hibernating");
    const action = plane.orders.find((order) => order.instanceId === "late")?.actionId;
    const result = `${world.url}/api/agent/actions/${action}/result`;
    const stranger = await world.newOwner(plane);
    await expect(
      request(result, "POST", stranger.token, { order: "hibernate", outcome: "succeeded" }),
    ).rejects.toThrow("404");
    // As long as the machine runs, no result makes it a stopped one.
    await request(result, "POST", user.token, { order: "hibernate", outcome: "succeeded" });
    expect(await statusOf(user, "late")).toBe("hibernating");
    plane.machines.set("late", "stopped");
    await request(result, "POST", user.token, { order: "hibernate", outcome: "succeeded" }).catch(() => {});
    await expect.poll(() => statusOf(user, "late"), { timeout: 240_000 }).toBe("hibernated");
    expect((await kindsOf(user, "late")).filter((kind) => kind === "hibernated")).toHaveLength(1);
    await expect(
      request(result, "POST", user.token, { order: "hibernate", outcome: "failed" }),
    ).rejects.toThrow("409");
  });

  it("has stopped a silent instance already: it counts as hibernated, and no order is given", async ({
    expect,
  }) => {
    const user = await world.newOwner(plane);
    const token = await register(user, "stopped");
    await beat(token, "stopped", 90, 1);
    plane.machines.set("stopped", "stopped");
    await expect.poll(() => statusOf(user, "stopped"), { timeout: 240_000 }).toBe("hibernated");
    expect(plane.ordersFor("stopped")).toEqual([]);
  });

  it("knows a silent instance no more: it counts as deleted", async ({ expect }) => {
    const user = await world.newOwner(plane);
    const token = await register(user, "vanished");
    plane.machines.set("vanished", "gone");
    await beat(token, "vanished", 90, 1);
    await expect.poll(() => statusOf(user, "vanished"), { timeout: 240_000 }).toBe("deleted");
    expect((await kindsOf(user, "vanished")).at(-1)).toBe("gone");
  });
});

it.concurrent("a woken instance is running once it beats", async ({ expect }) => {
  const user = await world.newOwner(plane);
  const token = await register(user, "sleeper");
  await beat(token, "sleeper", 90, 1);
  await request(`${world.url}/api/agent/instances/sleeper/hibernate`, "POST", user.token);
  await expect.poll(() => statusOf(user, "sleeper"), { timeout: 240_000 }).toBe("hibernated");
  await request(`${world.url}/api/agent/instances/sleeper/wake`, "POST", user.token);
  await expect.poll(() => plane.ordersFor("sleeper"), { timeout: 240_000 }).toEqual(["hibernate", "wake"]);
  await beat(token, "sleeper", 90, 1);
  expect(await statusOf(user, "sleeper")).toBe("running");
});
