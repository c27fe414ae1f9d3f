import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { Release } from "../../scripts/release/bundle.ts";
import { freePort } from "../../scripts/server.ts";

/** Releases in turns over one storage, each as it was bundled for deployment. */

const SECRETS = {
  TOKEN_KEY: "release-token-key-0123456789abcdef0123456789",
  SEAL_KEY: "release-seal-key-0123456789abcdef0123456789",
  ADMIN_TOKEN: "release-admin-token-0123456789abcdef0123456789",
};

const LOCAL = { DEPLOYED: "false", ALLOW_LOOPBACK_URLS: "true" };

/** The name of the Worker, and that of one that has the fleets while releases are mixed. */
const SERVICE = "dumont-agent-system";
const FLEETS = "fleets";

const UNLIMITED = { simple: { limit: 1_000_000, period: 60 as const } };

export class ReleaseWorld {
  readonly adminToken = SECRETS.ADMIN_TOKEN;
  /** What the releases have logged as errors, since it was last taken. */
  readonly #errors: string[] = [];
  readonly #directory: string;
  readonly #port: number;
  readonly #vars: Readonly<Record<string, string>>;
  readonly #migrated = new Set<string>();
  #running: Miniflare | null = null;

  private constructor(directory: string, port: number, vars: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#port = port;
    this.#vars = vars;
  }

  static async create(vars: Readonly<Record<string, string>>): Promise<ReleaseWorld> {
    return new ReleaseWorld(await mkdtemp(join(tmpdir(), "dumont-releases-")), await freePort(), vars);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Ends what runs, applies the migrations that are new, and starts this release, with fleets of another one if it is given. */
  async deploy(release: Release, fleets: Release | null = null): Promise<void> {
    await this.stop();
    this.#running = new Miniflare(
      convertV4MiniflareOptions({
        log: new Log(LogLevel.NONE),
        handleStructuredLogs: ({ level, message }) => {
          if (level === "error") this.#errors.push(message);
        },
        host: "127.0.0.1",
        port: this.#port,
        resourcePersistencePath: this.#directory,
        workers:
          fleets === null
            ? [this.#worker(release, SERVICE, {})]
            : [
                this.#worker(release, SERVICE, { FleetActor: FLEETS }),
                this.#worker(fleets, FLEETS, {
                  ...{ InstanceActor: SERVICE, ServiceActor: SERVICE },
                  ...Object.fromEntries(release.workflows.map(({ class_name }) => [class_name, SERVICE])),
                }),
              ],
      }),
    );
    await this.#running.ready;
    const migrations = [...release.migrations, ...(fleets?.migrations ?? [])];
    for (const { name, queries } of migrations) {
      if (!this.#migrated.has(name)) await this.sql(queries);
      this.#migrated.add(name);
    }
  }

  /** A release as a Worker of this name. `elsewhere`: the Workers of the classes, workflows among them, that are not its own. */
  #worker(release: Release, name: string, elsewhere: Readonly<Record<string, string>>) {
    return {
      name,
      modules: release.modules.map((module) => ({ ...module })),
      compatibilityDate: release.compatibilityDate,
      compatibilityFlags: release.compatibilityFlags,
      bindings: { ...release.vars, ...LOCAL, ...this.#vars, ...SECRETS },
      durableObjects: Object.fromEntries(
        release.objects.map(({ name, class_name }) => {
          const scriptName = elsewhere[class_name];
          return [name, { className: class_name, useSQLite: true, ...(scriptName && { scriptName }) }];
        }),
      ),
      workflows: Object.fromEntries(
        release.workflows.map(({ binding, name: workflow, class_name }) => {
          const scriptName = elsewhere[class_name];
          return [binding, { name: workflow, className: class_name, ...(scriptName && { scriptName }) }];
        }),
      ),
      d1Databases: { DB: SERVICE },
      ratelimits: Object.fromEntries(
        release.limits.map((limit, index) => [limit, { namespace_id: String(index + 1), ...UNLIMITED }]),
      ),
    };
  }

  /** Statements in the database. */
  async sql(statements: readonly string[]): Promise<void> {
    const database = await this.#running?.getD1Database("DB");
    for (const statement of statements) await database?.prepare(statement).run();
  }

  /** The first row of a question to the database. */
  async first(question: string): Promise<unknown> {
    const database = await this.#running?.getD1Database("DB");
    return database?.prepare(question).first();
  }

  /** Changes what an instance has stored, while nothing runs. Gives back how many instances of this id there were. */
  async change(instanceId: string, change: (json: string) => string): Promise<number> {
    let changed = 0;
    const folder = join(this.#directory, "do");
    const files = (await readdir(folder, { recursive: true })).filter((file) =>
      /InstanceActor\W\w{64}\.sqlite$/.test(file),
    );
    for (const file of files) {
      const database = new DatabaseSync(join(folder, file));
      const json = database.prepare("SELECT json FROM instance").get()?.json;
      if (typeof json === "string" && json.includes(`"instanceId":"${instanceId}"`)) {
        database.prepare("UPDATE instance SET json = ?").run(change(json));
        changed += 1;
      }
      database.close();
    }
    return changed;
  }

  /** What was logged as an error. */
  takeErrors(): string[] {
    return this.#errors.splice(0);
  }

  async stop(): Promise<void> {
    await this.#running?.dispose();
    this.#running = null;
  }

  async end(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
