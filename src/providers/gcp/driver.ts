import { z } from "zod";
import { sight } from "../answer.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import { type GcpAddresses, type GcpCall, GcpError, GOOGLE, gcpCalls, order } from "./api.ts";
import type { GcpCredentials } from "./credentials.ts";
import {
  deleteObstacle,
  hasLocalSsd,
  type Instance,
  pathOf,
  phaseOf,
  readInstance,
  sightingOf,
  stopObstacle,
} from "./instance.ts";
import { askForPage, listInstances } from "./list.ts";
import { requestIdOf } from "./request-id.ts";

/**
 * Google Compute Engine. Machines are stopped, never suspended, which not every guest system can. One that its owner suspended
 * counts as stopped, since no compute is billed, and is resumed. A snapshot is a machine image. Orders are operations at Google; how
 * they went shows in the state of the instance.
 * https://docs.cloud.google.com/compute/docs/instances/suspend-stop-reset-instances-overview;
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1/instances: `stop`, `start`, `resume`, `delete`,
 * `testIamPermissions`; https://docs.cloud.google.com/compute/docs/machine-images/create-machine-images;
 * https://docs.cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions.
 */

const imageSchema = z.object({ kind: z.literal("compute#machineImage"), status: z.string() });

const permissionsSchema = z.object({ permissions: z.array(z.string()).default([]) });

/** What the orders to an instance need, tried on the instance itself. */
const INSTANCE_PERMISSIONS = ["get", "stop", "start", "delete", "useReadOnly"].map(
  (verb) => `compute.instances.${verb}`,
);

/** What listing and machine images need beyond that. They are tried on the project. */
const PROJECT_PERMISSIONS = [
  "compute.disks.createSnapshot",
  "compute.instances.list",
  "compute.machineImages.create",
  "compute.machineImages.get",
];

export function gcp(credentials: GcpCredentials, addresses: GcpAddresses = GOOGLE): Provider {
  const call = gcpCalls(credentials, addresses);
  const { project_id: projectId } = credentials;
  const look = async (target: Target) => {
    const path = pathOf(target, projectId);
    return { path, instance: await readInstance(call, path) };
  };
  const post = async (
    target: Target,
    path: string,
    verb: "stop" | "start" | "resume",
    query: Readonly<Record<string, string>> = {},
  ): Promise<Progress> => {
    const requestId = await requestIdOf(target, `${verb}${JSON.stringify(query)}`);
    await order(call, { method: "POST", path: `${path}/${verb}`, query: { ...query, requestId } });
    return "accepted";
  };
  return {
    hibernate: async (target) => {
      const { path, instance } = await look(target);
      const phase = phaseOf(instance);
      if (phase === "stopped" || phase === "suspended") return "done";
      if (phase === "stopping" || phase === "graceful") return "accepted";
      refuseIf(stopObstacle(instance));
      return post(target, path, "stop");
    },
    forceHibernate: async (target) => {
      const { path, instance } = await look(target);
      const phase = phaseOf(instance);
      if (phase === "stopped" || phase === "suspended") return "done";
      if (phase === "stopping") return "accepted";
      refuseIf(stopObstacle(instance));
      return post(target, path, "stop", { noGracefulShutdown: "true" });
    },
    wake: async (target) => {
      const { path, instance } = await look(target);
      switch (phaseOf(instance)) {
        // Whether it has its GPUs shows at the next look.
        case "starting":
        case "running":
        case "repairing":
          return "accepted";
        case "graceful":
        case "stopping":
          throw new ProviderError("unavailable", "Google is just stopping it: it can be started after that");
        case "suspended":
          return post(target, path, "resume");
        case "stopped":
        case null:
          return post(target, path, "start");
      }
    },
    delete: async (target) => {
      const { path, instance } = await look(target);
      refuseIf(deleteObstacle(instance));
      // A name may be given anew, so a repetition must be known as one: it would delete a machine made meanwhile.
      const requestId = await requestIdOf(target, "delete");
      await order(call, { method: "DELETE", path, query: { requestId } });
      return "accepted";
    },
    snapshot: async (target) => {
      const { path, instance } = await look(target);
      // The snapshot comes before a deletion, which would otherwise fail hours later.
      refuseIf(deleteObstacle(instance));
      refuseIf(imageObstacle(instance));
      return { snapshotId: await createImage(call, target, path, projectId), done: false };
    },
    snapshotState: (snapshotId) => imageState(call, snapshotId, projectId),
    status: (target) => sight(async () => sightingOf((await look(target)).instance)),
    list: (after) => listInstances(call, projectId, after),
    verify: async (target) => {
      if (target === null) {
        await askForPage(call, projectId, null, 1);
        await tryOnProject(call, projectId, [...PROJECT_PERMISSIONS, ...INSTANCE_PERMISSIONS]);
        return;
      }
      const { path } = await look(target);
      const tried = { method: "POST", api: "compute", path: `${path}/testIamPermissions` } as const;
      const body = { permissions: INSTANCE_PERMISSIONS };
      refuseMissing(INSTANCE_PERMISSIONS, await call({ ...tried, body }, permissionsSchema));
      await tryOnProject(call, projectId, PROJECT_PERMISSIONS);
    },
  };
}

/** Asks for permissions on the whole project. Where that API is not switched on, nobody can tell, and orders will show it. */
async function tryOnProject(call: GcpCall, projectId: string, permissions: readonly string[]): Promise<void> {
  const path = `projects/${projectId}:testIamPermissions`;
  try {
    const request = { method: "POST", api: "resourceManager", path, body: { permissions } } as const;
    refuseMissing(permissions, await call(request, permissionsSchema));
  } catch (error) {
    if (isError(error, "accessnotconfigured", "servicedisabled")) return;
    throw error;
  }
}

function refuseMissing(wanted: readonly string[], { permissions }: z.infer<typeof permissionsSchema>): void {
  const missing = wanted.filter((permission) => !permissions.includes(permission));
  if (missing.length > 0) {
    throw new ProviderError("unauthorised", `the service account lacks ${missing.join(", ")}`);
  }
}

/** A machine image holds no local SSD. Once the instance is stopped they are empty, and nothing is left out. */
function imageObstacle(instance: Instance): string | null {
  return hasLocalSsd(instance) && phaseOf(instance) !== "stopped"
    ? "it has local SSDs, which a machine image leaves out: it could not be deleted without a loss"
    : null;
}

/** Begins a machine image, or finds the one that an earlier call of the same action began. Answers with its path. */
async function createImage(call: GcpCall, target: Target, path: string, projectId: string): Promise<string> {
  const requestId = await requestIdOf(target, "snapshot");
  const images = `projects/${projectId}/global/machineImages`;
  // The name comes from the action too, so a second image can't be made even when Google has forgotten the request.
  const name = `dumont-${requestId}`;
  try {
    await order(call, {
      method: "POST",
      path: images,
      query: { requestId },
      body: { name, sourceInstance: path, description: `Made before the deletion of ${path}` },
    });
  } catch (error) {
    if (!isError(error, "alreadyexists")) throw error;
  }
  return `${images}/${name}`;
}

async function imageState(
  call: GcpCall,
  snapshotId: string,
  projectId: string,
): Promise<"pending" | "ready" | "failed"> {
  const images = `projects/${projectId}/global/machineImages/`;
  if (!snapshotId.startsWith(images) || !/^dumont-[0-9a-f-]{36}$/.test(snapshotId.slice(images.length))) {
    throw new ProviderError("refused", `${snapshotId} is not a machine image of the project ${projectId}`);
  }
  try {
    const { status } = await call({ method: "GET", api: "compute", path: snapshotId }, imageSchema);
    switch (status) {
      case "READY":
        return "ready";
      case "CREATING":
      case "UPLOADING":
        return "pending";
      default:
        return "failed";
    }
  } catch (error) {
    // A new image may not be shown at once.
    if (error instanceof ProviderError && error.code === "not_found") return "pending";
    throw error;
  }
}

function isError(error: unknown, ...reasons: readonly string[]): boolean {
  return error instanceof GcpError && reasons.some((reason) => error.reasons.includes(reason));
}

function refuseIf(obstacle: string | null): void {
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}
