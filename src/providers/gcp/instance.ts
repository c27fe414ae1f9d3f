import { z } from "zod";
import { requireReference } from "../answer.ts";
import { ProviderError, type Shown, type Sighting, type Target } from "../provider.ts";
import type { GcpCall } from "./api.ts";

/**
 * What Compute Engine shows of an instance, and what stands against an order to it.
 * https://docs.cloud.google.com/compute/docs/instances/instance-lifecycle (states and what they cost),
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1/instances,
 * https://docs.cloud.google.com/compute/docs/disks/local-ssd#stop_instance,
 * https://docs.cloud.google.com/compute/docs/instance-groups/working-with-managed-instances.
 */

export const instanceSchema = z.object({
  name: z.string(),
  status: z.string(),
  machineType: z.string().nullish(),
  creationTimestamp: z.string().nullish(),
  deletionProtection: z.boolean().nullish(),
  disks: z.array(z.object({ type: z.string().nullish() })).nullish(),
  guestAccelerators: z
    .array(
      z.object({
        acceleratorCount: z.number().int().min(0).nullish(),
        acceleratorType: z.string().nullish(),
      }),
    )
    .nullish(),
  metadata: z
    .object({ items: z.array(z.object({ key: z.string(), value: z.string().nullish() })).nullish() })
    .nullish(),
  reservationAffinity: z
    .object({ consumeReservationType: z.string().nullish(), values: z.array(z.string()).nullish() })
    .nullish(),
  resourceStatus: z
    .object({
      reservationConsumptionInfo: z.object({ consumedReservation: z.string().nullish() }).nullish(),
    })
    .nullish(),
  scheduling: z.object({ nodeAffinities: z.array(z.unknown()).nullish() }).nullish(),
});

export type Instance = z.infer<typeof instanceSchema>;

const readSchema = instanceSchema.extend({ kind: z.literal("compute#instance") });

/** The machine's path in the API. Throws for a reference of another project, where these credentials have no business. */
export function pathOf(target: Target, projectId: string): string {
  requireReference("gcp", target);
  if (!target.ref.startsWith(`projects/${projectId}/`)) {
    throw new ProviderError(
      "refused",
      `the provider's reference ${target.ref} is of another project than that of the credentials, ${projectId}`,
    );
  }
  return target.ref;
}

export async function readInstance(call: GcpCall, path: string): Promise<Instance> {
  const instance = await call({ method: "GET", api: "compute", path }, readSchema);
  if (!path.endsWith(`/instances/${instance.name}`)) {
    throw new ProviderError("unavailable", `Google answered with another instance: ${instance.name}`);
  }
  return instance;
}

/** How an instance is. `stopped` and `suspended` ones are not billed for cores, memory or GPUs, by Google's own word. */
export type Phase = "starting" | "running" | "graceful" | "stopping" | "stopped" | "suspended" | "repairing";

/** Null for a status that is not documented. */
export function phaseOf({ status }: Pick<Instance, "status">): Phase | null {
  switch (status) {
    case "PENDING":
    case "PROVISIONING":
    case "STAGING":
      return "starting";
    case "RUNNING":
      return "running";
    // It still runs, and is billed, for as long as its graceful shutdown may take.
    case "PENDING_STOP":
      return "graceful";
    case "DEPROVISIONING":
    case "STOPPING":
    case "SUSPENDING":
      return "stopping";
    case "STOPPED":
    case "TERMINATED":
      return "stopped";
    case "SUSPENDED":
      return "suspended";
    case "REPAIRING":
      return "repairing";
    default:
      return null;
  }
}

/** `phaseOf` in the words that all providers share. */
export function stateOf(instance: Pick<Instance, "status">): Shown["state"] | "unknown" {
  const phase = phaseOf(instance);
  switch (phase) {
    case "starting":
    case "running":
    case "stopping":
    case "stopped":
      return phase;
    case "graceful":
      return "stopping";
    case "suspended":
      return "stopped";
    // It may come back running, and it may not.
    case "repairing":
    case null:
      return "unknown";
  }
}

export function sightingOf(instance: Instance): Sighting {
  const state = stateOf(instance);
  return state === "unknown"
    ? { state, because: `Google shows it as ${instance.status}` }
    : { state, gpus: gpusOf(instance), obstacle: stopObstacle(instance) };
}

/** Machine types that come with GPUs: Google lists those as accelerators too, but does not promise to. */
const GPU_TYPES = /^[ag]\d/;

/** Null when Google does not say. */
export function gpusOf({ guestAccelerators, machineType }: Instance): number | null {
  if (guestAccelerators == null || guestAccelerators.length === 0) {
    return machineType == null || GPU_TYPES.test(lastOf(machineType)) ? null : 0;
  }
  let sum = 0;
  for (const { acceleratorCount } of guestAccelerators) {
    if (acceleratorCount == null) return null;
    sum += acceleratorCount;
  }
  return sum;
}

/** The model of its GPUs, such as `A100 80GB` for `nvidia-a100-80gb`. */
export function gpuOf({ guestAccelerators }: Instance): string | null {
  const type = guestAccelerators?.[0]?.acceleratorType;
  if (type == null) return null;
  return lastOf(type)
    .replace(/^nvidia-(tesla-)?/, "")
    .replaceAll("-", " ")
    .toUpperCase();
}

/** The managed instance group that made it; null when none did. Google itself writes this into the metadata. */
export function groupOf({ metadata }: Instance): string | null {
  const maker = metadata?.items?.find(({ key }) => key === "created-by")?.value ?? "";
  const [, name] = /\/instanceGroupManagers\/([^/]+)$/.exec(maker) ?? [];
  return name === undefined ? null : `managed instance group ${name}`;
}

/** Why the instance can't or must not be stopped; null when nothing stands against it. */
export function stopObstacle(instance: Instance): string | null {
  const group = groupObstacle(instance);
  if (group !== null) return group;
  if (hasLocalSsd(instance)) {
    return "it has local SSDs, and a stop would erase them: keep what matters on other disks, and make it anew without them";
  }
  const reservation = reservationOf(instance);
  if (reservation !== null) {
    return `it uses the reservation ${reservation}, which is billed whether it runs or not: a stop would save nothing`;
  }
  return (instance.scheduling?.nodeAffinities ?? []).length > 0
    ? "it runs on a sole-tenant node, which is billed whether it runs or not: a stop would save nothing"
    : null;
}

/** Why the instance can't or must not be deleted; null when nothing stands against it. */
export function deleteObstacle(instance: Instance): string | null {
  return (
    groupObstacle(instance) ?? (instance.deletionProtection === true ? "its deletion protection is on" : null)
  );
}

function groupObstacle(instance: Instance): string | null {
  const group = groupOf(instance);
  return group === null
    ? null
    : `it belongs to the ${group}, which would repair or replace it: change the group instead`;
}

export function hasLocalSsd({ disks }: Instance): boolean {
  return disks?.some(({ type }) => type === "SCRATCH") ?? false;
}

function reservationOf({ reservationAffinity, resourceStatus }: Instance): string | null {
  const consumed = resourceStatus?.reservationConsumptionInfo?.consumedReservation;
  if (consumed != null && consumed !== "") return lastOf(consumed);
  if (reservationAffinity?.consumeReservationType !== "SPECIFIC_RESERVATION") return null;
  return lastOf(reservationAffinity.values?.[0] ?? "that it names");
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
