import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { unstable_readConfig } from "wrangler";
import { z } from "zod";
import { FORMER_RELEASE } from "../../scripts/keep-release.ts";
import { bundleRelease, readRelease } from "../../scripts/release/bundle.ts";

// Reading wrangler.toml, wrangler warns of secrets that are not in the environment: each run makes its own.
process.env.WRANGLER_LOG ??= "error";

const ROOT = resolve(import.meta.dirname, "../..");

const configSchema = z.object({
  ratelimits: z.array(
    z.object({
      name: z.string(),
      namespace_id: z.string(),
      simple: z.object({ limit: z.number(), period: z.literal([10, 60]) }),
    }),
  ),
});

/** The rate limits of this release, which has all that the one before has. */
export function rateLimits() {
  return configSchema.parse(unstable_readConfig({ config: join(ROOT, "wrangler.toml") })).ratelimits;
}

/** The files of the two releases between which a soak goes up and back: the one before, and this one. */
export async function prepareReleases(directory: string): Promise<{ former: string; current: string }> {
  const files = { former: join(directory, "former.json"), current: join(directory, "current.json") };
  await writeFile(files.former, JSON.stringify(await readRelease(FORMER_RELEASE)));
  await writeFile(files.current, JSON.stringify(await bundleRelease(ROOT, { minify: false })));
  return files;
}
