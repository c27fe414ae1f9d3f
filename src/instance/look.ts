import { SECOND_MS } from "../lifecycle/model/time.ts";
import { lookOrder } from "../lifecycle/rules/look.ts";
import { type OrderBindings, startAction } from "../orders/order.ts";
import { logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";
import type { InstanceLife } from "./life.ts";
import { idsOf } from "./outbox.ts";
import { orderParameters } from "./targets.ts";

const BEGIN_LIMIT_MS = 10 * SECOND_MS;

/**
 * Begins the look at its provider that the instance waits for, once. It is no effect of the outbox, which the former release must be
 * able to read: it follows from the state. One that can't be begun is tried again at the next alarm. Never throws.
 */
export async function askProvider(life: InstanceLife, env: OrderBindings): Promise<void> {
  const stored = life.known();
  const order = stored === null ? null : lookOrder(stored.state);
  if (stored === null || order === null) return;
  try {
    await within(BEGIN_LIMIT_MS, startAction(env, orderParameters(stored, order)));
  } catch (error) {
    logWarning("nobody looks at the machine yet, will be tried again", idsOf(stored), error);
  }
}
