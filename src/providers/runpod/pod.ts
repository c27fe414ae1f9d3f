import { z } from "zod";
import { listedState, momentOf, unreadMachine } from "../listing.ts";
import type { ListedMachine, Sighting } from "../provider.ts";

/** What RunPod shows of a pod: https://docs.runpod.io/api-reference-v2/pods/get-a-pod and …/list-pods. */

const text = z.string().nullish().catch(null);

export const podSchema = z.object({
  status: z.string(),
  actions: z.array(z.string()),
  cost: z.number().nullish(),
  locked: z.boolean().nullish(),
  gpu: z.object({ id: text, count: z.number().int().min(0).nullish() }).nullish(),
  cpu: z.unknown().optional(),
  cluster: z.object({ id: z.string() }).nullish(),
  /** Either a volume on its host, with its size in GB, or a network volume, which is billed by itself. */
  mounts: z
    .object({
      persistent: z.object({ size: z.number().min(0) }).nullish(),
      network: z.array(z.unknown()).nullish(),
    })
    .nullish()
    .catch(undefined),
});

export type Pod = z.infer<typeof podSchema>;

/** What the list is read for beyond the state. What is not as documented is left out, so that the rest still counts. */
const listedSchema = podSchema.extend({
  name: text,
  dataCenterId: text,
  createdAt: text,
  /** Of serverless workers. The second version of the API does not document it; the first listed workers by it. */
  endpointId: text,
});

/** An entry of the list. */
export function listedPod(ref: string, entry: unknown): ListedMachine {
  const { data } = listedSchema.safeParse(entry);
  if (data === undefined) return unreadMachine(ref);
  return {
    ref,
    name: data.name || null,
    state: listedState(sightingOf(data)),
    gpu: data.gpu?.id || null,
    gpus: gpusOf(data),
    region: data.dataCenterId || null,
    createdAt: momentOf(data.createdAt),
    // What it costs now: 0 once it has stopped, though its volume is still paid.
    hourlyCost: data.cost != null && data.cost > 0 ? data.cost : null,
    stoppedHourlyCost: stoppedHourlyCostOf(data),
    memberOf: memberOf(data.cluster?.id, data.endpointId),
  };
}

function memberOf(
  clusterId: string | null | undefined,
  endpointId: string | null | undefined,
): string | null {
  if (clusterId) return `cluster ${clusterId}`;
  return endpointId ? `serverless endpoint ${endpointId}` : null;
}

/** Why the pod must not be stopped or deleted; null when nothing stands against it. */
export function obstacleOf(pod: Pod): string | null {
  if (pod.locked === true) return "the pod is locked: unlock it at RunPod";
  if (pod.cluster != null) {
    return `the pod belongs to the cluster ${pod.cluster.id}: a cluster is stopped and deleted as a whole, at RunPod`;
  }
  return null;
}

/** Whether its GPU is no longer billed. Only the price shows that. */
export function isFree(pod: Pod): boolean {
  return pod.cost === 0;
}

/** Dollars a GB and month of a volume on the host of a pod that is stopped: https://docs.runpod.io/pods/pricing. */
const STOPPED_VOLUME_COST = 0.2;
const HOURS_PER_MONTH = 730;

/**
 * What a stopped pod costs an hour: its volume, since its own disk is erased. Null where RunPod does not say what it has, or it
 * has a network volume, whose size is not said.
 */
function stoppedHourlyCostOf({ mounts }: Pod): number | null {
  if (mounts == null || (mounts.network ?? []).length > 0) return null;
  return ((mounts.persistent?.size ?? 0) * STOPPED_VOLUME_COST) / HOURS_PER_MONTH;
}

export function sightingOf(pod: Pod): Sighting {
  const shown = { gpus: gpusOf(pod), obstacle: obstacleOf(pod) };
  const price = pod.cost == null ? "without a price" : `at $${pod.cost} an hour`;
  switch (pod.status) {
    case "PROVISIONING":
    case "STARTING":
      return { state: "starting", ...shown };
    case "RUNNING":
      return { state: "running", ...shown };
    case "EXITED":
      return isFree(pod)
        ? { state: "stopped", ...shown, stoppedHourlyCost: stoppedHourlyCostOf(pod) ?? undefined }
        : { state: "unknown", because: `RunPod shows the pod as EXITED, but ${price}` };
    case "TERMINATED":
      return { state: "terminated" };
    default:
      return { state: "unknown", because: `RunPod shows the pod as ${pod.status}, ${price}` };
  }
}

/** Null when RunPod does not say. A pod that came back without a GPU may be shown as one with a CPU only: 0. */
function gpusOf(pod: Pod): number | null {
  if (pod.gpu != null) return pod.gpu.count ?? null;
  return pod.cpu == null ? null : 0;
}
