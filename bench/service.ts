import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import { createUser, registerInstance } from "../scripts/client.ts";
import type { LoadOrder } from "./load.ts";

/** A Worker of this repository, built as for deployment and run by Miniflare without the proxies of `wrangler dev`. */

const ROOT = resolve(import.meta.dirname, "..");
const ADMIN_TOKEN = "bench-admin-token-0123456789abcdef0123456789";

export interface Service {
  readonly url: string;
  /** The CPU time that its workerd has used so far, in ms. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/**
 * Builds the Worker whose entry is `entry` (a path from the repository's root) and starts it on a state of its own, with these
 * workflows by the names of their bindings.
 */
export async function startService(
  entry: string,
  workflows: Record<string, { readonly name: string; readonly className: string }> = {},
): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), "dumont-bench-"));
  await promisify(execFile)(
    process.execPath,
    [
      join(ROOT, "node_modules/wrangler/bin/wrangler.js"),
      "deploy",
      entry,
      "--dry-run",
      "--outdir",
      join(directory, "bundle"),
    ],
    { cwd: ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
  );
  const others = new Set(childProcesses());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: await modulesOf(join(directory, "bundle"), basename(entry, ".ts")),
      modulesRoot: join(directory, "bundle"),
      compatibilityDate: "2026-11-01",
      compatibilityFlags: ["nodejs_compat"],
      host: "127.0.0.1",
      port: 0,
      // Straight to the Worker: Miniflare's own entry before it takes as much CPU as all of the router.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      durableObjects: {
        INSTANCES: { className: "InstanceActor", useSQLite: true },
        FLEETS: { className: "FleetActor", useSQLite: true },
        SERVICE: { className: "ServiceActor", useSQLite: true },
      },
      durableObjectsPersist: join(directory, "objects"),
      workflows,
      workflowsPersist: join(directory, "workflows"),
      d1Databases: ["DB"],
      d1Persist: join(directory, "databases"),
      bindings: {
        SIMULATION_SPEED: "1",
        TOKEN_KEY: "bench-token-key-0123456789abcdef0123456789",
        SEAL_KEY: "bench-seal-key-0123456789abcdef0123456789",
        ADMIN_TOKEN,
      },
      // A benchmark beats far more often than an instance may.
      ratelimits: {
        HEARTBEAT_LIMIT: { namespace_id: "1001", simple: { limit: 1_000_000_000, period: 60 } },
        TOKEN_LIMIT: { namespace_id: "1003", simple: { limit: 1_000_000_000, period: 60 } },
        REGISTRATION_LIMIT: { namespace_id: "1004", simple: { limit: 1_000_000_000, period: 60 } },
        CHANNEL_TEST_LIMIT: { namespace_id: "1005", simple: { limit: 1_000_000_000, period: 60 } },
        PREVIEW_LIMIT: { namespace_id: "1006", simple: { limit: 1_000_000_000, period: 60 } },
        WHY_LIMIT: { namespace_id: "1007", simple: { limit: 1_000_000_000, period: 60 } },
        LOGIN_LIMIT: { namespace_id: "1002", simple: { limit: 1_000_000_000, period: 60 } },
      },
    }),
  );
  const url = (await miniflare.unsafeGetDirectURL()).href.replace(/\/$/, "");
  const workerd = childProcesses().filter((id) => !others.has(id));
  await migrate(await miniflare.getD1Database("DB"));
  return {
    url,
    cpuMs: () => workerd.reduce((sum, id) => sum + cpuMsOf(id), 0),
    stop: async () => {
      await miniflare.dispose();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function childProcesses(): string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
}

/** In Linux's clock ticks of 10 ms (proc(5): `utime` and `stime`). */
function cpuMsOf(processId: string): number {
  const [, fields = ""] = /\) (.*)/.exec(readFileSync(`/proc/${processId}/stat`, "utf8")) ?? [];
  const [utime, stime] = fields.split(" ").slice(11, 13);
  return (Number(utime) + Number(stime)) * 10;
}

/** The entry first, and the agent as the text that it is. */
async function modulesOf(bundle: string, entry: string) {
  const files = await readdir(bundle);
  return [
    { type: "ESModule" as const, path: join(bundle, `${entry}.js`) },
    ...files
      .filter((file) => file.endsWith("-dumont-agent"))
      .map((file) => ({ type: "Text" as const, path: join(bundle, file) })),
  ];
}

/** As wrangler does, which keeps the name of each migration that it has applied. */
async function migrate(database: D1Database): Promise<void> {
  await database.prepare("CREATE TABLE d1_migrations (name TEXT PRIMARY KEY) WITHOUT ROWID").run();
  for (const { name, queries } of await readD1Migrations(join(ROOT, "migrations"))) {
    for (const query of queries) await database.prepare(query).run();
    await database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name).run();
  }
}

export interface BenchInstance {
  readonly id: string;
  readonly token: string;
}

/** A user with `count` registered instances. */
export async function registerFleet(
  service: Service,
  count: number,
): Promise<{ userToken: string; instances: BenchInstance[] }> {
  const user = await createUser(service.url, ADMIN_TOKEN, "Bench");
  const instances: BenchInstance[] = [];
  for (let index = 0; index < count; index++) {
    const id = `bench-${index}`;
    const token = await registerInstance(service.url, user.token, {
      instance_id: id,
      name: id,
      hourly_cost: 0.4,
      hibernated_hourly_cost: 0.01,
    });
    instances.push({ id, token });
  }
  return { userToken: user.token, instances };
}

export function heartbeatOf({ url }: Service, { id, token }: BenchInstance): LoadOrder["posts"][number] {
  return {
    url: `${url}/api/agent/status`,
    token,
    body: JSON.stringify({
      instance_id: id,
      gpu_utilization: 87,
      vram_used_gb: 18.4,
      cpu_utilization: 45,
      ram_used_gb: 12.0,
      disk_used_gb: 45.2,
      cost_accumulated: 2.4,
      status: "running",
      uptime_seconds: 7200,
    }),
  };
}

/** The process that makes the load. */
export class Load {
  readonly #process = fork(join(import.meta.dirname, "load.ts"));
  readonly #ended = once(this.#process, "exit");

  /** Posts for so long, and gives back how long each took, in ms. */
  async post(posts: LoadOrder["posts"], durationMs: number, expectedStatus: number): Promise<number[]> {
    const answered = new Promise((heard) => this.#process.once("message", heard));
    const failed = this.#ended.then(() => {
      throw new Error("the load has ended");
    });
    this.#process.send({ posts, durationMs, expectedStatus } satisfies LoadOrder);
    return z.array(z.number()).parse(await Promise.race([answered, failed]));
  }

  end(): void {
    this.#process.kill();
  }
}
