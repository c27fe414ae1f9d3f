import { z } from "zod";
import {
  errorOfStatus,
  type MachineState,
  type Progress,
  type Provider,
  ProviderError,
  request,
  type Target,
} from "./provider.ts";

/**
 * Vast.ai. Stopping keeps the disk and ends GPU charges; starting again waits for the host's capacity.
 * https://docs.vast.ai/api-reference/instances/manage-instance and …/show-instance; what each status means and
 * costs: https://docs.vast.ai/cli/reference/show-instances.
 */

export const vastCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

const VAST_API = "https://console.vast.ai/api/v0";

const instanceSchema = z.object({
  instances: z
    .object({
      actual_status: z.string().nullish(),
      intended_status: z.string().nullish(),
      cur_state: z.string().nullish(),
    })
    .nullable(),
});

const answerSchema = z.object({
  success: z.boolean(),
  msg: z.string().nullish(),
  error: z.string().nullish(),
});

export function vast(credentials: z.infer<typeof vastCredentialsSchema>, baseUrl = VAST_API): Provider {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await request("Vast.ai", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw errorOfStatus("Vast.ai", response.status, text);
    return parseJson(text);
  };

  const order = async (target: Target, method: string, body?: unknown): Promise<Progress> => {
    const answer = answerSchema.safeParse(await call(method, pathOf(target), body)).data;
    // A refusal comes as 200 with success: false.
    if (answer?.success === false) {
      const message = `Vast.ai refused: ${answer.msg ?? answer.error ?? "no reason given"}`;
      throw new ProviderError(answer.error === "no_such_instance" ? "not_found" : "no_capacity", message);
    }
    return "accepted";
  };

  return {
    hibernate: (target) => order(target, "PUT", { state: "stopped" }),
    forceHibernate: (target) => order(target, "PUT", { state: "stopped" }),
    wake: (target) => order(target, "PUT", { state: "running" }),
    delete: (target) => order(target, "DELETE", {}),
    snapshot: async () => {
      throw new ProviderError("unsupported", "Vast.ai cannot take snapshots");
    },
    snapshotState: async () => "failed",
    status: async (target) => {
      try {
        const { instances } = instanceSchema.parse(await call("GET", pathOf(target)));
        return instances === null ? "gone" : stateOf(instances);
      } catch (error) {
        if (error instanceof ProviderError && error.code === "not_found") return "gone";
        throw error;
      }
    },
    verify: async () => {
      await call("GET", "/users/current/");
    },
  };
}

function pathOf(target: Target): string {
  return `/instances/${encodeURIComponent(target.ref)}/`;
}

function stateOf(instance: NonNullable<z.infer<typeof instanceSchema>["instances"]>): MachineState {
  switch (instance.actual_status) {
    case "running":
    case "frozen":
    case "rebooting":
      return instance.intended_status === "stopped" ? "stopping" : "running";
    case "stopped":
    case "exited":
    case "created":
      return instance.intended_status === "running" ? "starting" : "stopped";
    case "loading":
    case null:
    case undefined:
      return "starting";
    default:
      // `offline` and `unknown`: the host does not say. The contract does.
      return instance.cur_state === "stopped" ? "stopped" : "unknown";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProviderError("unavailable", "Vast.ai answered something that is not JSON");
  }
}
