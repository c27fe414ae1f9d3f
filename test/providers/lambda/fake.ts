import { z } from "zod";
import type { Call, Reply } from "../../outside/http.ts";

/**
 * Lambda Cloud's instances by its API 1.10 (https://docs.lambda.ai/api/cloud, spec.json): the documented shapes, codes of errors and
 * their default words.
 */

export const KEY = "lambda-key-0123456789";
export const ID = "0920582c7ff041399e34823a0be62549";

export const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });
export const fault = (status: number, code: string, message: string): Reply =>
  json(status, { error: { code, message, suggestion: "Contact Support." } });

export const NOT_FOUND = fault(404, "global/object-does-not-exist", "Specified instance does not exist.");
export const BAD_KEY = fault(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.");
export const INACTIVE = fault(403, "global/account-inactive", "Your account is inactive.");
export const CONFLICT = fault(
  409,
  "global/conflict",
  "The request conflicts with the current state of the resource.",
);

interface Instance {
  readonly id: string;
  status: unknown;
  [field: string]: unknown;
}

export function instance(status = "active", more: Readonly<Record<string, unknown>> = {}): Instance {
  return {
    id: ID,
    name: "trainer",
    ip: "198.51.100.2",
    private_ip: "10.0.2.100",
    status,
    ssh_key_names: ["my-key"],
    file_system_names: ["data"],
    region: { name: "us-west-1", description: "California, USA" },
    instance_type: {
      name: "gpu_8x_h100_sxm5gdr",
      description: "8x H100 (80 GB SXM5)",
      gpu_description: "H100 (80 GB SXM5)",
      price_cents_per_hour: 3592,
      specs: { vcpus: 208, memory_gib: 1800, storage_gib: 24780, gpus: 8 },
    },
    actions: Object.fromEntries(
      ["migrate", "rebuild", "restart", "cold_reboot", "terminate"].map((action) => [
        action,
        { available: true },
      ]),
    ),
    ...more,
  };
}

export class FakeLambda {
  readonly instances = new Map<string, Instance>();
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;

  put(...instances: readonly Instance[]): void {
    for (const each of instances) this.instances.set(each.id, each);
  }

  readonly answer = (call: Call): Reply => {
    const other = this.instead(call);
    if (other !== undefined) return other;
    if (call.headers.authorization !== `Bearer ${KEY}`) return BAD_KEY;
    if (call.method === "POST" && call.path === "/instance-operations/terminate") {
      const { instance_ids } = z
        .strictObject({ instance_ids: z.array(z.string()) })
        .parse(JSON.parse(call.body));
      const found = instance_ids.flatMap((id) => this.instances.get(id) ?? []);
      if (found.length !== instance_ids.length) return NOT_FOUND;
      for (const each of found) each.status = "terminating";
      return json(200, { data: { terminated_instances: found } });
    }
    if (call.method !== "GET") return fault(404, "global/not-found", "The requested resource was not found.");
    if (call.path === "/instances") return json(200, { data: [...this.instances.values()] });
    const found = this.instances.get(call.path.replace("/instances/", ""));
    return found === undefined ? NOT_FOUND : json(200, { data: found });
  };
}
