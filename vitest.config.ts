import { execFileSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig, type Plugin } from "vitest/config";

/** The secrets of the Worker under test, never of a real one. */
const TEST_SECRETS = {
  TOKEN_KEY: "test-token-key-0123456789abcdef0123456789",
  SEAL_KEY: "test-seal-key-0123456789abcdef0123456789",
  ADMIN_TOKEN: "test-admin-token-0123456789abcdef0123456789",
};

// The tests' databases are thrown away. In memory they do not wait for a disk, which is what most tests would wait for.
if (process.env.TMPDIR === undefined && freeGigabytes("/dev/shm") >= 4) process.env.TMPDIR = "/dev/shm";

/** 0 where there is no such place. */
function freeGigabytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return (bavail * bsize) / 2 ** 30;
  } catch {
    return 0;
  }
}

// The Worker's assets must be there before it is started.
execFileSync(process.execPath, ["scripts/build-dashboard.ts"], {
  cwd: import.meta.dirname,
  stdio: "inherit",
});

// Reading wrangler.toml, wrangler warns of secrets that are not in the environment: the tests bind theirs below.
process.env.WRANGLER_LOG ??= "error";

// Miniflare's own workflows never dispose what they ask their engine, and workerd warns of it whenever the garbage
// collector comes by. The vitest plugin hands on what workerd says through these, and offers no other place to stop it.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = new Proxy(stream.write, {
    apply: (write, self, values) =>
      String(values[0]).startsWith("An RPC result was not disposed properly") ||
      Reflect.apply(write, self, values),
  });
}

/** So long that only what hangs runs into it, also on a slow machine that is busy with other work. */
const PATIENCE = {
  testTimeout: 240_000,
  hookTimeout: 240_000,
  expect: { poll: { timeout: 60_000 } },
};

/** The same, of tests that start a server process. */
const PROCESS_PATIENCE = { ...PATIENCE, testTimeout: 1_800_000, hookTimeout: 300_000 };

/** Of the actor of an instance, what needs no workerd. */
const PURE_INSTANCE_TESTS = ["attempts", "delivery", "losses", "next-alarm"].map(
  (name) => `test/instance/${name}.test.ts`,
);

/** Of alerts, the same. */
const PURE_ALERT_TESTS = [
  "test/alerts/{cost-report,notice,problems,told-before}.test.ts",
  "test/alerts/channels/**/*.test.ts",
];

/** Of the history, the same. */
const PURE_HISTORY_TESTS = ["test/history/sample.test.ts"];

/** Fails a test that prints what it does not expect. */
const QUIET = "test/quiet.ts";

/** Makes the runtime as new for a file. It comes first: what the last one still logs meanwhile is held against nobody. */
const RENEW = "test/renew.ts";

/** Migrates a database, of which the servers take copies. */
const MIGRATED = "test/server/migrated.ts";
const AGENTS = [
  "agent-attacks",
  "agent-dead-man",
  "agent-hooks",
  "agent-spot",
  "hook-recipes",
  "sources",
].map((name) => `test/e2e/${name}.test.ts`);

function insideWorkerd(more: { d1Databases?: string[] } = {}) {
  return cloudflareTest(async () => ({
    // Verbose, workerd tells of each exception that leaves an object or a step of a workflow, though its caller
    // catches it, as tests of failures mean it to. One that nobody catches still fails the run, as vitest's "unhandled error".
    verbose: false,
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      ...more,
      bindings: { ...TEST_SECRETS, TEST_MIGRATIONS: await readD1Migrations("./migrations") },
      ratelimits: {
        HEARTBEAT_LIMIT: { namespace_id: "1001", simple: { limit: 100_000, period: 60 } },
        TOKEN_LIMIT: { namespace_id: "1003", simple: { limit: 1_000_000, period: 60 } },
        REGISTRATION_LIMIT: { namespace_id: "1004", simple: { limit: 100_000, period: 60 } },
        CHANNEL_TEST_LIMIT: { namespace_id: "1005", simple: { limit: 10, period: 60 } },
        PREVIEW_LIMIT: { namespace_id: "1006", simple: { limit: 100_000, period: 60 } },
        WHY_LIMIT: { namespace_id: "1007", simple: { limit: 100_000, period: 60 } },
        LOGIN_LIMIT: { namespace_id: "1002", simple: { limit: 100_000, period: 60 } },
      },
    },
  }));
}

/** Source maps of packages that name files which their packages lack: vite warns of each. */
function withoutSourceMap(path: RegExp): Plugin {
  return {
    name: "without-source-map",
    load: {
      filter: { id: path },
      handler: async (id) => (await readFile(id, "utf8")).replace(/^\/\/# sourceMappingURL=.*$/m, ""),
    },
  };
}

export default defineConfig({
  test: {
    // Many tests wait for what takes its real time: meanwhile another worker uses the core.
    maxWorkers: "150%",
    projects: [
      // What is pure, and what only calls out, in plain Node.
      {
        test: {
          ...PATIENCE,
          name: "unit",
          // Pure functions leave nothing behind, and a worker for each file costs more than its tests.
          isolate: false,
          setupFiles: [QUIET],
          exclude: ["test/providers/machines.test.ts", "test/service/actor.test.ts"],
          include: [
            "test/lifecycle/**/*.test.ts",
            "test/replay/**/*.test.ts",
            "test/http/**/*.test.ts",
            "test/outbound/**/*.test.ts",
            "test/openid/**/*.test.ts",
            "test/platform/**/*.test.ts",
            "test/providers/**/*.test.ts",
            "test/service/**/*.test.ts",
            "test/fleet/rules/**/*.test.ts",
            "test/imports.test.ts",
            "test/docs.test.ts",
            "test/scripts/**/*.test.ts",
            "test/runbook.test.ts",
            ...PURE_ALERT_TESTS,
            "test/queries/**/*.test.ts",
            ...PURE_INSTANCE_TESTS,
            ...PURE_HISTORY_TESTS,
            "test/dashboard/**/*.test.ts",
            "test/checks/**/*.test.ts",
            "test/soak/**/*.test.ts",
          ],
        },
      },
      // Actors, D1 and routes, inside workerd.
      {
        plugins: [withoutSourceMap(/\/(standardwebhooks\/dist|oauth4webapi\/build)\//), insideWorkerd()],
        test: {
          ...PATIENCE,
          name: "workers",
          // `RENEW` keeps the files apart.
          isolate: false,
          include: [
            "test/{accounts,alerts,api,cleanup,fleet,history,instance,metrics,orders,previews}/**/*.test.ts",
            "test/providers/machines.test.ts",
            "test/service/actor.test.ts",
          ],
          exclude: [
            ...PURE_ALERT_TESTS,
            "test/fleet/rules/**/*.test.ts",
            ...PURE_INSTANCE_TESTS,
            ...PURE_HISTORY_TESTS,
          ],
          setupFiles: [RENEW, QUIET],
        },
      },
      // The same with three databases for the history.
      {
        plugins: [
          withoutSourceMap(/\/(standardwebhooks\/dist|oauth4webapi\/build)\//),
          insideWorkerd({ d1Databases: ["HISTORY_1", "HISTORY_2"] }),
        ],
        test: {
          ...PATIENCE,
          name: "shards",
          include: ["test/shards/**/*.test.ts"],
          setupFiles: [RENEW, QUIET],
        },
      },
      // The real actors, outboxes and workflows on a platform that a seed makes fail.
      {
        resolve: {
          alias: {
            "cloudflare:workers": resolve(import.meta.dirname, "test/simulation/stubs/workers.ts"),
            "cloudflare:workflows": resolve(import.meta.dirname, "test/simulation/stubs/workflows.ts"),
          },
        },
        test: {
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          testTimeout: 3_600_000,
          hookTimeout: 240_000,
        },
      },
      // A real server process. These mostly wait, so they run beside the others.
      {
        test: {
          name: "server",
          include: ["test/server/**/*.test.ts"],
          globalSetup: [MIGRATED],
          ...PROCESS_PATIENCE,
        },
      },
      // What needs programs of the operating system.
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: AGENTS,
          globalSetup: [MIGRATED],
          fileParallelism: false,
          ...PROCESS_PATIENCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Agents of machines that are made up, which wait most of their time: several files at once, before the others.
        test: {
          name: "agents",
          include: AGENTS,
          maxWorkers: 4,
          ...PROCESS_PATIENCE,
          sequence: { groupOrder: 0 },
        },
      },
    ],
  },
});
