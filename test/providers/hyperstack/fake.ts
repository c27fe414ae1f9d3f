import type { Call, Reply } from "../../outside/http.ts";

/**
 * Hyperstack's virtual machines, by its OpenAPI document (https://docs.hyperstack.cloud/openapi/hyperstack.json) and
 * https://docs.hyperstack.cloud/docs/api-reference/errors: the documented shapes, statuses and errors.
 */

export const API_KEY = "hyperstack-key-0123";
export const READ_ONLY_KEY = "hyperstack-read-only";

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

export const refusal = (status: number, error_reason: string | undefined, message: string): Reply =>
  json(status, { status: false, message, error_reason });

export const NOT_FOUND = refusal(404, "not_found", "Virtual machine 94127 does not exists.");
export const NO_STOCK = refusal(400, "bad_request", "Not enough stock available for flavor n3-H100x1");
export const NO_BALANCE = refusal(400, "bad_request", "Insufficient balance to create the resource");
export const LEGACY_ERROR = json(500, { message: "Internal Server Error" });
export const TOO_MANY: Reply = { status: 429, body: "Too Many Requests", headers: { "Retry-After": "30" } };

const PRICE_BOOK = [
  {
    id: 1,
    name: "H100-80G-PCIe",
    value: "1.90000000",
    original_value: "2.50000000",
    discount_applied: true,
    start_time: null,
    end_time: null,
  },
  { id: 2, name: "Cloud-SSD", value: "0.00009589", original_value: "0.00009589", discount_applied: false },
  { id: 3, name: "RTX-A4000", value: "0.00000000", original_value: "0.00000000", discount_applied: false },
];

export interface Machine {
  readonly id: number;
  status: unknown;
  power_state: string | null;
  [field: string]: unknown;
}

const POWER: Readonly<Record<string, string>> = {
  ACTIVE: "RUNNING",
  SHUTOFF: "SHUTDOWN",
  HIBERNATED: "SHUTDOWN",
};

export function machine(
  id: number,
  status = "ACTIVE",
  more: Readonly<Record<string, unknown>> = {},
): Machine {
  return {
    id,
    name: "trainer",
    status,
    vm_state: status.toLowerCase(),
    power_state: POWER[status] ?? "NOSTATE",
    environment: { id: 6, name: "default-CANADA-1", org_id: 1, region: "CANADA-1" },
    flavor: {
      id: 95,
      name: "n3-H100x2",
      cpu: 56,
      ram: 360,
      disk: 100,
      ephemeral: 1500,
      gpu: "H100-80G-PCIe",
      gpu_count: 2,
      labels: [],
    },
    floating_ip: "38.80.122.7",
    locked: false,
    created_at: "2026-03-01T09:30:00+00:00",
    ...more,
  };
}

/** What each order makes of a machine, and in which status alone it is taken. */
const ORDERS: Readonly<Record<string, { readonly from: string; readonly to: string }>> = {
  hibernate: { from: "ACTIVE", to: "HIBERNATED" },
  "hibernate-restore": { from: "HIBERNATED", to: "ACTIVE" },
  start: { from: "SHUTOFF", to: "ACTIVE" },
  stop: { from: "ACTIVE", to: "SHUTOFF" },
};

export class FakeHyperstack {
  readonly machines = new Map<string, Machine>();
  clusters: unknown[] = [];
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;

  put(...machines: readonly Machine[]): void {
    for (const each of machines) this.machines.set(String(each.id), each);
  }

  readonly answer = (call: Call): Reply => {
    const other = this.instead(call);
    if (other !== undefined) return other;
    const { api_key: key } = call.headers;
    if (key !== API_KEY && key !== READ_ONLY_KEY) return refusal(401, "unauthorized", "Invalid API key");
    const { pathname, searchParams } = new URL(call.path, "http://fake");
    if (call.method === "GET" && pathname === "/pricebook") return json(200, PRICE_BOOK);
    if (call.method === "GET" && pathname === "/core/clusters") {
      return json(200, { status: true, message: "", clusters: this.clusters });
    }
    if (call.method === "GET" && pathname === "/core/virtual-machines") return this.#list(searchParams);
    const [, id = "", verb] = /^\/core\/virtual-machines\/(\d+)(?:\/([a-z-]+))?$/.exec(pathname) ?? [];
    const isOrder = call.method === "DELETE" || verb !== undefined;
    if (isOrder && key === READ_ONLY_KEY) return refusal(403, "forbidden", "You are not allowed to do this");
    const found = this.machines.get(id);
    if (found === undefined) return refusal(404, "not_found", `Virtual machine ${id} does not exists.`);
    if (call.method === "DELETE") {
      this.machines.delete(id);
      return json(200, { status: true, message: "Deleting VM" });
    }
    return verb === undefined
      ? json(200, { status: true, message: "Getting instance success", instance: found })
      : order(found, verb);
  };

  #list(query: URLSearchParams): Reply {
    const [page, page_size] = [Number(query.get("page")), Number(query.get("pageSize"))];
    const all = [...this.machines.values()];
    const instances = all.slice((page - 1) * page_size, page * page_size);
    return json(200, { status: true, message: "", page, page_size, count: all.length, instances });
  }
}

function order(found: Machine, verb: string): Reply {
  const change = ORDERS[verb];
  if (change === undefined)
    return refusal(405, "not_allowed", "The method is not allowed for the requested URL.");
  if (found.status !== change.from) {
    return refusal(400, "bad_request", `Virtual machine must be in ${change.from} state`);
  }
  Object.assign(found, { status: change.to, power_state: POWER[change.to] });
  return json(200, { status: true, message: `${verb} of the VM was requested` });
}
