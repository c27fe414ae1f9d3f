import { execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Version } from "../server/world.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

export interface FormerVersion extends Version {
  remove(): Promise<void>;
}

/**
 * A former version of the service, from `releases/`, with the packages that are installed here. A recorded state folder would
 * not do: its deadlines would all have passed, its orders would wait for a control plane that is gone, and nobody could roll
 * back to the version that wrote it.
 */
export async function unpack(release: string): Promise<FormerVersion> {
  const directory = await mkdtemp(join(tmpdir(), "dumont-former-"));
  await run("tar", ["-xzf", join(import.meta.dirname, "releases", `${release}.tar.gz`), "-C", directory]);
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  // Its API reference is drawn by a library that is not installed any more, and nobody looks at it here.
  await writeFile(join(directory, "src/dashboard/docs.ts"), "");
  const { prepare, start }: Version = await import(join(directory, "scripts/server.ts"));
  return { prepare, start, remove: () => rm(directory, { recursive: true, force: true, maxRetries: 5 }) };
}

const WORKER = "dumont-agent-system";

/**
 * Renames a class of actors in a local state as the platform does by `renamed_classes`: its objects keep their names and what
 * they hold. `wrangler dev` leaves migrations alone. It keeps each class in a folder of its own, and the class's name goes
 * into the ids of its objects.
 */
export async function renameClass(
  stateDirectory: string,
  from: string,
  to: string,
  objectNames: readonly string[],
): Promise<void> {
  const folderOf = (className: string) => join(stateDirectory, "v3/do", `${WORKER}-${className}`);
  await mkdir(folderOf(to), { recursive: true });
  const files = await readdir(folderOf(from));
  for (const name of objectNames) {
    const id = objectId(`${WORKER}-${from}`, name);
    const own = files.filter((file) => file.startsWith(id));
    if (own.length === 0) throw new Error(`no object ${name} of ${from}`);
    for (const file of own) {
      const renamed = `${objectId(`${WORKER}-${to}`, name)}${file.slice(id.length)}`;
      await rename(join(folderOf(from), file), join(folderOf(to), renamed));
    }
  }
}

/** As workerd derives it: half of the name's digest, and a check of it, both keyed by the class. */
function objectId(uniqueKey: string, name: string): string {
  const key = createHash("sha256").update(uniqueKey).digest();
  const digest = (data: string | Buffer) => createHmac("sha256", key).update(data).digest().subarray(0, 16);
  const base = digest(name);
  return Buffer.concat([base, digest(base)]).toString("hex");
}
