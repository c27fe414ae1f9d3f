import { resolve } from "node:path";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";
import type { WranglerConfig } from "./wrangler-config.ts";

/** Reads `wrangler.toml` as wrangler does. */

const ROOT = resolve(import.meta.dirname, "../..");

const configSchema = z.object({
  name: z.string(),
  d1_databases: z.array(
    z.object({
      binding: z.string(),
      database_name: z.string().default(""),
      migrations_dir: z.string().optional(),
    }),
  ),
  migrations: z.array(z.object({ tag: z.string() })),
  workflows: z.array(z.object({ name: z.string() })),
  vars: z.record(z.string(), z.unknown()),
});

export function readWranglerConfig(file = resolve(ROOT, "wrangler.toml")): WranglerConfig {
  const config = configSchema.parse(unstable_readConfig({ config: file }));
  return {
    worker: config.name,
    databases: config.d1_databases.map(({ binding, database_name, migrations_dir }) => ({
      binding,
      name: database_name,
      migrations: migrations_dir ?? null,
    })),
    classes: config.migrations.at(-1)?.tag ?? null,
    workflows: config.workflows.map(({ name }) => name),
    vars: config.vars,
  };
}
