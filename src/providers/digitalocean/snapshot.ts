import { z } from "zod";
import { momentOf } from "../listing.ts";
import { ProviderError, type Snapshot, type Target } from "../provider.ts";
import type { DigitalOceanCalls } from "./api.ts";
import { pathOf } from "./droplet.ts";

/**
 * A snapshot of a Droplet's disk, by an action that tells how far it is, but not under which name. So the name is found in the
 * Droplet's own list of snapshots. https://docs.digitalocean.com/reference/api/reference/droplet-actions, and
 * `GET /droplets/{id}/snapshots`.
 */

const actionSchema = z.object({
  status: z.string(),
  type: z.string(),
  completed_at: z.string().nullish(),
});
const begunSchema = z.object({ action: actionSchema });
const actionsSchema = z.object({ actions: z.array(actionSchema) });
const snapshotsSchema = z.object({ snapshots: z.array(z.object({ name: z.string() })) });

/** A snapshot that is done may be listed a little later. */
const LISTED_WITHIN_MS = 10 * 60_000;

type State = "pending" | "ready" | "absent";

/** Begins a snapshot, or finds the one that an earlier call of the same action began: names need not be unique. */
export async function takeSnapshot(calls: DigitalOceanCalls, target: Target): Promise<Snapshot> {
  const path = pathOf(target);
  const name = `dumont-${target.actionId}`;
  const snapshotId = `${target.ref}/${name}`;
  const state = await stateOf(calls, path, name);
  if (state === "ready") return { snapshotId, done: true };
  if (state !== "pending") {
    const { action } = await calls.ask(`${path}/actions`, begunSchema, { type: "snapshot", name });
    if (action.type !== "snapshot" || action.status === "errored") {
      throw new ProviderError("unavailable", "DigitalOcean did not begin the snapshot");
    }
  }
  return { snapshotId, done: false };
}

export async function snapshotState(
  calls: DigitalOceanCalls,
  snapshotId: string,
): Promise<"pending" | "ready" | "failed"> {
  const [, ref, name] = /^([1-9]\d{0,14})\/(dumont-[\w-]+)$/.exec(snapshotId) ?? [];
  if (ref === undefined || name === undefined) return "failed";
  const state = await stateOf(calls, `/droplets/${ref}`, name);
  return state === "absent" ? "failed" : state;
}

async function stateOf(calls: DigitalOceanCalls, path: string, name: string): Promise<State> {
  const { actions } = await calls.ask(`${path}/actions?per_page=100`, actionsSchema);
  const taken = actions.filter(({ type }) => type === "snapshot");
  if (taken.some(({ status }) => status === "in-progress")) return "pending";
  const { snapshots } = await calls.ask(`${path}/snapshots?per_page=200`, snapshotsSchema);
  if (snapshots.some((snapshot) => snapshot.name === name)) return "ready";
  const justDone = taken.some(
    ({ status, completed_at }) =>
      status === "completed" && (momentOf(completed_at) ?? 0) > Date.now() - LISTED_WITHIN_MS,
  );
  return justDone ? "pending" : "absent";
}
