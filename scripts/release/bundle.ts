import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";

/** A release as it is deployed: the Worker that wrangler bundles, what is bound to it, and its migrations. */

export const releaseSchema = z.object({
  /** The version of package.json. */
  version: z.string(),
  worker: z.string(),
  compatibilityDate: z.string(),
  compatibilityFlags: z.array(z.string()),
  vars: z.record(z.string(), z.string()),
  objects: z.array(z.object({ name: z.string(), class_name: z.string() })),
  workflows: z.array(z.object({ name: z.string(), binding: z.string(), class_name: z.string() })),
  /** The entry first. */
  modules: z.array(z.object({ type: z.enum(["ESModule", "Text"]), path: z.string(), contents: z.string() })),
  migrations: z.array(z.object({ name: z.string(), queries: z.array(z.string()) })),
});

export type Release = z.infer<typeof releaseSchema>;

const configSchema = z.object({
  name: z.string(),
  main: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  vars: z.record(z.string(), z.string()),
  durable_objects: z.object({ bindings: releaseSchema.shape.objects }),
  workflows: releaseSchema.shape.workflows,
});

const manifestSchema = z.object({ version: z.string() });

/** Bundles the release whose source is in this folder, as `wrangler deploy` does. */
export async function bundleRelease(source: string, options: { minify: boolean }): Promise<Release> {
  const folder = await mkdtemp(join(tmpdir(), "dumont-bundle-"));
  try {
    const wrangler = join(source, "node_modules/wrangler/bin/wrangler.js");
    const minify = options.minify ? ["--minify"] : [];
    await promisify(execFile)(
      process.execPath,
      [wrangler, "deploy", "--dry-run", "--outdir", folder, ...minify],
      { cwd: source, env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" } },
    );
    const config = configSchema.parse(unstable_readConfig({ config: join(source, "wrangler.toml") }));
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(source, "package.json"), "utf8")));
    return {
      version: manifest.version,
      worker: config.name,
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags,
      vars: config.vars,
      objects: config.durable_objects.bindings,
      workflows: config.workflows,
      modules: await modulesIn(folder, `${basename(config.main, ".ts")}.js`),
      migrations: await readD1Migrations(join(source, "migrations")),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function modulesIn(folder: string, entry: string): Promise<Release["modules"]> {
  const texts = (await readdir(folder)).filter((file) => file.endsWith("-dumont-agent"));
  return Promise.all(
    [entry, ...texts].map(async (path) => {
      const contents = await readFile(join(folder, path), "utf8");
      return path === entry
        ? // The map stays behind.
          { type: "ESModule" as const, path, contents: contents.replace(/^\/\/# sourceMappingURL=.*$/m, "") }
        : { type: "Text" as const, path, contents };
    }),
  );
}

export async function writeRelease(file: string, release: Release): Promise<void> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
  await writeFile(file, brotliCompressSync(JSON.stringify(release), { params }));
}

export async function readRelease(file: string): Promise<Release> {
  return releaseSchema.parse(JSON.parse(brotliDecompressSync(await readFile(file)).toString("utf8")));
}
