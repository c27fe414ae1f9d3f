import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { listEvents, registerInstance, request } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { RunningAgent } from "./running-agent.ts";

/** The agent and the real service, where a minute takes a second: what is to be saved is, before the machine is stopped. */

const PATIENCE = { timeout: 90_000 };
const INSTANCE = "28864630";

let world: ServerWorld;
let userToken: string;
let agent: RunningAgent;

beforeAll(async () => {
  world = await ServerWorld.create({ SIMULATION_SPEED: "60" });
});
afterAll(() => world.end());

beforeEach(async () => {
  userToken = (await world.newUser("Ada")).token;
  const token = await registerInstance(world.url, userToken, {
    instance_id: INSTANCE,
    name: "Rig",
    hourly_cost: 1,
    hibernated_hourly_cost: 0,
    policy: { idle: { enabled: false, prepare_max_seconds: 900 }, orphan: { enabled: false } },
  });
  agent = await RunningAgent.make({
    DUMONT_API_URL: world.url,
    DUMONT_API_TOKEN: token,
    DUMONT_HIBERNATE_COMMAND: `echo hibernated >>"$S/hibernated"; kill -9 "$(cat "$S/run/pid")"`,
  });
});
afterEach(() => agent.end());

const kinds = async () => (await listEvents(world.url, userToken)).map(({ kind }) => kind);
const hibernate = async () => {
  await expect.poll(kinds, PATIENCE).toContain("first_heartbeat");
  await request(`${world.url}/api/agent/instances/${INSTANCE}/hibernate`, "POST", userToken);
};

it("a checkpoint of four minutes is saved, and then the machine is stopped", async () => {
  await agent.hook(
    "prepare",
    `for n in 1 2 3 4; do echo "minute $n"; sleep 1; done; echo saved >>"$S/hibernated"`,
  );
  agent.start();
  await hibernate();
  await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("saved\nhibernated\n");
  await expect.poll(kinds, PATIENCE).toEqual(expect.arrayContaining(["preparing", "prepared", "hibernated"]));
  const told = await request(`${world.url}/api/agent/instances/${INSTANCE}/preparation`, "GET", userToken);
  expect(told).toMatchObject({ last: { outcome: "succeeded", log: expect.stringContaining("minute 4") } });
});

it("one that hangs is stopped at the limit, and its owner is told", async () => {
  await agent.hook("prepare", "echo begun; sleep 1000");
  agent.start();
  await hibernate();
  await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("hibernated\n");
  await expect
    .poll(kinds, PATIENCE)
    .toEqual(expect.arrayContaining(["preparing", "preparation_overdue", "hibernated"]));
});
