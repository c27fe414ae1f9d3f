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
import { pageOf } from "../listing.ts";
import { type Provider, ProviderError, type Target } from "../provider.ts";
import { isFree, listedPod, obstacleOf, type Pod, podSchema, sightingOf } from "./pod.ts";

/**
 * RunPod, REST v2. Stopping erases the container's own disk; volumes and network volumes are kept. A stopped pod stays
 * bound to its host, and may come back without a GPU.
 * https://docs.runpod.io/api-reference-v2: `GET /pods`, `GET` and `DELETE /pods/{id}`, `POST /pods/{id}/action`, and errors
 * by RFC 9457;
 * https://docs.runpod.io/pods/troubleshooting/zero-gpus.
 */

export const runpodCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

const RUNPOD_API = "https://api.runpod.io/v2";

const podsSchema = z.object({
  pods: z.array(z.looseObject({ id: z.string().min(1) })),
  // Not documented, and answered all the same.
  pagination: z.object({ nextCursor: z.string().nullish(), hasNextPage: z.boolean().nullish() }).nullish(),
});

const problemSchema = z.object({ title: z.string(), status: z.number(), detail: z.string() });

/** RunPod says only in words, with any status, that a host has no free GPU. */
const NO_CAPACITY =
  /does not have the resources to deploy|not enough free gpus|no longer any instances available/i;

export function runpod(credentials: z.infer<typeof runpodCredentialsSchema>, baseUrl = RUNPOD_API): Provider {
  const call = (method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<Answer> =>
    ask("RunPod", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  /** Null when the answer is not a pod. */
  const read = async (target: Target): Promise<{ answer: Answer; pod: Pod | null }> => {
    const answer = accepted(await call("GET", pathOf(target)));
    return { answer, pod: decodeJson(podSchema, answer.text) };
  };

  /** The pod, looked at before an order: an action that does not fit its status would be a 409. */
  const prepare = async (target: Target): Promise<Pod> => {
    const { answer, pod } = await read(target);
    if (pod === null) throw notUnderstood(answer);
    return pod;
  };

  const act = async (target: Target, pod: Pod, action: "start" | "stop"): Promise<"accepted"> => {
    if (!pod.actions.includes(action)) {
      const allowed = pod.actions.length === 0 ? "nothing" : pod.actions.join(", ");
      throw new ProviderError(
        "refused",
        `RunPod shows the pod as ${pod.status}, which allows ${allowed}, not ${action}`,
      );
    }
    const answer = await call("POST", `${pathOf(target)}/action`, { action });
    // A 409 means that the pod has changed since the look. The next try looks again.
    accepted(answer, answer.status === 409 ? "unavailable" : null);
    if (decodeJson(podSchema, answer.text) === null) throw notUnderstood(answer);
    return "accepted";
  };

  const stop = async (target: Target) => {
    const pod = await prepare(target);
    if (pod.status === "EXITED") return isFree(pod) ? "done" : "accepted";
    refuseObstacle(pod);
    return act(target, pod, "stop");
  };

  return {
    hibernate: stop,
    forceHibernate: stop,
    wake: async (target) => {
      const pod = await prepare(target);
      // Whether it has its GPUs shows at the next look.
      if (pod.status === "RUNNING" || pod.status === "STARTING" || pod.status === "PROVISIONING") {
        return "accepted";
      }
      return act(target, pod, "start");
    },
    delete: async (target) => {
      const pod = await prepare(target);
      if (pod.status === "TERMINATED") return "done";
      refuseObstacle(pod);
      accepted(await call("DELETE", pathOf(target)));
      return "accepted";
    },
    snapshot: async () => {
      throw new ProviderError("unsupported", "RunPod cannot take snapshots");
    },
    snapshotState: async () => "failed",
    status: (target) =>
      sight(async () => {
        const { pod } = await read(target);
        return pod === null
          ? { state: "unknown", because: "RunPod answered something that is not a pod" }
          : sightingOf(pod);
      }),
    list: async (after) => {
      const from = after === null ? "" : `&cursor=${encodeURIComponent(after)}`;
      const answer = accepted(await call("GET", `/pods?includeClusterPods=true${from}`));
      const listed = decodeJson(podsSchema, answer.text);
      if (listed === null) throw notUnderstood(answer);
      const machines = listed.pods.map((pod) => listedPod(pod.id, pod));
      return pageOf(machines, after, nextOf(listed));
    },
    verify: async (target) => {
      const path = target === null ? "/pods" : pathOf(target);
      const seen = accepted(await call("GET", path));
      const known = target === null ? decodeJson(podsSchema, seen.text) : decodeJson(podSchema, seen.text);
      if (known === null) throw notUnderstood(seen);
      // A key that may only read passes up to here, so an action that does not exist is tried as well. It is not
      // documented whether RunPod checks the key before the action, but nothing more can be found out without a change.
      const tried = await call("POST", `${target === null ? "/pods/none" : path}/action`, { action: "none" });
      const error = errorOfAnswer(tried);
      if (error.code === "unauthorised" || error.isPassing) throw error;
    },
  };
}

/** Where the next page begins; undefined when more is said to follow, but not where. */
function nextOf({ pagination }: z.infer<typeof podsSchema>): string | null | undefined {
  if (pagination?.nextCursor && pagination.hasNextPage !== false) return pagination.nextCursor;
  return pagination?.hasNextPage === true ? undefined : null;
}

function pathOf(target: Target): string {
  requireReference("runpod", target);
  return `/pods/${encodeURIComponent(target.ref)}`;
}

/** The answer, unless it is an error. `code` says which error where RunPod itself does not. */
function accepted(answer: Answer, code: "unavailable" | null = null): Answer {
  if (!isSuccess(answer)) throw errorOfAnswer(answer, code);
  return answer;
}

function errorOfAnswer(answer: Answer, code: "unavailable" | null = null): ProviderError {
  if (NO_CAPACITY.test(answer.text)) return errorOf(answer, "no_capacity");
  const problem = decodeJson(problemSchema, answer.text);
  const isMissing =
    problem !== null && answer.status === 404 && problem.status === 404 && problem.title === "Not Found";
  return errorOf(answer, isMissing ? "not_found" : code, problem?.detail);
}

function refuseObstacle(pod: Pod): void {
  const obstacle = obstacleOf(pod);
  if (obstacle !== null) throw new ProviderError("refused", obstacle);
}
