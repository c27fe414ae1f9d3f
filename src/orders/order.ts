import { sha256Hex } from "../accounts/digest.ts";
import type { ActionOrder } from "../lifecycle/model/effects.ts";
import type { ConnectedProvider } from "../lifecycle/model/provider.ts";
import { createOnce } from "../platform/create-once.ts";
import { hashText } from "../platform/hash.ts";
import type { ProviderOrder } from "../providers/provider.ts";

/** What the workflow of one action is told. */
export interface ActionParameters {
  readonly userId: string;
  readonly instanceId: string;
  readonly provider: ConnectedProvider;
  readonly providerRef: string;
  readonly order: ActionOrder;
}

/** How an action ended, as its actor is told. */
export type ActionOutcome = Succeeded | Gone | FoundRunning | Failed;

interface Succeeded {
  readonly type: "succeeded";
  readonly confirmedBy: string;
  readonly snapshotId: string | null;
  /** Dollars an hour that the stopped machine costs, by its provider's word. */
  readonly hourlyCost?: number | undefined;
}

/** It is proven that the machine no longer exists. */
interface Gone {
  readonly type: "gone";
}

/** A delete found the machine running although it counts as hibernated. */
interface FoundRunning {
  readonly type: "found_running";
}

export interface Failed {
  readonly type: "failed";
  readonly because: string;
  /** Of a wake: why it is not known whether its start was cancelled. Absent where it was. */
  readonly notCancelled?: string | undefined;
  /** The last try was refused for good: the provider has done nothing for that one. Absent is no. */
  readonly isRefused?: boolean | undefined;
  /** As of one that succeeded. */
  readonly hourlyCost?: number | undefined;
}

export function succeeded(
  confirmedBy: string,
  { snapshotId = null, hourlyCost }: Partial<Pick<Succeeded, "snapshotId" | "hourlyCost">> = {},
): Succeeded {
  return { type: "succeeded", confirmedBy, snapshotId, hourlyCost };
}

export function failed(because: string): Failed {
  return { type: "failed", because };
}

/** What the control plane of a `webhook` provider reports later about an order that it accepted. */
export interface ActionResult {
  readonly outcome: "succeeded" | "failed";
  readonly snapshotId: string | null;
  readonly because: string | null;
}

/** The workflow event that carries the result of this order, and of no other. */
export function resultEvent(order: ProviderOrder): string {
  return `result-${order}`;
}

/**
 * The id of an action's workflow, unique for good. It is a digest because workflow ids hold at most 100 plain
 * characters. It begins with the user's own digest, so that a result from outside can be checked to be that user's.
 */
export async function actionWorkflowId(
  userId: string,
  instanceId: string,
  actionId: string,
): Promise<string> {
  return `${await userPrefix(userId)}-${(await sha256Hex(`${userId}/${instanceId}/${actionId}`)).slice(0, 40)}`;
}

export async function isActionOf(userId: string, workflowId: string): Promise<boolean> {
  return workflowId.startsWith(`${await userPrefix(userId)}-`);
}

async function userPrefix(userId: string): Promise<string> {
  return (await sha256Hex(userId)).slice(0, 24);
}

export type OrderBindings = Pick<Env, "INSTANCE_ACTION" | "INSTANCE_ACTION_1" | "INSTANCE_ACTION_2">;

/** The binding that begins the workflow of this id: one of three, since each creates only so many a second. */
function bindingFor(env: OrderBindings, workflowId: string): Workflow<ActionParameters> {
  const bindings = [env.INSTANCE_ACTION, env.INSTANCE_ACTION_1, env.INSTANCE_ACTION_2];
  return bindings[hashText(workflowId) % bindings.length] ?? env.INSTANCE_ACTION;
}

/**
 * An action's workflow; null when there is none. The release before this one began all of them in the first binding, so it may
 * be found there too: the release after this one looks no more in the first for what belongs to another.
 */
export async function findAction(env: OrderBindings, workflowId: string): Promise<WorkflowInstance | null> {
  const find = (workflows: Workflow<ActionParameters>) => workflows.get(workflowId).catch(() => null);
  const binding = bindingFor(env, workflowId);
  const found = await find(binding);
  return found !== null || binding === env.INSTANCE_ACTION ? found : find(env.INSTANCE_ACTION);
}

/** Starts the action's workflow. Asked twice, it starts one. */
export async function startAction(env: OrderBindings, parameters: ActionParameters): Promise<void> {
  const { userId, instanceId, order } = parameters;
  const id = await actionWorkflowId(userId, instanceId, order.actionId);
  const binding = bindingFor(env, id);
  // Begun by the former release, see `findAction`. The platform has no error code for an id that does not exist.
  const isBegun =
    binding !== env.INSTANCE_ACTION && (await env.INSTANCE_ACTION.get(id).catch(() => null)) !== null;
  if (!isBegun) await createOnce(binding, id, parameters);
}
