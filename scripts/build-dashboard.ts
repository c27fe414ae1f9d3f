import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/**
 * Builds the page into `dist/dashboard`, unless it is there as its sources would make it. Run by wrangler before `dev`
 * and `deploy`, and by the tests.
 */

const ROOT = resolve(import.meta.dirname, "..");
const BUILT = join(ROOT, "dist/dashboard");
/** Not an asset: see `.assetsignore`. */
const STAMP = ".stamp";
const SOURCES = ["src/dashboard", "src/lifecycle", "vite.config.ts", "package-lock.json"];

// Also within tests, the page is built as it is deployed.
process.env.NODE_ENV = "production";

const stamp = await newestChange(SOURCES.map((source) => join(ROOT, source)));
if (!(await isBuilt())) {
  await mkdir(join(ROOT, "dist"), { recursive: true });
  // Aside, and then by a rename, since several servers may be started at once. The stamp travels with it.
  const fresh = await mkdtemp(join(ROOT, "dist", "dashboard-"));
  const { build } = await import("vite");
  await build({ configFile: join(ROOT, "vite.config.ts"), logLevel: "warn", build: { outDir: fresh } });
  await writeFile(join(fresh, STAMP), stamp);
  await rm(BUILT, { recursive: true, force: true });
  await rename(fresh, BUILT).catch(async (error: unknown) => {
    // Another one was faster.
    await rm(fresh, { recursive: true, force: true });
    if (!(await isBuilt())) throw error;
  });
}

async function isBuilt(): Promise<boolean> {
  return (await readFile(join(BUILT, STAMP), "utf8").catch(() => "")) === stamp;
}

/** When anything below these paths last changed, as text. */
async function newestChange(paths: readonly string[]): Promise<string> {
  const times = await Promise.all(
    paths.map(async (path) => {
      const { mtimeMs, isDirectory } = await stat(path).then((found) => ({
        mtimeMs: found.mtimeMs,
        isDirectory: found.isDirectory(),
      }));
      if (!isDirectory) return mtimeMs;
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      const changes = await Promise.all(
        entries.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs),
      );
      return Math.max(mtimeMs, ...changes);
    }),
  );
  return String(Math.max(...times));
}
