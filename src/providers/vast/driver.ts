import { z } from "zod";
import {
  type Answer,
  ask,
  decodeJson,
  errorOf,
  isSuccess,
  notUnderstood,
  requireReference,
  sight,
} from "../answer.ts";
import {
  type Progress,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
  type Sighting,
  type Target,
} from "../provider.ts";

/**
 * Vast.ai. Stopping keeps the disk, which is still billed, and gives the GPU away. A start waits in a queue for the same
 * host until it succeeds or the instance is stopped again.
 * https://docs.vast.ai/api-reference/instances/manage-instance, …/show-instance and …/destroy-instance; what each status
 * means and costs: https://docs.vast.ai/cli/reference/show-instances; errors:
 * https://docs.vast.ai/api-reference/rate-limits-and-errors.
 */

export const vastCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

const VAST_API = "https://console.vast.ai/api";

const instanceSchema = z.object({
  /** The contract's state, which decides what is billed: `running`, `stopped`, or `unloaded` once it is destroyed. */
  cur_state: z.string().nullish(),
  /** The container's state. */
  actual_status: z.string().nullish(),
  /** What its owner wants. */
  intended_status: z.string().nullish(),
  num_gpus: z.number().int().min(0).nullish(),
  instance: z.object({ gpuCostPerHour: z.number().nullish() }).nullish(),
});

type Instance = z.infer<typeof instanceSchema>;

/** Null where there is no such instance. */
const foundSchema = z.object({ instances: instanceSchema.nullable() });

const listSchema = z.object({ instances: z.array(z.unknown()) });

const acceptedSchema = z.object({ success: z.literal(true) });

const refusedSchema = z.object({
  success: z.literal(false).optional(),
  error: z.string().nullish(),
  msg: z.string().nullish(),
});

export function vast(credentials: z.infer<typeof vastCredentialsSchema>, baseUrl = VAST_API): Provider {
  const call = async (method: "GET" | "PUT" | "DELETE", path: string, body?: unknown): Promise<Answer> => {
    const answer = await ask("Vast.ai", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    return answer;
  };

  const order = async (target: Target, method: "PUT" | "DELETE", body: unknown): Promise<Progress> => {
    const answer = await call(method, pathOf(target), body);
    if (decodeJson(acceptedSchema, answer.text) !== null) return "accepted";
    // A refusal comes as 200 with `success: false`.
    throw decodeJson(z.object({ success: z.literal(false) }), answer.text) === null
      ? notUnderstood(answer)
      : errorOfAnswer(answer);
  };

  // Also sent when it is stopped already: that takes a start out of the queue.
  const stop = (target: Target) => order(target, "PUT", { state: "stopped" });

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
    list: null,
    verify: async (target) => {
      const answer = await call("GET", target === null ? "/v1/instances/?limit=1" : pathOf(target));
      if (target === null) {
        if (decodeJson(listSchema, answer.text) === null) throw notUnderstood(answer);
        return;
      }
      const found = decodeJson(foundSchema, answer.text);
      if (found === null) throw notUnderstood(answer);
      if (found.instances === null) {
        throw new ProviderError("not_found", `Vast.ai shows this key no instance ${target.ref}`);
      }
    },
  };
}

function pathOf(target: Target): string {
  requireReference("vast", target);
  return `/v0/instances/${encodeURIComponent(target.ref)}/`;
}

function errorOfAnswer(answer: Answer): ProviderError {
  const refused = decodeJson(refusedSchema, answer.text);
  return errorOf(answer, codeOf(answer, refused?.error ?? null), refused?.msg ?? undefined);
}

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf(answer: Answer, error: string | null): ProviderErrorCode | null {
  switch (error) {
    // From now on the start waits in the queue.
    case "resources_unavailable":
      return "no_capacity";
    case "no_such_instance":
    case "not_found":
      return "not_found";
    case "auth_error":
    case "permission_denied":
      return "unauthorised";
    case "rate_limit_exceeded":
      return "rate_limited";
    default:
      return isSuccess(answer) ? "refused" : null;
  }
}

function sightingOf(instance: Instance): Sighting {
  const shown = { gpus: instance.num_gpus ?? null, obstacle: null };
  switch (instance.cur_state) {
    case "unloaded":
      return { state: "terminated" };
    case "stopped": {
      // A start that waits in the queue costs nothing yet, but may at any moment.
      if (instance.intended_status === "running") return { state: "starting", ...shown };
      const price = instance.instance?.gpuCostPerHour ?? 0;
      return price === 0
        ? { state: "stopped", ...shown }
        : { state: "unknown", because: `Vast.ai shows it as stopped, but its GPU at $${price} an hour` };
    }
    case "running":
      return instance.intended_status === "stopped"
        ? { state: "stopping", ...shown }
        : runningOf(instance, shown);
    default:
      return {
        state: "unknown",
        because: `Vast.ai shows its contract as ${instance.cur_state ?? "nothing"}`,
      };
  }
}

/** The state of an instance whose contract runs: its GPU is billed, whatever the container does. */
function runningOf(
  instance: Instance,
  shown: { readonly gpus: number | null; readonly obstacle: null },
): Sighting {
  switch (instance.actual_status) {
    case "running":
    case "frozen":
    case "rebooting":
    case "exited":
      return { state: "running", ...shown };
    case "loading":
    case "created":
    case "stopped":
    case null:
    case undefined:
      return { state: "starting", ...shown };
    default:
      return {
        state: "unknown",
        because: `Vast.ai shows it as ${instance.actual_status}: its host does not say, and its GPU is paid`,
      };
  }
}
