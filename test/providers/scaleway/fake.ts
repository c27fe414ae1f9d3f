import type { Call, Reply } from "../../outside/http.ts";

/**
 * Scaleway's Instance API by its own SDK (https://github.com/scaleway/scaleway-sdk-go: api/instance/v1 with its recorded
 * answers, scw/errors.go): the documented shapes, statuses and errors. What protection forbids, and what a state allows,
 * is as it was measured in https://github.com/stephrobert/feint/pull/222.
 */

export const SECRET_KEY = "22222222-2222-4222-8222-222222222222";
export const READ_ONLY_KEY = "33333333-3333-4333-8333-333333333333";
export const ZONE = "fr-par-2";
export const ID = "11111111-1111-4111-8111-111111111111";
const IMAGE_ID = "44444444-4444-4444-8444-444444444444";

export const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

export const notFound = (resource: string, resource_id: string): Reply =>
  json(404, { type: "not_found", message: "resource is not found", resource, resource_id });

export const OUT_OF_STOCK = json(503, {
  type: "out_of_stock",
  message: "resource is out of stock",
  resource: "h100-1-80g",
});
export const QUOTA = json(403, {
  type: "quotas_exceeded",
  message: "quota(s) exceeded for this resource",
  details: [{ resource: "compute_snapshots", quota: 1, current: 1 }],
});
export const TRANSIENT = json(409, {
  type: "transient_state",
  message: "resource is in a transient state",
  resource: "instance_server",
  resource_id: ID,
  current_state: "starting",
});
export const PROTECTED = json(400, {
  type: "precondition_failed",
  message: "precondition is not respected",
  precondition: "protected_resource",
  help_message: "server is protected",
});
export const TOO_MANY: Reply = {
  ...json(429, { type: "too_many_requests", message: "rate limit exceeded" }),
  headers: { "Retry-After": "7" },
};
export const FORBIDDEN = json(403, {
  type: "permissions_denied",
  message: "insufficient permissions",
  details: [{ resource: "instance_server", action: "write" }],
});
const DENIED = json(401, {
  type: "denied_authentication",
  message: "authentication is denied",
  method: "api_key",
  reason: "not_found",
});

export interface Server {
  readonly id: string;
  state: unknown;
  [field: string]: unknown;
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  running: ["poweroff", "terminate", "reboot", "stop_in_place", "backup"],
  stopped: ["poweron", "backup"],
  "stopped in place": ["poweron", "poweroff", "reboot", "terminate", "backup"],
};
const STOPPING = ["poweroff", "terminate", "reboot", "stop_in_place"];

export function server(state = "running", more: Readonly<Record<string, unknown>> = {}): Server {
  return {
    id: ID,
    name: "trainer",
    commercial_type: "H100-2-80G",
    state,
    state_detail: "",
    protected: false,
    tags: ["team=vision"],
    creation_date: "2026-03-01T09:30:00.123456+00:00",
    volumes: {
      "0": { boot: false, id: "vol-sbs", state: "available", volume_type: "sbs_volume", zone: ZONE },
    },
    zone: ZONE,
    ...more,
  };
}

function shown(each: Server) {
  const allowed = ALLOWED[String(each.state)] ?? [];
  return {
    allowed_actions: each.protected === true ? allowed.filter((one) => !STOPPING.includes(one)) : allowed,
    ...each,
  };
}

export class FakeScaleway {
  /** By zone and id. */
  readonly servers = new Map<string, Server>();
  readonly volumes = new Set<string>();
  readonly images = new Map<string, { id: string; name: string; state: string }>();
  types: Record<string, unknown> = {
    "H100-2-80G": { gpu: 2, gpu_info: { gpu_name: "H100-PCIe" }, hourly_price: 5.46 },
    "DEV1-S": { gpu: null, gpu_info: null, hourly_price: 0.0088 },
  };
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;

  put(...servers: readonly Server[]): void {
    for (const each of servers) this.servers.set(`${each.zone}/${each.id}`, each);
  }

  readonly answer = (call: Call): Reply => {
    const other = this.instead(call);
    if (other !== undefined) return other;
    const key = call.headers["x-auth-token"];
    if (key !== SECRET_KEY && key !== READ_ONLY_KEY) return DENIED;
    if (call.method !== "GET" && key === READ_ONLY_KEY) return FORBIDDEN;
    const { pathname, searchParams } = new URL(call.path, "http://fake");
    const [, zone = "", path = ""] = /^\/instance\/v1\/zones\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
    if (call.method === "GET" && path === "/servers") return this.#list(zone, searchParams);
    if (call.method === "GET" && path === "/products/servers") {
      return json(200, { servers: paged(Object.entries(this.types), searchParams, Object.fromEntries) });
    }
    if (call.method === "GET" && path === "/images") {
      const name = searchParams.get("name") ?? "";
      return json(200, { images: [...this.images.values()].filter((image) => image.name.includes(name)) });
    }
    const [, kind = "", id = "", verb] =
      /^\/(servers|volumes|images)\/([^/]+)(?:\/(action))?$/.exec(path) ?? [];
    if (kind === "images") {
      const image = this.images.get(id);
      return image === undefined ? notFound("instance_image", id) : json(200, { image });
    }
    if (kind === "volumes") {
      return this.volumes.delete(id) ? { status: 204, body: "" } : notFound("instance_volume", id);
    }
    const found = this.servers.get(`${zone}/${id}`);
    if (found === undefined) return notFound("instance_server", id);
    if (verb === "action") return this.#act(found, JSON.parse(call.body));
    if (call.method === "GET") return json(200, { server: shown(found) });
    if (found.state !== "stopped") return TRANSIENT;
    this.servers.delete(`${zone}/${id}`);
    return { status: 204, body: "" };
  };

  #act(found: Server, { action, name }: { action: string; name?: string }): Reply {
    if (found.protected === true && STOPPING.includes(action)) return PROTECTED;
    if (!shown(found).allowed_actions.includes(action)) {
      return json(400, { type: "invalid_request_error", message: `server should be ${action}able` });
    }
    let href_result: string | undefined;
    if (action === "backup") {
      this.images.set(IMAGE_ID, { id: IMAGE_ID, name: name ?? "", state: "creating" });
      href_result = `/images/${IMAGE_ID}`;
    }
    if (action === "poweroff") found.state = "stopped";
    if (action === "poweron") found.state = "running";
    if (action === "terminate") this.servers.delete(`${found.zone}/${found.id}`);
    const task = { id: "t-1", description: `server_${action}`, status: "pending", progress: 0, href_result };
    return json(202, { task: { ...task, href_from: `/servers/${found.id}/action`, zone: found.zone } });
  }

  #list(zone: string, query: URLSearchParams): Reply {
    const there = [...this.servers.values()].filter((each) => each.zone === zone);
    return json(200, { servers: paged(there, query, (some) => some.map(shown)) });
  }
}

function paged<T, R>(all: readonly T[], query: URLSearchParams, shape: (some: readonly T[]) => R): R {
  const [page, size] = [Number(query.get("page") ?? 1), Number(query.get("per_page") ?? 50)];
  return shape(all.slice((page - 1) * size, page * size));
}
