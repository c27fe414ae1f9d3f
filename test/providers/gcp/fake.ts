import { z } from "zod";
import type { GcpAddresses } from "../../../src/providers/gcp/api.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";
import { keyFile, PROJECT_ID, publicKey } from "./key.ts";
import { ALL_PERMISSIONS } from "./permissions.ts";

/**
 * Compute Engine's API (v1), Google's token endpoint and the Resource Manager's `testIamPermissions`, by
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1: the documented shapes, statuses and error bodies. The
 * signature of each request for a token is checked, and each call's token.
 */

export const ZONE = "us-central1-a";
export const REF = `projects/${PROJECT_ID}/zones/${ZONE}/instances/trainer-1`;

const SELF = "https://www.googleapis.com/compute/v1/";

export const json = (status: number, value: unknown, headers = {}): Reply => ({
  status,
  body: JSON.stringify(value),
  headers: { "Content-Type": "application/json; charset=UTF-8", ...headers },
});

/** An error in the form that all of Google's older APIs have. */
export const fault = (status: number, reason: string, message: string, headers = {}): Reply =>
  json(
    status,
    { error: { code: status, message, errors: [{ message, domain: "global", reason }] } },
    headers,
  );

export const notFound = (resource: string): Reply =>
  fault(404, "notFound", `The resource '${resource}' was not found`);

interface Instance {
  name: string;
  status: string;
  [field: string]: unknown;
}

export function anInstance(fields: Partial<Instance> = {}): Instance {
  const name = fields.name ?? "trainer-1";
  return {
    kind: "compute#instance",
    id: "4851516841423487011",
    creationTimestamp: "2026-10-01T02:03:04.567-07:00",
    name,
    machineType: `${SELF}projects/${PROJECT_ID}/zones/${ZONE}/machineTypes/a2-highgpu-2g`,
    status: "RUNNING",
    zone: `${SELF}projects/${PROJECT_ID}/zones/${ZONE}`,
    disks: [{ kind: "compute#attachedDisk", type: "PERSISTENT", boot: true, autoDelete: true }],
    guestAccelerators: [
      {
        acceleratorType: `${SELF}projects/${PROJECT_ID}/zones/${ZONE}/acceleratorTypes/nvidia-tesla-a100`,
        acceleratorCount: 2,
      },
    ],
    metadata: {
      kind: "compute#metadata",
      fingerprint: "x",
      items: [{ key: "enable-oslogin", value: "TRUE" }],
    },
    scheduling: { onHostMaintenance: "TERMINATE", automaticRestart: true, preemptible: false },
    deletionProtection: false,
    ...fields,
  };
}

export class GoogleFake {
  /** By the path of each. */
  instances = new Map<string, Instance>();
  images = new Map<string, { status: string; sourceInstance: string }>();
  granted = new Set(ALL_PERMISSIONS);
  grantedOnProject = new Set(ALL_PERMISSIONS);
  isKeyRevoked = false;
  tokenSeconds = 3599;
  /** How the operation of an order ends, if not well. */
  operationError: { code: string; message: string } | null = null;
  /** What is answered in place of what is asked for, if anything. */
  instead: (call: Call, path: string) => Reply | undefined = () => undefined;
  /** The orders that changed something. */
  readonly done: string[] = [];

  #operations = new Map<string, unknown>();
  #tokens = new Set<string>();
  readonly #http: FakeHttp;

  private constructor(http: FakeHttp) {
    this.#http = http;
  }

  static async start(): Promise<GoogleFake> {
    let fake: GoogleFake | null = null;
    const http = await FakeHttp.start((call) => fake?.answer(call) ?? { status: 500, body: "" });
    fake = new GoogleFake(http);
    fake.reset();
    return fake;
  }

  stop(): Promise<void> {
    return this.#http.stop();
  }

  reset(): void {
    this.instances = new Map([[REF, anInstance()]]);
    this.images = new Map();
    this.granted = new Set(ALL_PERMISSIONS);
    this.grantedOnProject = new Set(ALL_PERMISSIONS);
    this.isKeyRevoked = false;
    this.tokenSeconds = 3599;
    this.operationError = null;
    this.instead = () => undefined;
    this.done.length = 0;
    this.#operations = new Map();
    this.#tokens = new Set();
    this.#http.calls.length = 0;
  }

  get addresses(): GcpAddresses {
    return {
      compute: `${this.#http.url}/compute/`,
      resourceManager: `${this.#http.url}/manager/`,
      token: `${this.#http.url}/token`,
    };
  }

  get calls(): readonly Call[] {
    return this.#http.calls;
  }

  /** Whoever holds a token loses it. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  private async answer(call: Call): Promise<Reply> {
    const { pathname, searchParams } = new URL(call.path, this.#http.url);
    const path = pathname.replace(/^\/(compute\/|manager\/)?/, "");
    const other = this.instead(call, path);
    if (other !== undefined) return other;
    if (path === "token") return this.#token(call);
    const [, token = ""] = /^Bearer (.+)$/.exec(call.headers.authorization ?? "") ?? [];
    if (!this.#tokens.has(token)) {
      return fault(401, "authError", "Request had invalid authentication credentials.");
    }
    if (path === `projects/${PROJECT_ID}:testIamPermissions`) return tested(call, this.grantedOnProject);
    if (path === `projects/${PROJECT_ID}/aggregated/instances`) return this.#list(searchParams);
    if (path.startsWith(`projects/${PROJECT_ID}/global/machineImages`))
      return this.#image(call, path, searchParams);
    const [, ref = "", verb] =
      /^(projects\/[^/]+\/zones\/[^/]+\/instances\/[^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const instance = this.instances.get(ref);
    if (instance === undefined) return notFound(ref === "" ? path : ref);
    if (verb === "testIamPermissions") return tested(call, this.granted);
    if (call.method === "GET" && verb === undefined) return this.#may("get", ref, () => json(200, instance));
    const what = call.method === "DELETE" ? "delete" : (verb ?? "");
    return this.#may(what, ref, () =>
      this.#order(what, ref, searchParams, () => {
        if (what === "delete") this.instances.delete(ref);
        else instance.status = what === "stop" ? "TERMINATED" : "RUNNING";
      }),
    );
  }

  async #token(call: Call): Promise<Reply> {
    const form = new URLSearchParams(call.body);
    const assertion = form.get("assertion") ?? "";
    const [header = "", claims = "", signature = ""] = assertion.split(".");
    const isSigned = await crypto.subtle.verify(
      "RSASSA-PKCS1-v1_5",
      publicKey,
      bytesOf(signature),
      new TextEncoder().encode(`${header}.${claims}`),
    );
    const { iss, scope, aud, iat, exp } = z
      .object({ iss: z.string(), scope: z.string(), aud: z.string(), iat: z.number(), exp: z.number() })
      .parse(JSON.parse(new TextDecoder().decode(bytesOf(claims))));
    const now = Date.now() / 1000;
    const isGood =
      isSigned &&
      form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer" &&
      iss === keyFile.client_email &&
      scope === "https://www.googleapis.com/auth/cloud-platform" &&
      aud === "https://oauth2.googleapis.com/token" &&
      Math.abs(now - iat) < 300 &&
      exp - iat <= 3600;
    if (!isGood || this.isKeyRevoked) {
      return json(400, { error: "invalid_grant", error_description: "Invalid JWT Signature." });
    }
    const token = `ya29.${this.calls.length}`;
    this.#tokens.add(token);
    return json(200, { access_token: token, expires_in: this.tokenSeconds, token_type: "Bearer" });
  }

  #may(verb: string, ref: string, act: () => Reply): Reply {
    return this.granted.has(`compute.instances.${verb}`)
      ? act()
      : fault(403, "forbidden", `Required 'compute.instances.${verb}' permission for '${ref}'`);
  }

  /** Does what is asked for once for each request id. */
  #order(what: string, path: string, query: URLSearchParams, act: () => void): Reply {
    const requestId = query.get("requestId") ?? "";
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(requestId)) {
      return fault(400, "invalid", `Invalid value for field 'requestId': '${requestId}'.`);
    }
    if (!this.#operations.has(requestId)) {
      if (this.operationError === null) {
        act();
        this.done.push(what);
      }
      this.#operations.set(requestId, {
        kind: "compute#operation",
        id: "7701",
        name: "operation-1",
        clientOperationId: requestId,
        operationType: what,
        targetLink: `${SELF}${path}`,
        status: this.operationError === null ? "RUNNING" : "DONE",
        ...(this.operationError === null
          ? {}
          : { error: { errors: [this.operationError] }, httpErrorStatusCode: 503 }),
      });
    }
    return json(200, this.#operations.get(requestId));
  }

  #image(call: Call, path: string, query: URLSearchParams): Reply {
    if (call.method === "GET") {
      const image = this.images.get(path);
      return image === undefined ? notFound(path) : json(200, { kind: "compute#machineImage", ...image });
    }
    const { name, sourceInstance } = JSON.parse(call.body);
    if (this.images.has(`${path}/${name}`) && !this.#operations.has(query.get("requestId") ?? "")) {
      return fault(409, "alreadyExists", `The resource '${path}/${name}' already exists`);
    }
    return this.#order("machineImage", path, query, () =>
      this.images.set(`${path}/${name}`, { status: "CREATING", sourceInstance }),
    );
  }

  #list(query: URLSearchParams): Reply {
    const size = Number(query.get("maxResults"));
    const from = Number(query.get("pageToken") ?? 0);
    const all = [...this.instances].sort(([one], [other]) => one.localeCompare(other));
    const items: Record<string, unknown> = {};
    for (const zone of [ZONE, "europe-west4-b"]) {
      const instances = all
        .slice(from, from + size)
        .filter(([ref]) => ref.includes(`/zones/${zone}/`))
        .map(([, instance]) => instance);
      items[`zones/${zone}`] =
        instances.length > 0
          ? { instances }
          : { warning: { code: "NO_RESULTS_ON_PAGE", message: "There are no results for this scope." } };
    }
    const next = from + size;
    return json(200, {
      kind: "compute#instanceAggregatedList",
      id: "projects/x/aggregated/instances",
      items,
      ...(next < all.length ? { nextPageToken: String(next) } : {}),
    });
  }
}

function tested(call: Call, granted: ReadonlySet<string>): Reply {
  const { permissions } = z.object({ permissions: z.array(z.string()) }).parse(JSON.parse(call.body));
  const found = permissions.filter((permission) => granted.has(permission));
  // Nothing at all is left out.
  return json(200, found.length === 0 ? {} : { permissions: found });
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
