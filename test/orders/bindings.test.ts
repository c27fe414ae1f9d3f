import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { type ActionParameters, actionWorkflowId, findAction, startAction } from "../../src/orders/order.ts";
import { introspectOrders } from "./introspect.ts";

/** Orders are spread over three bindings, and none is begun in two. */

const BINDINGS = [env.INSTANCE_ACTION, env.INSTANCE_ACTION_1, env.INSTANCE_ACTION_2];

function parametersOf(number: number): ActionParameters {
  const order = {
    actionId: `hibernate-${number}`,
    kind: "hibernate",
    reason: "idle",
    machine: { provider: "webhook", providerRef: null },
    sighted: null,
    isHibernated: false,
    snapshotFirst: false,
  } as const;
  return { userId: "u-bindings", instanceId: "rig", provider: "webhook", providerRef: "rig", order };
}

const idOf = ({ userId, instanceId, order }: ActionParameters) =>
  actionWorkflowId(userId, instanceId, order.actionId);

/** In which bindings a workflow of this id is. */
async function whereIs(id: string): Promise<number[]> {
  const found = await Promise.all(BINDINGS.map((each) => each.get(id).catch(() => null)));
  return found.flatMap((one, number) => (one === null ? [] : [number]));
}

it("each order is begun once, and all bindings have their share", async () => {
  await using introspector = await introspectOrders();
  await introspector.modifyAll((each) => each.disableSleeps());
  const all = Array.from({ length: 30 }, (_, number) => parametersOf(number));
  await Promise.all(all.map((each) => startAction(env, each)));
  await Promise.all(all.map((each) => startAction(env, each)));
  const places = await Promise.all(all.map(async (each) => whereIs(await idOf(each))));
  for (const place of places) expect(place).toHaveLength(1);
  for (const number of [0, 1, 2]) {
    expect(places.filter(([place]) => place === number).length).toBeGreaterThanOrEqual(5);
  }
  for (const each of all) expect(await findAction(env, await idOf(each))).not.toBeNull();
  expect(await findAction(env, "nothing-of-this-id")).toBeNull();
});

it("an order that the former release began in the first binding is found there, and begun in no other", async () => {
  await using introspector = await introspectOrders();
  await introspector.modifyAll((each) => each.disableSleeps());
  const all = Array.from({ length: 12 }, (_, number) => parametersOf(100 + number));
  for (const params of all) await env.INSTANCE_ACTION.create({ id: await idOf(params), params });
  for (const each of all) {
    await startAction(env, each);
    const id = await idOf(each);
    expect(await whereIs(id)).toEqual([0]);
    expect((await findAction(env, id))?.id).toBe(id);
  }
});
