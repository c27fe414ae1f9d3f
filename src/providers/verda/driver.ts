import { z } from "zod";
import { requireReference, sight } from "../answer.ts";
import { refusingSnapshots, refusingStops } from "../only-deletes.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import { decoded, VERDA_API, type VerdaCredentials, verdaCalls } from "./api.ts";
import { type Instance, instanceSchema, listedMachine, listedSchema, sightingOf } from "./instance.ts";

/**
 * Verda, formerly DataCrunch. A shutdown is billed as if the instance ran, and what Verda calls hibernation deletes it and keeps its
 * volumes: so nothing here is called hibernation. A deletion keeps all volumes.
 * https://github.com/verda-cloud/verdacloud-sdk-go (pkg/verda/instances.go: `Hibernate`, `Delete`, and what an action answers).
 */

const actedSchema = z.array(
  z.object({ instanceId: z.string(), status: z.string(), error: z.string().nullish() }),
);

export function verda(credentials: VerdaCredentials, baseUrl = VERDA_API): Provider {
  const call = verdaCalls(credentials, baseUrl);

  const read = async (target: Target): Promise<Instance> => {
    requireReference("verda", target);
    const instance = decoded(await call(`/instances/${encodeURIComponent(target.ref)}`), instanceSchema);
    if (instance.id === target.ref) return instance;
    throw new ProviderError("unavailable", `Verda was asked for ${target.ref}, and showed ${instance.id}`);
  };

  const listAll = async () => decoded(await call("/instances"), z.array(listedSchema));

  /** Left out, `volume_ids` would mean the system's volume; empty, it means none. */
  const deleteInstance = async ({ ref }: Target): Promise<Progress> => {
    const answer = await call("/instances", { action: "delete", id: [ref], volume_ids: [] });
    // It is so already.
    if (answer.status === 204) return "accepted";
    const result = decoded(answer, actedSchema).find(({ instanceId }) => instanceId === ref);
    if (result?.status === "success") return "accepted";
    throw new ProviderError(
      "refused",
      `Verda did not delete it: ${result?.error ?? "it says nothing of it"}`,
    );
  };

  return {
    ...refusingStops("Verda", "one that is shut down is billed as if it ran, and a hibernation deletes it"),
    ...refusingSnapshots("Verda takes no snapshots of an instance: a deletion keeps its volumes"),
    delete: async (target) => {
      const { state } = sightingOf(await read(target));
      if (state === "terminated") return "done";
      return state === "stopping" ? "accepted" : deleteInstance(target);
    },
    status: (target) => sight(async () => sightingOf(await read(target))),
    list: async () => ({ machines: (await listAll()).map(listedMachine), next: null }),
    verify: async (target) => {
      if (target === null) await listAll();
      else await read(target);
    },
  };
}
