import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/**
 * Azure Resource Manager and its token endpoint, by https://learn.microsoft.com/en-us/rest/api/compute (2025-04-01): the
 * documented shapes, statuses and errors. As Azure does, it ignores the case of names, shows groups in a case of its own,
 * and does what it has accepted only later (`settle`).
 */

export const TENANT = "11111111-1111-4111-8111-111111111111";
export const SUBSCRIPTION = "22222222-2222-4222-8222-222222222222";
export const CREDENTIALS = {
  tenant_id: TENANT,
  client_id: "33333333-3333-4333-8333-333333333333",
  client_secret: "a-secret~of.the-application",
  subscription_id: SUBSCRIPTION,
};

export interface FakeMachine {
  power: string | null;
  provisioning: string;
  /** What else its states hold, such as `ProvisioningState/failed/AllocationFailed`. */
  failure?: string;
  size: string;
  /** More of what is shown beside its properties, and of its properties. */
  beside?: object;
  more?: object;
}

export interface FakeLock {
  readonly name: string;
  readonly level: "CanNotDelete" | "ReadOnly";
}

export const json = (status: number, value: unknown, headers = {}): Reply => ({
  status,
  body: JSON.stringify(value),
  headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
});

export const fault = (status: number, code: string, message: string, headers = {}): Reply =>
  json(status, { error: { code, message } }, headers);

const OWNER = [{ actions: ["*"], notActions: [] }];

export class FakeAzure {
  machines = new Map<string, FakeMachine>();
  locks: FakeLock[] = [];
  snapshots = new Map<string, { body: unknown; provisioningState: string; completionPercent?: number }>();
  /** What the application may do on a machine, and on its group. */
  permissions: { actions?: string[]; notActions?: string[] }[] = OWNER;
  groupPermissions: { actions?: string[]; notActions?: string[] }[] = OWNER;
  tokensIssued = 0;
  /** How long a token is good for, in seconds. */
  tokenLife = 3599;
  pageSize = 50;
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call) => Reply | undefined = () => undefined;
  readonly #http: FakeHttp;

  private constructor(http: FakeHttp) {
    this.#http = http;
  }

  static async start(): Promise<FakeAzure> {
    const made: FakeAzure[] = [];
    const http = await FakeHttp.start((call) => made[0]?.answer(call) ?? { status: 500, body: "" });
    const fake = new FakeAzure(http);
    made.push(fake);
    return fake;
  }

  get urls() {
    return { login: `${this.#http.url}/login`, management: this.#http.url };
  }

  get calls(): Call[] {
    return this.#http.calls;
  }

  /** What was asked for that changes something. */
  get orders(): string[] {
    return this.calls
      .filter(({ method, path }) => method !== "GET" && !path.startsWith("/login/"))
      .map(({ method, path }) => `${method} ${path.replace(/^\/subscriptions\/[^/]+/, "")}`);
  }

  stop(): Promise<void> {
    return this.#http.stop();
  }

  reset(): void {
    this.calls.length = 0;
    this.machines = new Map();
    this.locks = [];
    this.snapshots = new Map();
    this.permissions = OWNER;
    this.groupPermissions = OWNER;
    this.tokensIssued = 0;
    this.tokenLife = 3599;
    this.pageSize = 50;
    this.instead = () => undefined;
  }

  /** Whatever was accepted has been done. */
  settle(): void {
    for (const [ref, machine] of this.machines) {
      if (machine.provisioning === "Deleting") this.machines.delete(ref);
      if (machine.power === "deallocating") Object.assign(machine, { power: "deallocated" });
      if (machine.power === "starting") Object.assign(machine, { power: "running" });
      Object.assign(machine, { provisioning: "Succeeded" });
    }
    for (const snapshot of this.snapshots.values()) snapshot.provisioningState = "Succeeded";
  }

  answer(call: Call): Reply {
    const other = this.instead(call);
    if (other !== undefined) return other;
    const url = new URL(call.path, "http://azure");
    if (url.pathname.startsWith("/login/")) return this.#login(call, url.pathname);
    const [, token] = /^Bearer token-(\d+)$/.exec(call.headers.authorization ?? "") ?? [];
    if (token === undefined || Number(token) > this.tokensIssued) {
      return fault(401, "InvalidAuthenticationToken", "The access token is invalid.");
    }
    const [, subscription, rest = ""] = /^\/subscriptions\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    if (subscription !== SUBSCRIPTION) {
      return fault(404, "SubscriptionNotFound", `The subscription '${subscription}' could not be found.`);
    }
    if (!url.searchParams.has("api-version")) {
      return fault(400, "MissingApiVersionParameter", "The api-version query parameter is required.");
    }
    if (rest === "/providers/Microsoft.Compute/virtualMachines") return this.#list(url);
    const [, group = "", below = ""] = /^\/resourceGroups\/([^/]+)(\/.*)$/.exec(rest) ?? [];
    if (below === "/providers/Microsoft.Authorization/permissions") {
      return json(200, { value: this.groupPermissions });
    }
    const [, kind, name = "", action = ""] =
      /^\/providers\/Microsoft\.Compute\/(virtualMachines|snapshots)\/([^/]+)(\/.*)?$/.exec(below) ?? [];
    if (kind === "snapshots") return this.#snapshot(call, group, name);
    if (kind === "virtualMachines") return this.#machine(call, url, group, name, action);
    return fault(400, "InvalidRequestUri", "The request URI is not valid.");
  }

  #login({ method, headers, body }: Call, path: string): Reply {
    const form = new URLSearchParams(body);
    const isForm = headers["content-type"] === "application/x-www-form-urlencoded" && method === "POST";
    if (path !== `/login/${TENANT}/oauth2/v2.0/token` || !isForm) {
      return json(400, { error: "invalid_request", error_description: "AADSTS90002: Tenant not found." });
    }
    const isKnown =
      form.get("client_id") === CREDENTIALS.client_id &&
      form.get("client_secret") === CREDENTIALS.client_secret &&
      form.get("grant_type") === "client_credentials" &&
      form.get("scope") === "https://management.azure.com/.default";
    if (!isKnown) {
      return json(401, {
        error: "invalid_client",
        error_description: "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 255d1aef",
        error_codes: [7000215],
      });
    }
    this.tokensIssued++;
    return json(200, {
      token_type: "Bearer",
      expires_in: this.tokenLife,
      ext_expires_in: this.tokenLife,
      access_token: `token-${this.tokensIssued}`,
    });
  }

  #machine({ method }: Call, url: URL, group: string, name: string, action: string): Reply {
    const ref = `${group}/${name}`.toLowerCase();
    const machine = this.machines.get(ref);
    if (machine === undefined) {
      if (method === "DELETE") return { status: 204, body: "" };
      return fault(
        404,
        "ResourceNotFound",
        `The Resource 'Microsoft.Compute/virtualMachines/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
      );
    }
    if (action === "/providers/Microsoft.Authorization/permissions") {
      return json(200, { value: this.permissions });
    }
    if (action === "/providers/Microsoft.Authorization/locks") {
      const value = this.locks.map(({ name, level }) => ({ name, properties: { level, notes: "" } }));
      return json(200, { value: url.searchParams.get("$filter") === "atScope()" ? value : [] });
    }
    if (method === "GET" && action === "") {
      return json(
        200,
        shown(ref, machine, url.searchParams.get("$expand") === "instanceView" ? "all" : "model"),
      );
    }
    const lock = this.locks.find(({ level }) => level === "ReadOnly" || method === "DELETE");
    if (lock !== undefined) {
      return fault(
        409,
        "ScopeLocked",
        `The scope '${ref}' cannot perform ${method === "DELETE" ? "delete" : "write"} operation because following scope(s) are locked: '/subscriptions/${SUBSCRIPTION}'. Please remove the lock and try again.`,
      );
    }
    if (method === "DELETE" && action === "") return this.#accept(machine, { provisioning: "Deleting" });
    if (method !== "POST") return fault(405, "HttpMethodNotSupported", "The method is not supported.");
    if (action === "/deallocate") {
      return this.#accept(machine, { power: "deallocating", provisioning: "Updating" });
    }
    if (action === "/start") return this.#accept(machine, { power: "starting", provisioning: "Updating" });
    return fault(404, "NotFound", "The action was not found.");
  }

  #accept(machine: FakeMachine, change: Partial<FakeMachine>): Reply {
    Object.assign(machine, change);
    const operation = `${this.urls.management}/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/operations/7a`;
    return { status: 202, body: "", headers: { "Azure-AsyncOperation": operation, "Retry-After": "10" } };
  }

  #snapshot({ method, body }: Call, group: string, name: string): Reply {
    const key = `${group}/${name}`.toLowerCase();
    if (method === "PUT" && !this.snapshots.has(key)) {
      this.snapshots.set(key, { body: JSON.parse(body), provisioningState: "Updating" });
    }
    const snapshot = this.snapshots.get(key);
    if (snapshot === undefined)
      return fault(404, "ResourceNotFound", `The Resource '${name}' was not found.`);
    const { provisioningState, completionPercent } = snapshot;
    return json(method === "PUT" ? 202 : 200, {
      name,
      location: "westeurope",
      properties: { provisioningState, completionPercent, incremental: true, isArmResource: true },
    });
  }

  #list(url: URL): Reply {
    const what = url.searchParams.get("statusOnly") === "true" ? "states" : "model";
    const from = Number(url.searchParams.get("$skiptoken") ?? 0);
    const all = [...this.machines];
    const value = all.slice(from, from + this.pageSize).map(([ref, machine]) => shown(ref, machine, what));
    const next = new URL(url.pathname + url.search, this.urls.management);
    next.searchParams.set("$skiptoken", String(from + this.pageSize));
    return json(200, { value, ...(from + this.pageSize < all.length ? { nextLink: next.href } : {}) });
  }
}

export function idOf(ref: string): string {
  const [group = "", name] = ref.split("/");
  return `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group.toUpperCase()}/providers/Microsoft.Compute/virtualMachines/${name}`;
}

function shown(ref: string, machine: FakeMachine, what: "model" | "states" | "all") {
  const { power, provisioning, failure, size, beside, more } = machine;
  const statuses = [
    { code: failure ?? `ProvisioningState/${provisioning.toLowerCase()}`, level: "Info" },
    ...(power === null ? [] : [{ code: `PowerState/${power}`, level: "Info", displayStatus: `VM ${power}` }]),
  ];
  const view = { instanceView: { statuses } };
  const model = {
    vmId: "44444444-4444-4444-8444-444444444444",
    provisioningState: provisioning,
    timeCreated: "2026-05-01T10:00:00.0000000+00:00",
    hardwareProfile: { vmSize: size },
    storageProfile: {
      osDisk: { name: "os", createOption: "FromImage", managedDisk: { id: `${idOf(ref)}-os` } },
      dataDisks: [{ lun: 0, name: "data", managedDisk: { id: `${idOf(ref)}-data` } }],
    },
    ...more,
  };
  return {
    id: idOf(ref),
    name: ref.split("/")[1],
    type: "Microsoft.Compute/virtualMachines",
    location: "westeurope",
    ...beside,
    properties: { ...(what === "states" ? {} : model), ...(what === "model" ? {} : view) },
  };
}
