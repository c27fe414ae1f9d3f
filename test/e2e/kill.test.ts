import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";

const ROUNDS = 20;
const INSTANCES = 16;
const LOAD_MS = 1_500;
/** Under the 120 a minute that one instance token is granted. */
const HEARTBEATS_PER_ROUND = 110;

let world: ServerWorld;
let user: User;

beforeAll(async () => {
  world = await ServerWorld.create();
  user = await world.newUser("Ada");
});
afterAll(() => world.end());

const pageSchema = z.object({
  heartbeats: z.array(z.object({ cost_accumulated: z.number() })),
  next_cursor: z.string().nullable(),
});

/** Numbers of all heartbeats that the service has of an instance, each told by its cost. */
async function readNumbers(instanceId: string): Promise<number[]> {
  const numbers: number[] = [];
  let cursor = "";
  for (;;) {
    const response = await fetch(
      `${world.url}/api/agent/instances/${instanceId}/heartbeats?limit=1000${cursor}`,
      { headers: { Authorization: `Bearer ${user.token}` } },
    );
    const page = pageSchema.parse(await response.json());
    numbers.push(...page.heartbeats.map((heartbeat) => heartbeat.cost_accumulated));
    if (page.next_cursor === null) return numbers;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

it("every acknowledged heartbeat is there after twenty times kill -9 under load", async () => {
  const instances = await Promise.all(
    Array.from({ length: INSTANCES }, async (_, index) => {
      const id = `rig-${index}`;
      const token = await registerInstance(world.url, user.token, {
        instance_id: id,
        name: id,
        hourly_cost: 1,
        hibernated_hourly_cost: 0,
      });
      return { id, token, sent: 0, acknowledged: new Set<number>() };
    }),
  );

  for (let round = 0; round < ROUNDS; round++) {
    const load = new AbortController();
    const beating = instances.map(async (instance) => {
      for (let beat = 0; beat < HEARTBEATS_PER_ROUND && !load.signal.aborted; beat++) {
        instance.sent += 1;
        const number = instance.sent;
        await sendHeartbeat(world.url, instance.token, {
          instance_id: instance.id,
          cost_accumulated: number,
        }).then(
          () => instance.acknowledged.add(number),
          () => undefined,
        );
      }
    });
    await sleep(LOAD_MS);
    await world.kill();
    load.abort();
    await Promise.all(beating);
    await world.start();
    for (const { id, acknowledged } of instances) {
      const numbers = await readNumbers(id);
      const kept = new Set(numbers);
      expect(
        [...acknowledged].filter((number) => !kept.has(number)),
        `lost by ${id}`,
      ).toEqual([]);
      expect(numbers.length, `heartbeats of ${id}, each once`).toBe(kept.size);
    }
  }

  const sent = instances.reduce((sum, instance) => sum + instance.sent, 0);
  const acknowledged = instances.reduce((sum, instance) => sum + instance.acknowledged.size, 0);
  console.log(`${acknowledged} heartbeats acknowledged of ${sent} sent`);
  // On average each is heard in each round, on the slowest machine.
  expect(acknowledged).toBeGreaterThan(ROUNDS * INSTANCES);
  // The kills came in the middle of it.
  expect(sent - acknowledged).toBeGreaterThan(ROUNDS);
});
