import { z } from "zod";
import { requireReference } from "../answer.ts";
import { ProviderError, type Sighting, type Target } from "../provider.ts";
import type { ScalewayCalls } from "./api.ts";

/**
 * What Scaleway shows of a server, and what stands against an order to it. States and what each costs:
 * https://www.scaleway.com/en/docs/instances/reference-content/instance-states and …/instances/how-to/use-standby-mode.
 */

export const serverSchema = z.object({
  id: z.string(),
  state: z.string(),
  state_detail: z.string().nullish(),
  protected: z.boolean(),
  allowed_actions: z.array(z.string()).nullish(),
  tags: z.array(z.string()).nullish(),
  volumes: z.record(z.string(), z.object({ id: z.string(), volume_type: z.string().nullish() })).nullish(),
});

export type Server = z.infer<typeof serverSchema>;

/** A machine's place: a zone, and its id there. */
export interface Place {
  readonly zone: string;
  readonly id: string;
}

export function placeOf(target: Target): Place {
  requireReference("scaleway", target);
  const [zone = "", id = ""] = target.ref.split("/");
  return { zone, id };
}

export async function readServer(calls: ScalewayCalls, { zone, id }: Place): Promise<Server> {
  const found = z.object({ server: serverSchema });
  const { server } = await calls.ask({ method: "GET", zone, path: `/servers/${id}`, id }, found);
  if (server.id === id) return server;
  throw new ProviderError("unavailable", `Scaleway was asked for ${id}, and showed ${server.id}`);
}

/** Null for a state that is not known, or in which nothing can be told. */
export function stateOf(state: string): "running" | "starting" | "stopping" | "stopped" | null {
  switch (state) {
    case "running":
    // In standby: it keeps its place on the host, and is billed as if it ran.
    case "stopped in place":
      return "running";
    case "starting":
    case "stopping":
    case "stopped":
      return state;
    default:
      return null;
  }
}

export function sightingOf(server: Server): Sighting {
  const state = stateOf(server.state);
  if (state === null) {
    const detail = server.state_detail ? ` (${server.state_detail})` : "";
    return { state: "unknown", because: `Scaleway shows it as ${server.state}${detail}` };
  }
  // Scaleway does not say how many GPUs there are, but a server has those of its type, or does not start.
  return { state, gpus: null, obstacle: obstacleOf(server) };
}

/** Why the server must not be stopped or deleted; null when nothing stands against it. */
export function obstacleOf(server: Server): string | null {
  const cluster = clusterOf(server.tags ?? []);
  if (cluster !== null) {
    return `it is a node of the ${cluster}, which would replace it: change the pool instead`;
  }
  // Scaleway itself would delete a protected server that is stopped.
  return server.protected ? "its protection is on: turn it off at Scaleway" : null;
}

/** Kapsule tags the servers that are nodes of its clusters. */
export function clusterOf(tags: readonly string[]): string | null {
  const tag = tags.find((each) => each.startsWith("kapsule="));
  return tag === undefined ? null : `Kubernetes cluster ${tag.slice("kapsule=".length)}`;
}
