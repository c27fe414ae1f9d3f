import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  listEvents,
  listInstances,
  registerInstance,
  request,
  sendHeartbeat,
  type User,
} from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { FakeHttp } from "../outside/http.ts";
import { FakeSlack } from "../outside/slack.ts";
import { ServerWorld } from "../server/world.ts";

/** Outages as a user lives through them: real time, a real server, nothing but the outside world made up. */

const SPEED = 120;
const MINUTE_MS = 60_000 / SPEED;

let plane: ControlPlane;
let slack: FakeSlack;
let receiver: FakeHttp;

beforeAll(async () => {
  [plane, slack] = await Promise.all([ControlPlane.start(), FakeSlack.start()]);
  receiver = await FakeHttp.start(() => ({ status: 204, body: "" }));
});
afterAll(() => Promise.all([plane.stop(), slack.stop(), receiver.stop()]));

interface Agent {
  readonly id: string;
  readonly token: string;
}

async function register(world: ServerWorld, user: User, id: string): Promise<Agent> {
  const token = await registerInstance(world.url, user.token, {
    instance_id: id,
    name: id,
    hourly_cost: 1,
    hibernated_hourly_cost: 0,
    provider: "webhook",
  });
  return { id, token };
}

function beat(world: ServerWorld, { id, token }: Agent): Promise<unknown> {
  return sendHeartbeat(world.url, token, { instance_id: id, gpu_utilization: 90 }).catch(() => undefined);
}

/** Beats on, whether the server is there or not, until told to stop. */
async function beatOn(world: ServerWorld, agents: readonly Agent[], everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    const next = Date.now() + everyMs;
    await Promise.all(agents.map((agent) => beat(world, agent)));
    await sleep(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => undefined);
  }
}

async function waitFor(condition: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${timeoutMs} ms`);
    await sleep(250);
  }
}

describe("an outage of the service itself", () => {
  it("of two hours hibernates nobody, and silence counts anew when it is back", async () => {
    const world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED), ALLOW_LOOPBACK_URLS: "true" });
    try {
      const user = await world.newOwner(plane);
      const alive = await Promise.all(["a", "b", "c", "d"].map((id) => register(world, user, `alive-${id}`)));
      const dead = await register(world, user, "dead");
      await beat(world, dead);
      const end = new AbortController();
      const beating = beatOn(world, alive, MINUTE_MS, end.signal);
      await sleep(6 * MINUTE_MS);
      await world.kill();
      await sleep(120 * MINUTE_MS);
      await world.start();
      const backAt = Date.now();

      // Long before the half hour is over, which is 15 s here: each look takes its time.
      while (Date.now() < backAt + 20 * MINUTE_MS) {
        const statuses = (await listInstances(world.url, user.token)).map((each) => each.status);
        expect(statuses).not.toContain("hibernating");
        expect(statuses).not.toContain("hibernated");
        await sleep(MINUTE_MS);
      }
      expect(plane.orders).toEqual([]);
      const instances = await listInstances(world.url, user.token);
      expect(instances.map((each) => [each.instance_id, each.status])).toEqual([
        ["alive-a", "running"],
        ["alive-b", "running"],
        ["alive-c", "running"],
        ["alive-d", "running"],
        ["dead", "orphaned"],
      ]);
      // Who is truly dead is hibernated half an hour after the service is back.
      await waitFor(() => plane.ordersFor("dead").length > 0, 30 * MINUTE_MS);
      expect(plane.orders.map((order) => [order.kind, order.instanceId])).toEqual([["hibernate", "dead"]]);
      end.abort();
      await beating;
    } finally {
      await world.end();
    }
  });
});

describe("an outage of the network", () => {
  it("of two hundred instances closes the guard: nothing is hibernated, one message; they return: one message", async () => {
    const world = await ServerWorld.create({ SIMULATION_SPEED: "60", ALLOW_LOOPBACK_URLS: "true" });
    try {
      const user = await world.newOwner(plane);
      // Five real seconds a heartbeat, so that two hundred agents are little load.
      await request(`${world.url}/api/agent/policy`, "PUT", user.token, {
        heartbeat_interval_seconds: 300,
        idle: { warn_after_seconds: 700, hibernate_after_seconds: 800 },
        // On a slow machine it takes long until all of them are registered, and only then the first is heard.
        orphan: { orphan_after_seconds: 900, never_heard_after_seconds: 14_400 },
      });
      const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
      for (const settings of [
        { kind: "slack", url: slack.url },
        { kind: "webhook", url: receiver.url, secret },
      ]) {
        await request(`${world.url}/api/agent/channels`, "POST", user.token, {
          name: settings.kind,
          minimum_severity: "info",
          settings,
        });
      }
      const agents: Agent[] = [];
      for (let index = 0; index < 200; index++) agents.push(await register(world, user, `rig-${index}`));
      await Promise.all(agents.map((agent) => beat(world, agent)));

      await waitFor(async () => {
        const events = await listEvents(world.url, user.token);
        return events.some((event) => event.kind === "guard_closed");
      }, 40_000);
      // Past the half hour of every one of them, and past the digest.
      await sleep(75_000);
      expect(plane.orders.filter((order) => order.instanceId.startsWith("rig-"))).toEqual([]);
      expect(slack.refusals).toEqual([]);
      expect(slack.texts).toEqual([
        expect.stringMatching(/Mass outage: \d+ of your 200 instances fell silent/),
      ]);
      expect(receiver.calls).toHaveLength(1);

      const end = new AbortController();
      const beating = beatOn(world, agents, 8_000, end.signal);
      await waitFor(() => slack.messages.length > 1 && receiver.calls.length > 1, 120_000);
      await sleep(45_000);
      expect(slack.texts).toHaveLength(2);
      expect(slack.texts[1]).toContain("The mass outage is over");
      expect(receiver.calls).toHaveLength(2);
      expect(plane.orders.filter((order) => order.instanceId.startsWith("rig-"))).toEqual([]);
      const statuses = (await listInstances(world.url, user.token)).map((each) => each.status);
      expect(statuses.filter((status) => status === "running")).toHaveLength(200);
      end.abort();
      await beating;
    } finally {
      await world.end();
    }
  });
});
