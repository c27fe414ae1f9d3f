import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";

/**
 * The server of the soak, as a process of its own that can be killed: a release's bundle within `worker.ts`, on a state
 * folder. It says "ready" on its standard output once it answers.
 */

const optionsSchema = z.object({
  release: z.string(),
  stateDirectory: z.string(),
  port: z.number(),
  vars: z.record(z.string(), z.string()),
});

export type ServerProcessOptions = z.infer<typeof optionsSchema>;

const releaseSchema = z.object({
  workerOptions: z.looseObject({ bindings: z.record(z.string(), z.string()) }),
  texts: z.array(z.string()),
});

const { release, stateDirectory, port, vars } = optionsSchema.parse(JSON.parse(process.argv[2] ?? ""));
const { workerOptions, texts } = releaseSchema.parse(
  JSON.parse(await readFile(join(release, "release.json"), "utf8")),
);
const bundle = join(release, "bundle");

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...workerOptions,
    modules: [
      { type: "ESModule", path: join(bundle, "entry.js"), contents: await stripped("worker.ts") },
      ...(await Promise.all(
        ["faults.ts", "seeded.ts"].map(async (name) => ({
          type: "ESModule" as const,
          path: join(bundle, name),
          contents: await stripped(name),
        })),
      )),
      { type: "ESModule", path: join(bundle, "worker.js") },
      ...texts.map((name) => ({ type: "Text" as const, path: join(bundle, name) })),
    ],
    modulesRoot: bundle,
    bindings: { ...workerOptions.bindings, ...vars },
    host: "127.0.0.1",
    port,
    cf: false,
    d1Databases: ["DB"],
    resourcePersistencePath: stateDirectory,
  }),
);
await miniflare.ready;
await migrate(await miniflare.getD1Database("DB"));
console.log("ready");
process.once("SIGTERM", () => void miniflare.dispose().then(() => process.exit(0)));

async function stripped(name: string): Promise<string> {
  const text = stripTypeScriptTypes(await readFile(join(import.meta.dirname, name), "utf8"));
  return text.replace('"../../src/worker.ts"', '"./worker.js"');
}

/** Once each, as wrangler does: the name of each that was applied is kept. */
async function migrate(database: D1Database): Promise<void> {
  await database
    .prepare("CREATE TABLE IF NOT EXISTS d1_migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const { name, queries } of await readD1Migrations(join(release, "migrations"))) {
    if (applied.has(name)) continue;
    for (const query of queries) await database.prepare(query).run();
    await database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name).run();
  }
}
