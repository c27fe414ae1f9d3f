import {
  type ActionParameters,
  actionWorkflowId,
  findAction,
  type OrderBindings,
  startAction,
} from "./order.ts";

/** Carrying an order out anew whose workflow has ended without its word, or was lost. */

/** The states of a workflow from which it goes on by itself. */
const GOING_ON: ReadonlySet<string> = new Set<InstanceStatus["status"]>([
  "queued",
  "running",
  "waiting",
  "paused",
  "waitingForPause",
]);

async function workflowOf(env: OrderBindings, { userId, instanceId, order }: ActionParameters) {
  return findAction(env, await actionWorkflowId(userId, instanceId, order.actionId));
}

export async function isBeingCarriedOut(env: OrderBindings, parameters: ActionParameters): Promise<boolean> {
  const workflow = await workflowOf(env, parameters);
  return workflow !== null && GOING_ON.has((await workflow.status()).status);
}

/** Begins the workflow of the order from its start. One that goes on is left alone. */
export async function repeatAction(env: OrderBindings, parameters: ActionParameters): Promise<void> {
  const workflow = await workflowOf(env, parameters);
  if (workflow === null) return startAction(env, parameters);
  if (!GOING_ON.has((await workflow.status()).status)) await workflow.restart();
}
