import { z } from "zod";
import { requireReference } from "../answer.ts";
import { listedState, momentOf, unreadMachine } from "../listing.ts";
import { type ListedMachine, ProviderError, type Sighting, type Target } from "../provider.ts";
import type { DigitalOceanCalls } from "./api.ts";

/**
 * What DigitalOcean shows of a Droplet. https://docs.digitalocean.com/reference/api/reference/droplets; one that is off is billed all
 * the same: https://docs.digitalocean.com/products/droplets/details/pricing.
 */

export const dropletSchema = z.object({
  id: z.number().int().min(1),
  name: z.string().nullish().catch(null),
  status: z.string(),
  created_at: z.string().nullish().catch(null),
  tags: z.array(z.string()).nullish().catch(null),
  region: z.object({ slug: z.string() }).nullish().catch(null),
  size: z
    .object({
      price_hourly: z.number().nullish(),
      gpu_info: z.object({ count: z.number().int().min(0).nullish(), model: z.string().nullish() }).nullish(),
    })
    .nullish()
    .catch(null),
});

export type Droplet = z.infer<typeof dropletSchema>;

/** In a list: of an odd one only the id is demanded. */
export const listedSchema = z.union([
  dropletSchema,
  z.object({ id: z.number().int().min(1) }).transform(({ id }): Droplet => ({ id, status: "" })),
]);

const foundSchema = z.object({ droplet: dropletSchema });

export function pathOf(target: Target): string {
  requireReference("digitalocean", target);
  return `/droplets/${encodeURIComponent(target.ref)}`;
}

export async function readDroplet(calls: DigitalOceanCalls, target: Target): Promise<Droplet> {
  const { droplet } = await calls.ask(pathOf(target), foundSchema);
  if (String(droplet.id) === target.ref) return droplet;
  throw new ProviderError(
    "unavailable",
    `DigitalOcean was asked for ${target.ref}, and showed ${droplet.id}`,
  );
}

export function sightingOf(droplet: Droplet): Sighting {
  const shown = { gpus: gpusOf(droplet), obstacle: obstacleOf(droplet) };
  switch (droplet.status) {
    case "active":
    // It is powered off, and is billed in full.
    case "off":
      return { state: "running", ...shown };
    case "new":
      return { state: "starting", ...shown };
    default:
      return { state: "unknown", because: `DigitalOcean shows it as ${droplet.status || "nothing"}` };
  }
}

/** Why it must not be deleted; null when nothing stands against it. */
export function obstacleOf({ tags }: Droplet): string | null {
  const cluster = clusterOf(tags ?? []);
  return cluster === null
    ? null
    : `it is a node of the ${cluster}, which would replace it: change the node pool instead`;
}

/** DigitalOcean tags the nodes of its clusters with `k8s`, and with the id of each cluster. */
function clusterOf(tags: readonly string[]): string | null {
  if (!tags.includes("k8s")) return null;
  const id = tags.map((tag) => /^k8s:([0-9a-f-]{36})$/.exec(tag)?.[1]).find((each) => each !== undefined);
  return `Kubernetes cluster${id === undefined ? "" : ` ${id}`}`;
}

/** A size without GPUs does not mention them. */
function gpusOf({ size }: Droplet): number | null {
  if (size == null) return null;
  return size.gpu_info == null ? 0 : (size.gpu_info.count ?? null);
}

export function listedMachine(droplet: Droplet): ListedMachine {
  const { id, name, size, tags } = droplet;
  const price = size?.price_hourly ?? 0;
  return {
    ...unreadMachine(String(id)),
    name: name ?? null,
    state: listedState(sightingOf(droplet)),
    gpu: size?.gpu_info?.model ?? null,
    gpus: gpusOf(droplet),
    region: droplet.region?.slug ?? null,
    createdAt: momentOf(droplet.created_at),
    hourlyCost: price > 0 ? price : null,
    memberOf: clusterOf(tags ?? []),
  };
}
