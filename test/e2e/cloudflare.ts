import { z } from "zod";
import { FakeHttp } from "../outside/http.ts";

/** Stands in for as much of Cloudflare's API as a deployment by the real wrangler asks for, and for the service itself. */

interface Version {
  readonly version_id: string;
  readonly percentage: number;
}

const deploymentSchema = z.object({
  versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })),
  code_update_strategy: z.object({ mode: z.string(), max_delay: z.number().optional() }),
});

/** The version that a whole deployment makes. */
const FIRST = "33333333-3333-4333-8333-333333333333";

const METADATA = {
  created_on: "2026-01-01T00:00:00Z",
  modified_on: "2026-01-01T00:00:00Z",
  source: "wrangler",
};

export class Cloudflare {
  /** What changed something, oldest first: `create NAME`, `migrate`, `upload`, `deploy`, `share A 10 B 90 (deferred)`, `triggers`. */
  readonly done: string[] = [];
  /** Calls that it has no answer for. */
  readonly unknown: string[] = [];
  readonly #version: string;
  readonly #workflows: readonly string[];
  readonly #classes: string;
  readonly #databases: string[] = [];
  #shares: readonly Version[] = [];
  #api: FakeHttp | null = null;

  private constructor(version: string, workflows: readonly string[], classes: string) {
    this.#version = version;
    this.#workflows = workflows;
    this.#classes = classes;
  }

  /** `version`, `workflows`, `classes`: of what is deployed. */
  static async start(version: string, workflows: readonly string[], classes: string): Promise<Cloudflare> {
    const cloudflare = new Cloudflare(version, workflows, classes);
    cloudflare.#api = await FakeHttp.start(({ method, path, headers, body }) => {
      const { pathname } = new URL(path, "http://any");
      const overrides = String(headers["cloudflare-workers-version-overrides"] ?? "");
      if (pathname === "/metrics") return { status: 200, body: "" };
      if (pathname === "/healthz") return cloudflare.#health(/="(.*)"/.exec(overrides)?.[1] ?? "");
      return cloudflare.#reply(method, pathname.replace(/^\/client\/v4\/accounts\/[^/]+/, ""), body);
    });
    return cloudflare;
  }

  get url(): string {
    return this.#api?.url ?? "";
  }

  async stop(): Promise<void> {
    await this.#api?.stop();
  }

  /** The service as it was before. */
  isDeployed(version: string, database: string): void {
    this.#shares = [{ version_id: version, percentage: 100 }];
    this.#databases.push(database);
  }

  #health(wanted: string) {
    const isDeployed = this.#shares.some(({ version_id }) => version_id === wanted);
    const headers = { "X-Dumont-Version": this.#version, "X-Dumont-Upload": isDeployed ? wanted : "other" };
    return { status: 200, body: "{}", headers };
  }

  #reply(method: string, path: string, body: string) {
    const result = this.#answer(method, path, body);
    const isError = result !== null && typeof result === "object" && "code" in result;
    const text = {
      success: !isError,
      errors: isError ? [result] : [],
      messages: [],
      result: isError ? null : result,
    };
    return {
      status: isError ? 404 : 200,
      body: JSON.stringify(text),
      headers: { "Content-Type": "application/json" },
    };
  }

  #answer(method: string, path: string, body: string): unknown {
    const [, kind, name, part, more] = path.split("/");
    if (kind === "d1") return this.#database(method, part, more, body);
    if (kind === "workflows") return this.#workflow(method);
    const what = part === undefined ? "" : `${method} ${name} ${more ?? ""}`.trim();
    switch (what) {
      case "GET services":
        return this.#shares.length === 0
          ? { code: 10090, message: "workers.api.error.service_not_found" }
          : { default_environment: { script: { tag: "t", tags: [], migration_tag: this.#classes } } };
      case "GET scripts deployments":
        return this.#shares.length === 0
          ? { code: 10007, message: "This Worker does not exist on your account." }
          : { deployments: [{ ...METADATA, id: "d", author_email: "", versions: this.#shares }] };
      case "POST scripts deployments":
        return this.#share(deploymentSchema.parse(JSON.parse(body)));
      case "POST scripts versions":
        this.done.push("upload");
        return { id: "new", startup_time_ms: 1, metadata: { has_preview: false } };
      case "GET scripts versions":
        return this.#view(path.split("/").at(-1) ?? "");
      case "PUT scripts":
        this.done.push("deploy");
        this.#shares = [{ version_id: FIRST, percentage: 100 }];
        return { id: "s", tag: "t", deployment_id: FIRST.replaceAll("-", ""), startup_time_ms: 1 };
      case "GET workers":
        return { id: "w", name: part, subdomain: { enabled: true, previews_enabled: true } };
      case "POST scripts assets-upload-session":
        return { jwt: "a.b.c", buckets: [] };
      case "GET scripts secrets":
        return [];
      case "GET scripts subdomain":
      case "POST scripts subdomain":
        return { enabled: true, previews_enabled: true };
      case "GET scripts settings":
      case "PATCH scripts script-settings":
      case "GET scripts script-settings":
        return { bindings: [], tags: [] };
      case "PUT scripts schedules":
        return { schedules: [] };
      default:
        if (path === "/workers/subdomain") return { subdomain: "me" };
        this.unknown.push(`${method} ${path}`);
        return {};
    }
  }

  #database(method: string, name: string | undefined, query: string | undefined, body: string): unknown {
    if (name === undefined && method === "POST") {
      const created = z.object({ name: z.string() }).parse(JSON.parse(body)).name;
      this.#databases.push(created);
      this.done.push(`create ${created}`);
      return { uuid: created, name: created };
    }
    if (name === undefined) return this.#databases.map((each) => ({ uuid: each, name: each }));
    if (!this.#databases.includes(name)) return { code: 7404, message: "The database could not be found" };
    if (query === undefined) return { uuid: name, name };
    if (body.includes("INSERT INTO") && this.done.at(-1) !== "migrate") this.done.push("migrate");
    return [{ success: true, results: [], meta: {} }];
  }

  #workflow(method: string): unknown {
    if (method === "GET") return { code: 10200, message: "workflow.not_found" };
    if (this.done.at(-1) !== "triggers") this.done.push("triggers");
    return { id: "w" };
  }

  #share({ versions, code_update_strategy }: z.output<typeof deploymentSchema>): unknown {
    this.#shares = versions;
    const shares = versions.map(({ version_id, percentage }) => `${version_id} ${percentage}`);
    this.done.push(`share ${shares.join(" ")} (${code_update_strategy.mode})`);
    return { id: "d" };
  }

  #view(id: string): unknown {
    return {
      id,
      number: 1,
      metadata: METADATA,
      annotations: {},
      resources: {
        script: { handlers: ["fetch"], etag: "e" },
        script_runtime: { migration_tag: this.#classes },
        bindings: this.#workflows.map((workflow_name) => ({ type: "workflow", name: "ANY", workflow_name })),
      },
    };
  }
}
