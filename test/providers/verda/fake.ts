import { z } from "zod";
import type { Call, Reply } from "../../outside/http.ts";

/**
 * Verda's instances (API v1) as its own SDK reads them, with the answers of its tests:
 * https://github.com/verda-cloud/verdacloud-sdk-go (pkg/verda/instances_types.go, instances_test.go, auth.go). The codes of errors are
 * those of https://github.com/verda-cloud/sdk-python (constants).
 */

export const CREDENTIALS = { client_id: "Ibk5bdxV64lKAWOqYnvSi", client_secret: "verda-secret-0123456789" };
export const TOKEN = "verda-access-token";
export const ID = "123dd217-0d20-4a44-9f5a-0c8a6a0fbc22";

export const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });
export const fault = (status: number, code: string, message: string): Reply =>
  json(status, { code, message });

export const NOT_FOUND = fault(404, "not_found", "instance not found");
export const BAD_TOKEN = fault(401, "unauthorized_request", "Access token is missing or invalid");
export const BAD_SECRET = fault(401, "unauthorized_request", "Invalid client id or client secret");
export const FORBIDDEN_ACTION = fault(403, "forbidden_action", "action not allowed in current state");

interface Instance {
  readonly id: string;
  status: unknown;
  [field: string]: unknown;
}

export function instance(status = "running", more: Readonly<Record<string, unknown>> = {}): Instance {
  return {
    id: ID,
    ip: "198.51.100.7",
    status,
    created_at: "2026-10-01T02:03:04.000Z",
    cpu: { description: "60 CPU", number_of_cores: 60 },
    gpu: { description: "2x H100 SXM5 80GB", number_of_gpus: 2 },
    gpu_memory: { description: "160GB GPU RAM", size_in_gigabytes: 160 },
    memory: { description: "240GB RAM", size_in_gigabytes: 240 },
    storage: { description: "dynamic" },
    hostname: "trainer",
    description: "trains",
    location: "FIN-03",
    price_per_hour: 4.58,
    is_spot: false,
    instance_type: "2H100.80S.60V",
    os_volume_id: "vol-os",
    contract: "PAY_AS_YOU_GO",
    volume_ids: ["vol-os", "vol-data"],
    ...more,
  };
}

export class FakeVerda {
  readonly instances = new Map<string, Instance>();
  /** Those that a deletion took along. */
  readonly deletedVolumes: string[] = [];
  tokens = 0;
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;

  put(...instances: readonly Instance[]): void {
    for (const each of instances) this.instances.set(each.id, each);
  }

  readonly answer = (call: Call): Reply => {
    const other = this.instead(call);
    if (other !== undefined) return other;
    if (call.path === "/oauth2/token") return this.#token(call);
    if (call.headers.authorization !== `Bearer ${TOKEN}`) return BAD_TOKEN;
    if (call.path === "/instances") {
      return call.method === "PUT" ? this.#act(call) : json(200, [...this.instances.values()]);
    }
    const found = this.instances.get(call.path.replace("/instances/", ""));
    return found === undefined ? NOT_FOUND : json(200, found);
  };

  #token(call: Call): Reply {
    const { grant_type, client_id, client_secret } = JSON.parse(call.body);
    if (grant_type !== "client_credentials") return fault(400, "invalid_request", "unsupported grant type");
    if (client_id !== CREDENTIALS.client_id || client_secret !== CREDENTIALS.client_secret) return BAD_SECRET;
    this.tokens += 1;
    return json(200, {
      access_token: TOKEN,
      refresh_token: "x",
      token_type: "Bearer",
      expires_in: 3600,
      scope: "cloud-api-v1",
    });
  }

  #act(call: Call): Reply {
    const order = z
      .object({
        action: z.literal("delete"),
        id: z.array(z.string()),
        volume_ids: z.array(z.string()).nullish(),
      })
      .parse(JSON.parse(call.body));
    const results = order.id.map((id) => {
      const found = this.instances.get(id);
      const result = { action: order.action, instanceId: id };
      if (found === undefined)
        return { ...result, status: "error", error: "instance not found", statusCode: 404 };
      found.status = "deleting";
      // Nothing said means the system's volume.
      this.deletedVolumes.push(...(order.volume_ids ?? [String(found.os_volume_id)]));
      return { ...result, status: "success" };
    });
    return json(results.some(({ status }) => status === "error") ? 207 : 202, results);
  }
}
