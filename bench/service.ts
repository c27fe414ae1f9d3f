import { execFile, fork } from "node:child_process";
import { once } from "node:events";
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
  stop(): Promise<void>;
}

/** Builds the Worker whose entry is `entry` (a path from the repository's root) and starts it on a state of its own. */
export async function startService(entry: string): Promise<Service> {
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
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: await modulesOf(join(directory, "bundle"), basename(entry, ".ts")),
      modulesRoot: join(directory, "bundle"),
      compatibilityDate: "2026-11-01",
      compatibilityFlags: ["nodejs_compat"],
      host: "127.0.0.1",
      port: 0,
      durableObjects: {
        INSTANCES: { className: "InstanceActor", useSQLite: true },
        FLEETS: { className: "FleetActor", useSQLite: true },
        SERVICE: { className: "ServiceActor", useSQLite: true },
      },
      durableObjectsPersist: join(directory, "objects"),
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
        LOGIN_LIMIT: { namespace_id: "1002", simple: { limit: 1_000_000_000, period: 60 } },
      },
    }),
  );
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  await migrate(await miniflare.getD1Database("DB"));
  return {
    url,
    stop: async () => {
      await miniflare.dispose();
      await rm(directory, { recursive: true, force: true });
    },
  };
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

async function migrate(database: D1Database): Promise<void> {
  for (const { queries } of await readD1Migrations(join(ROOT, "migrations"))) {
    for (const query of queries) await database.prepare(query).run();
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
