import { introspectWorkflow, type WorkflowInstanceIntrospector } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** The workflows of all orders, whichever binding they are begun in. */
export async function introspectOrders() {
  const bindings = [env.INSTANCE_ACTION, env.INSTANCE_ACTION_1, env.INSTANCE_ACTION_2];
  const all = await Promise.all(bindings.map((binding) => introspectWorkflow(binding)));
  const dispose = async () => {
    await Promise.all(all.map((each) => each.dispose()));
  };
  return {
    modifyAll: async (modify: Parameters<(typeof all)[number]["modifyAll"]>[0]) => {
      for (const each of all) await each.modifyAll(modify);
    },
    get: async (): Promise<WorkflowInstanceIntrospector[]> =>
      (await Promise.all(all.map((each) => each.get()))).flat(),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** The same, whose sleeps and waits before another try are over at once. */
export async function introspectHurriedOrders() {
  const orders = await introspectOrders();
  await orders.modifyAll(async (each) => {
    await each.disableSleeps();
    await each.disableRetryDelays();
  });
  return orders;
}
