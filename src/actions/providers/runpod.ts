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
 * RunPod, REST v1. A stopped pod keeps its volume and pays no GPU.
 * https://docs.runpod.io/api-reference/pods/POST/pods/podId/stop, …/start, GET and DELETE /pods/{podId}.
 */

export const runpodCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

const RUNPOD_API = "https://rest.runpod.io/v1";

const podSchema = z.object({ desiredStatus: z.enum(["RUNNING", "EXITED", "TERMINATED"]) });

export function runpod(credentials: z.infer<typeof runpodCredentialsSchema>, baseUrl = RUNPOD_API): Provider {
  const call = async (method: string, path: string): Promise<string> => {
    const response = await request("RunPod", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_key}` },
    });
    const text = await response.text();
    if (response.ok) return text;
    // Starting a pod whose machine has no GPU left is told in words, whatever the status.
    if (/not enough free gpus|no (longer )?(any )?(instances|capacity)/i.test(text)) {
      throw new ProviderError("no_capacity", `RunPod has no capacity: ${text.slice(0, 300)}`);
    }
    throw errorOfStatus("RunPod", response.status, text);
  };
  const order = async (target: Target, verb: "stop" | "start"): Promise<Progress> => {
    await call("POST", `${pathOf(target)}/${verb}`);
    return "accepted";
  };

  return {
    hibernate: (target) => order(target, "stop"),
    forceHibernate: (target) => order(target, "stop"),
    wake: (target) => order(target, "start"),
    delete: async (target) => {
      await call("DELETE", pathOf(target));
      return "accepted";
    },
    snapshot: async () => {
      throw new ProviderError("unsupported", "RunPod cannot take snapshots");
    },
    snapshotState: async () => "failed",
    status: async (target) => {
      try {
        return stateOf(podSchema.parse(JSON.parse(await call("GET", pathOf(target)))));
      } catch (error) {
        if (!(error instanceof ProviderError)) return "unknown";
        if (error.code === "not_found") return "gone";
        throw error;
      }
    },
    verify: async () => {
      await call("GET", "/pods");
    },
  };
}

function pathOf(target: Target): string {
  return `/pods/${encodeURIComponent(target.ref)}`;
}

function stateOf(pod: z.infer<typeof podSchema>): MachineState {
  switch (pod.desiredStatus) {
    case "RUNNING":
      return "running";
    case "EXITED":
      return "stopped";
    case "TERMINATED":
      return "gone";
  }
}
