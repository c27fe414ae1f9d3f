import { execFile } from "node:child_process";
import { cp, readdir, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

const run = promisify(execFile);

export const ROOT = resolve(import.meta.dirname, "../..");

// Reading wrangler.toml, wrangler warns of secrets that are not in the environment: each run makes its own.
process.env.WRANGLER_LOG ??= "error";

/** Builds the Worker of a source tree as for deployment, with all that is needed to run it, and gives back where it is. */
export async function build(source: string, directory: string): Promise<string> {
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  await run(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", join(directory, "bundle")], {
    cwd: source,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    timeout: 300_000,
  });
  await cp(join(source, "migrations"), join(directory, "migrations"), { recursive: true });
  // The page is not part of the soak.
  const { assets: _, ...workerOptions } = unstable_getMiniflareWorkerOptions(
    join(source, "wrangler.toml"),
  ).workerOptions;
  const files = await readdir(join(directory, "bundle"));
  const texts = files.filter((file) => file.endsWith("-dumont-agent"));
  await writeFile(join(directory, "release.json"), JSON.stringify({ workerOptions, texts }));
  return directory;
}

/** The commit of the release before: what an upgrade comes from, and a rollback goes back to. */
const FORMER = "28e664b";

export async function buildReleases(directory: string): Promise<{ former: string; current: string }> {
  const source = join(directory, "former-source");
  await run("git", ["worktree", "add", "--detach", source, FORMER], { cwd: ROOT });
  try {
    await symlink(join(ROOT, "node_modules"), join(source, "node_modules"));
    return {
      former: await build(source, join(directory, "former")),
      current: await build(ROOT, join(directory, "current")),
    };
  } finally {
    await run("git", ["worktree", "remove", "--force", source], { cwd: ROOT });
  }
}
