import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FORMER_RELEASE } from "../../scripts/keep-release.ts";
import { bundleRelease, readRelease } from "../../scripts/release/bundle.ts";

// Reading wrangler.toml, wrangler warns of secrets that are not in the environment: each run makes its own.
process.env.WRANGLER_LOG ??= "error";

/** The files of the two releases between which a soak goes up and back: the one before, and this one. */
export async function prepareReleases(directory: string): Promise<{ former: string; current: string }> {
  const files = { former: join(directory, "former.json"), current: join(directory, "current.json") };
  const root = resolve(import.meta.dirname, "../..");
  await writeFile(files.former, JSON.stringify(await readRelease(FORMER_RELEASE)));
  await writeFile(files.current, JSON.stringify(await bundleRelease(root, { minify: false })));
  return files;
}
