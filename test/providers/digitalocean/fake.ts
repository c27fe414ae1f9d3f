import { z } from "zod";
import type { Call, Reply } from "../../outside/http.ts";

/**
 * DigitalOcean's Droplets by its OpenAPI file (https://github.com/digitalocean/openapi): `droplets_list`, `droplets_get`,
 * `droplets_destroy`, `droplets_list_snapshots`, `dropletActions_list`, `dropletActions_post`, and its shared error bodies. That an
 * action is refused while another is pending is said in words only.
 */

export const TOKEN = "dop_v1_0123456789abcdef";
export const ID = 3164444;
export const REF = String(ID);

export const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });
export const fault = (status: number, id: string, message: string): Reply => json(status, { id, message });

export const NOT_FOUND = fault(404, "not_found", "The resource you requested could not be found.");
export const UNAUTHORIZED = fault(401, "unauthorized", "Unable to authenticate you");
export const FORBIDDEN = fault(403, "forbidden", "You do not have permission to perform this action.");
export const TOO_MANY: Reply = {
  ...fault(429, "too_many_requests", "API rate limit exceeded."),
  headers: { "Retry-After": "23", "ratelimit-limit": "5000" },
};
export const PENDING = fault(422, "unprocessable_entity", "Droplet already has a pending event.");

interface Droplet {
  readonly id: number;
  status: unknown;
  [field: string]: unknown;
}

const GPU_SIZE = {
  slug: "gpu-h100x8-640gb",
  price_hourly: 23.92,
  price_monthly: 17796.48,
  gpu_info: { count: 8, model: "nvidia_h100", vram: { amount: 640, unit: "gib" } },
};

export function droplet(status = "active", more: Readonly<Record<string, unknown>> = {}): Droplet {
  return {
    id: ID,
    name: "trainer",
    memory: 1966080,
    vcpus: 160,
    disk: 2046,
    locked: false,
    status,
    created_at: "2026-10-01T02:03:04Z",
    features: ["monitoring"],
    snapshot_ids: [],
    volume_ids: [],
    size: GPU_SIZE,
    size_slug: GPU_SIZE.slug,
    region: { name: "New York 2", slug: "nyc2" },
    tags: ["env:prod"],
    ...more,
  };
}

export const plain = (id: number, more = {}) =>
  droplet("active", { id, size: { slug: "s-1vcpu-1gb", price_hourly: 0.00893 }, ...more });

interface Action {
  readonly id: number;
  readonly type: string;
  status: string;
  completed_at: string | null;
}

export class FakeDigitalOcean {
  readonly droplets = new Map<number, Droplet>();
  readonly actions: Action[] = [];
  readonly snapshots: string[] = [];
  /** So many Droplets are on a page, whatever is asked for. */
  pageSize = 200;
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;

  put(...droplets: readonly Droplet[]): void {
    for (const each of droplets) this.droplets.set(each.id, each);
  }

  /** The snapshot that was begun ends so, and is listed if it is done. */
  finish(status: "completed" | "errored", { isListed = true, at = Date.now() } = {}): void {
    const action = this.actions.find((each) => each.status === "in-progress");
    if (action === undefined) throw new Error("no action is in progress");
    action.status = status;
    action.completed_at = new Date(at).toISOString();
    const name = this.#names.get(action.id);
    if (status === "completed" && isListed && name !== undefined) this.snapshots.push(name);
  }

  /** Another action on the Droplet begins. */
  begin(type: string, name?: string): Action {
    const action = { id: 36804636 + this.actions.length, type, status: "in-progress", completed_at: null };
    this.actions.unshift(action);
    if (name !== undefined) this.#names.set(action.id, name);
    return action;
  }

  readonly #names = new Map<number, string>();

  readonly answer = (call: Call): Reply => {
    const other = this.instead(call);
    if (other !== undefined) return other;
    if (call.headers.authorization !== `Bearer ${TOKEN}`) return UNAUTHORIZED;
    const { pathname, searchParams } = new URL(call.path, "http://digitalocean");
    if (pathname === "/droplets" && call.method === "GET") return this.#list(searchParams);
    const [, id = "", rest = ""] = /^\/droplets\/(\d+)(\/actions|\/snapshots)?$/.exec(pathname) ?? [];
    const found = this.droplets.get(Number(id));
    if (found === undefined) return NOT_FOUND;
    if (rest === "/snapshots") {
      return json(200, {
        snapshots: this.snapshots.map((name, index) => ({ id: index + 1, name })),
        links: {},
      });
    }
    if (rest === "/actions") {
      if (call.method === "GET") return json(200, { actions: this.actions, links: {} });
      if (this.actions.some(({ status }) => status === "in-progress")) return PENDING;
      const { type, name } = z.object({ type: z.string(), name: z.string() }).parse(JSON.parse(call.body));
      return json(201, { action: this.begin(type, name) });
    }
    if (call.method === "GET") return json(200, { droplet: found });
    this.droplets.delete(found.id);
    return { status: 204, body: "" };
  };

  #list(query: URLSearchParams): Reply {
    const page = Number(query.get("page") ?? 1);
    const wanted = query.get("type") === "gpus";
    const all = [...this.droplets.values()].filter(
      ({ size }) => JSON.stringify(size).includes("gpu_info") === wanted,
    );
    const some = all.slice((page - 1) * this.pageSize, page * this.pageSize);
    const next =
      page * this.pageSize < all.length ? { next: `https://api.digitalocean.com/v2/x?page=${page + 1}` } : {};
    return json(200, { droplets: some, links: { pages: next }, meta: { total: all.length } });
  }
}
