import { z } from "zod";
import { ProviderError, type Target } from "../provider.ts";
import type { ScalewayCalls } from "./api.ts";
import type { Place } from "./server.ts";

/**
 * A backup: an image of all volumes of a server, but for scratch ones. https://www.scaleway.com/en/developers/api/instances/:
 * the action `backup`, and `GET /images`.
 */

const imageSchema = z.object({ id: z.string(), name: z.string(), state: z.string() });

const begunSchema = z.object({ task: z.object({ href_result: z.string().nullish() }) });

/** Begins an image, or finds the one that an earlier call of the same action began. Answers with its zone and id. */
export async function backUp(calls: ScalewayCalls, { zone, id }: Place, target: Target): Promise<string> {
  // The action takes no idempotency key, and names need not be unique: so the name is looked for first.
  const name = `dumont-${target.actionId}`;
  const former = await imageNamed(calls, zone, name);
  if (former !== null) return `${zone}/${former}`;
  const { task } = await calls.ask(
    { method: "POST", zone, path: `/servers/${id}/action`, body: { action: "backup", name }, id },
    begunSchema,
  );
  const image = /^\/?images\/([0-9a-f-]{36})$/.exec(task.href_result ?? "")?.[1];
  if (image !== undefined) return `${zone}/${image}`;
  const begun = await imageNamed(calls, zone, name);
  if (begun === null) throw new ProviderError("unavailable", `Scaleway does not show the image ${name} yet`);
  return `${zone}/${begun}`;
}

async function imageNamed(calls: ScalewayCalls, zone: string, name: string): Promise<string | null> {
  const path = `/images?name=${encodeURIComponent(name)}&per_page=100`;
  const shape = z.object({ images: z.array(imageSchema) });
  const { images } = await calls.ask({ method: "GET", zone, path }, shape);
  return images.find((image) => image.name === name)?.id ?? null;
}

export async function imageState(
  calls: ScalewayCalls,
  snapshotId: string,
): Promise<"pending" | "ready" | "failed"> {
  const [, zone, id] = /^([a-z0-9-]+)\/([0-9a-f-]{36})$/.exec(snapshotId) ?? [];
  if (zone === undefined || id === undefined) return "failed";
  const shape = z.object({ image: imageSchema });
  const { image } = await calls.ask({ method: "GET", zone, path: `/images/${id}`, id }, shape);
  switch (image.state) {
    case "available":
      return "ready";
    case "creating":
      return "pending";
    default:
      return "failed";
  }
}
