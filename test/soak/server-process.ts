import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import { type Release, releaseSchema } from "../../scripts/release/bundle.ts";
import { entryOf } from "./entry.ts";
import { rateLimits } from "./release.ts";

/**
 * The server of the soak, as a process of its own that can be killed: a release with bindings that fail, on a state folder. It
 * says "ready" on its standard output once it answers.
 */

const optionsSchema = z.object({
  /** The file of the release, as JSON. */
  release: z.string(),
  stateDirectory: z.string(),
  port: z.number(),
  vars: z.record(z.string(), z.string()),
});

export type ServerProcessOptions = z.infer<typeof optionsSchema>;

const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? ""));
const release = releaseSchema.parse(JSON.parse(await readFile(options.release, "utf8")));

await migrate();
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: release.worker,
    modules: await modulesOf(release),
    compatibilityDate: release.compatibilityDate,
    compatibilityFlags: release.compatibilityFlags,
    bindings: { ...release.vars, ...options.vars, SOAK_WORKFLOWS: JSON.stringify(bindingsOf(release)) },
    durableObjects: Object.fromEntries(
      release.objects.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
    ),
    workflows: Object.fromEntries(
      release.workflows.map(({ binding, name, class_name }) => [binding, { name, className: class_name }]),
    ),
    ...databaseOf(release),
    ratelimits: Object.fromEntries(rateLimits().map(({ name, ...limit }) => [name, limit])),
    host: "127.0.0.1",
    port: options.port,
    cf: false,
  }),
);
await miniflare.ready;
console.log("ready");
process.once("SIGTERM", () => void miniflare.dispose().then(() => process.exit(0)));

/** The soak's own modules around those of the release. */
async function modulesOf(release: Release) {
  const own = ["faulty-bindings.ts", "faults.ts", "seeded.ts"].map(async (name) => {
    const text = await readFile(join(import.meta.dirname, name), "utf8");
    return { type: "ESModule" as const, path: name, contents: stripTypeScriptTypes(text) };
  });
  const entry = { type: "ESModule" as const, path: "soak-entry.js", contents: entryOf(release) };
  return [entry, ...(await Promise.all(own)), ...release.modules];
}

/** Names of workflows by their bindings. */
function bindingsOf({ workflows }: Release): Record<string, string> {
  return Object.fromEntries(workflows.map(({ binding, name }) => [binding, name]));
}

function databaseOf({ worker }: Release) {
  return { d1Databases: { DB: worker }, resourcePersistencePath: options.stateDirectory };
}

/**
 * Once each, as wrangler does: the name of each that was applied is kept. As in a deployment, before the release runs. It could not
 * be done beside it either: Miniflare blocks this process while it asks for a database, and a release that comes back to hundreds
 * of instances then waits for ever for somebody to read its log.
 */
async function migrate(): Promise<void> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default {};",
      cf: false,
      ...databaseOf(release),
    }),
  );
  try {
    await migrateDatabase(await miniflare.getD1Database("DB"), release);
  } finally {
    await miniflare.dispose();
  }
}

async function migrateDatabase(database: D1Database, { migrations }: Release): Promise<void> {
  await database
    .prepare("CREATE TABLE IF NOT EXISTS d1_migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
    .run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const { name, queries } of migrations) {
    if (applied.has(name)) continue;
    for (const query of queries) await database.prepare(query).run();
    await database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name).run();
  }
}
