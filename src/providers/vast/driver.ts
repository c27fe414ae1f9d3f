import { z } from "zod";
import { sleep } from "../../platform/sleep.ts";
import { decodeJson, notUnderstood, requireReference, sight } from "../answer.ts";
import { pageOf } from "../listing.ts";
import { type Progress, type Provider, ProviderError, type Target } from "../provider.ts";
import { notGranted, type Pause, type VastCredentials, vastCalls } from "./api.ts";
import { instanceSchema, listedInstance, sightingOf } from "./instance.ts";
import { serverlessWorkers, VAST_ENGINE } from "./serverless.ts";

/**
 * Vast.ai. Stopping keeps the disk, which is still billed, and gives the GPU away. A start waits in a queue for the same
 * host until it succeeds or the instance is stopped again.
 * https://docs.vast.ai/api-reference/instances/manage-instance, …/show-instance, …/show-instances and …/destroy-instance;
 * what a key may do: https://docs.vast.ai/api-reference/permissions.
 */

const VAST_API = "https://console.vast.ai/api";

/** As many as a page can hold. */
const PAGE_SIZE = 25;

/** Null where there is no such instance. */
const foundSchema = z.object({ instances: instanceSchema.nullable() });

const listSchema = z.object({
  instances: z.array(z.looseObject({ id: z.number().int().positive() })),
  next_token: z.string().nullish(),
});

const acceptedSchema = z.object({ success: z.literal(true) });

/** Between two pages: Vast.ai bears one a second. */
const PAGE_INTERVAL_MS = 1_100;

interface Surroundings {
  readonly engineUrl: string;
  readonly pause: Pause;
}

export function vast(
  credentials: VastCredentials,
  baseUrl = VAST_API,
  { engineUrl, pause }: Surroundings = { engineUrl: VAST_ENGINE, pause: sleep },
): Provider {
  const call = vastCalls(credentials, baseUrl);

  const order = async (target: Target, method: "PUT" | "DELETE", body: unknown): Promise<Progress> => {
    const answer = await call(method, pathOf(target), body);
    if (decodeJson(acceptedSchema, answer.text) === null) throw notGranted(answer);
    return "accepted";
  };

  // Also sent when it is stopped already: that takes a start out of the queue.
  const stop = (target: Target) => order(target, "PUT", { state: "stopped" });

  const listFrom = async (after: string | null, limit: number) => {
    const from = after === null ? "" : `&after_token=${encodeURIComponent(after)}`;
    const answer = await call("GET", `/v1/instances/?limit=${limit}${from}`);
    const listed = decodeJson(listSchema, answer.text);
    if (listed === null) throw notGranted(answer);
    return listed;
  };

  /** Finds out whether the key may change an instance, by a change that asks for nothing. */
  const tryToChange = async (path: string): Promise<void> => {
    try {
      const answer = await call("PUT", path, {});
      if (decodeJson(acceptedSchema, answer.text) === null) throw notGranted(answer);
    } catch (error) {
      if (!(error instanceof ProviderError) || error.code === "unauthorised" || error.isPassing) throw error;
    }
  };

  // Of the first page, for those that follow it.
  let workers: ReadonlyMap<string, string> | null = null;

  return {
    hibernate: stop,
    forceHibernate: stop,
    wake: (target) => order(target, "PUT", { state: "running" }),
    delete: (target) => order(target, "DELETE", {}),
    snapshot: async () => {
      throw new ProviderError("unsupported", "snapshots at Vast.ai are not supported");
    },
    snapshotState: async () => "failed",
    status: (target) =>
      sight(async () => {
        const found = decodeJson(foundSchema, (await call("GET", pathOf(target))).text);
        if (found === null) {
          return { state: "unknown", because: "Vast.ai answered something that is not an instance" };
        }
        return found.instances === null ? { state: "missing" } : sightingOf(found.instances);
      }),
    list: async (after) => {
      if (after !== null) await pause(PAGE_INTERVAL_MS);
      const { instances, next_token } = await listFrom(after, PAGE_SIZE);
      if (after === null) workers = null;
      if (instances.length > 0) {
        workers ??= await serverlessWorkers(call, vastCalls(credentials, engineUrl), pause);
      }
      const machines = instances.map((entry) => {
        const ref = String(entry.id);
        return listedInstance(ref, entry, workers?.get(ref) ?? null);
      });
      return pageOf(machines, after, nextOf(next_token, instances.length));
    },
    verify: async (target) => {
      if (target === null) {
        await listFrom(null, 1);
        // No instance has this number.
        return tryToChange("/v0/instances/0/");
      }
      const answer = await call("GET", pathOf(target));
      const found = decodeJson(foundSchema, answer.text);
      if (found === null) throw notUnderstood(answer);
      if (found.instances === null) {
        throw new ProviderError("not_found", `Vast.ai shows this key no instance ${target.ref}`);
      }
      return tryToChange(pathOf(target));
    },
  };
}

/** Where the next page begins; undefined when a full page does not say whether it is the last. */
function nextOf(token: string | null | undefined, instances: number): string | null | undefined {
  if (token === undefined && instances >= PAGE_SIZE) return undefined;
  return token || null;
}

function pathOf(target: Target): string {
  requireReference("vast", target);
  return `/v0/instances/${encodeURIComponent(target.ref)}/`;
}
