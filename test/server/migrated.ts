import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { prepare } from "../../scripts/server.ts";

/**
 * The state of a service that has just been made: its database with all migrations. It is made once and then copied, since
 * wrangler takes ten seconds of a processor to migrate a database.
 */

const ROOT = resolve(import.meta.dirname, "../..");
const DIST = join(ROOT, "dist");
const PREFIX = "migrated-";

/** As `prepare` leaves it behind, but for the secrets. */
export async function makeState(stateDirectory: string): Promise<void> {
  await cp(join(await migrated(), "state"), stateDirectory, { recursive: true });
}

/** By vitest, once before the files of a project: they would all begin with it at the same time. */
export async function setup(): Promise<void> {
  await migrated();
}

/** The folder that holds it; its name says what it was made from. */
async function migrated(): Promise<string> {
  const folder = join(DIST, `${PREFIX}${await digestOfSources()}`);
  if (await isThere(folder)) return folder;
  await mkdir(DIST, { recursive: true });
  const former = (await readdir(DIST)).filter((name) => name.startsWith(PREFIX));
  // Aside, and then by a rename: several processes may begin with it at once.
  const fresh = await mkdtemp(join(DIST, "migrating-"));
  await prepare({ stateDirectory: join(fresh, "state"), secretsFile: join(fresh, "secrets") });
  await rename(fresh, folder).catch(async (error: unknown) => {
    await rm(fresh, { recursive: true, force: true });
    if (!(await isThere(folder))) throw error;
  });
  for (const name of former) await rm(join(DIST, name), { recursive: true, force: true });
  return folder;
}

async function digestOfSources(): Promise<string> {
  const digest = createHash("sha256");
  const migrations = (await readdir(join(ROOT, "migrations"))).sort().map((name) => `migrations/${name}`);
  for (const file of [...migrations, "wrangler.toml", "package-lock.json"]) {
    digest.update(`${file}\0`).update(await readFile(join(ROOT, file)));
  }
  return digest.digest("hex").slice(0, 16);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
