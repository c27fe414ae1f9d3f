import type { Call, Reply } from "../../outside/http.ts";

/**
 * TensorDock's instances by https://dashboard.tensordock.com/api/docs/instance-management and …/getting-started, with the
 * fields and the errors that its Terraform provider reads (https://github.com/apartmentlines/terraform-provider-tensordock).
 * The words of a 404 are not documented.
 */

export const TOKEN = "tensordock-token-0123";
export const ID = "550e8400-e29b-41d4-a716-446655440000";

export const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

export const NOT_FOUND = json(404, { error: "Instance not found", status: 404 });
export const NOT_FOUND_BY_REFERENCE = json(404, {
  errors: [{ status: "404", title: "Not Found", detail: "Instance not found." }],
});
export const UNAVAILABLE_WITHIN_200 = json(200, { error: "Hostnode unavailable", status: 400 });
export const NO_BALANCE = json(400, { error: "You need at least $1 in your account balance", status: 400 });
export const TOO_MANY: Reply = {
  ...json(429, { error: "Rate limit exceeded", status: 429 }),
  headers: { "Retry-After": "20" },
};

export interface Instance {
  readonly id: string;
  status: unknown;
  [field: string]: unknown;
}

export function instance(status = "running", more: Readonly<Record<string, unknown>> = {}): Instance {
  return {
    type: "virtualmachine",
    id: ID,
    name: "trainer",
    status,
    ipAddress: "38.80.122.7",
    portForwards: [{ internal_port: 22, external_port: 20000 }],
    resources: {
      vcpu_count: 8,
      ram_gb: 32,
      storage_gb: 200,
      gpus: { "geforcertx4090-pcie-24gb": { count: 2, v0Name: "geforcertx4090-pcie-24gb" } },
    },
    rateHourly: 0.814,
    ...more,
  };
}

/** The same as the list has it. */
export function enclosed({ id, type, ...attributes }: Instance) {
  return { type, id, attributes };
}

export class FakeTensorDock {
  readonly instances = new Map<string, Instance>();
  /** What a stop leads to, which is not documented. */
  stopped = "StoppedDisassociated";
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;

  put(...instances: readonly Instance[]): void {
    for (const each of instances) this.instances.set(each.id, each);
  }

  readonly answer = (call: Call): Reply => {
    const other = this.instead(call);
    if (other !== undefined) return other;
    if (call.headers.authorization !== `Bearer ${TOKEN}`) {
      return json(401, { error: "Unauthorized", status: 401 });
    }
    if (call.method === "GET" && call.path === "/instances") {
      return json(200, { data: { instances: [...this.instances.values()].map(enclosed) } });
    }
    const [, id = "", verb] = /^\/instances\/([^/]+)(?:\/(start|stop))?$/.exec(call.path) ?? [];
    const found = this.instances.get(id);
    if (found === undefined) return NOT_FOUND;
    if (call.method === "DELETE") {
      this.instances.delete(id);
      return json(200, {
        data: { type: "success", attributes: { message: "Instance deleted successfully" } },
      });
    }
    if (verb === undefined) return json(200, found);
    found.status = verb === "stop" ? this.stopped : "running";
    const status = verb === "stop" ? "stopping" : "starting";
    return json(200, { data: { type: "instance", id, attributes: { status } } });
  };
}
