import { z } from "zod";
import { sight } from "../answer.ts";
import { pageOf } from "../listing.ts";
import { refusingStops } from "../only-deletes.ts";
import { type MachinePage, type Provider, ProviderError, type Target } from "../provider.ts";
import {
  DIGITALOCEAN_API,
  type DigitalOceanCalls,
  type DigitalOceanCredentials,
  digitalOceanCalls,
} from "./api.ts";
import { listedMachine, listedSchema, obstacleOf, pathOf, readDroplet, sightingOf } from "./droplet.ts";
import { snapshotState, takeSnapshot } from "./snapshot.ts";

/**
 * DigitalOcean Droplets, those with GPUs too. One that is powered off is billed as if it ran, so it can only be deleted; a snapshot
 * of its disk may be taken before. https://docs.digitalocean.com/products/droplets/details/pricing;
 * https://docs.digitalocean.com/reference/api/reference/droplets.
 */

/** By default only Droplets without GPUs are listed, so each type is asked for. */
const TYPES = ["gpus", "droplets"] as const;

const PAGE_SIZE = 200;

const pageSchema = z.object({
  droplets: z.array(listedSchema),
  links: z.object({ pages: z.object({ next: z.string().nullish() }).nullish() }).nullish(),
});

export function digitalocean(credentials: DigitalOceanCredentials, baseUrl = DIGITALOCEAN_API): Provider {
  const calls = digitalOceanCalls(credentials, baseUrl);
  return {
    ...refusingStops("DigitalOcean", "one that is powered off is billed as if it ran"),
    delete: async (target) => {
      await requireDeletable(calls, target);
      await calls.remove(pathOf(target));
      return "accepted";
    },
    snapshot: async (target) => {
      // The snapshot comes before a deletion, which would otherwise fail hours later.
      await requireDeletable(calls, target);
      return takeSnapshot(calls, target);
    },
    snapshotState: (snapshotId) => snapshotState(calls, snapshotId),
    status: (target) => sight(async () => sightingOf(await readDroplet(calls, target))),
    list: (after) => listDroplets(calls, after),
    verify: async (target) => {
      if (target === null) await calls.ask("/droplets?type=gpus&per_page=1", pageSchema);
      else await readDroplet(calls, target);
    },
  };
}

async function requireDeletable(calls: DigitalOceanCalls, target: Target): Promise<void> {
  const droplet = await readDroplet(calls, target);
  if (droplet.tags == null) {
    throw new ProviderError("unavailable", "DigitalOcean does not say whether it is the node of a cluster");
  }
  const obstacle = obstacleOf(droplet);
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}

/** Pages are numbered here, so that no link of an answer is followed. */
async function listDroplets(calls: DigitalOceanCalls, after: string | null): Promise<MachinePage> {
  const [name, number] = (after ?? `${TYPES[0]}/1`).split("/");
  const type = TYPES.find((each) => each === name);
  const page = Number(number);
  if (type === undefined || !Number.isInteger(page) || page < 1) {
    throw new ProviderError("refused", `there is no page ${after}`);
  }
  const path = `/droplets?type=${type}&per_page=${PAGE_SIZE}&page=${page}`;
  const { droplets, links } = await calls.ask(path, pageSchema);
  const following = TYPES[TYPES.indexOf(type) + 1];
  const next = links?.pages?.next ? `${type}/${page + 1}` : following === undefined ? null : `${following}/1`;
  return pageOf(droplets.map(listedMachine), after, next);
}
