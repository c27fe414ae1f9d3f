import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deserialize } from "node:v8";
import { z } from "zod";

/**
 * The local runtime forgets its workflows when its process ends, where the platform goes on with them. What it has stored of
 * them tells which had not ended, so that they can be woken.
 */

export interface UnfinishedWorkflow {
  /** The workflow's name, as in `wrangler.toml`. */
  readonly workflow: string;
  readonly id: string;
}

const FOLDER = /^miniflare-workflows-(.+)$/;

/** Paused, failed, terminated and complete, by the numbers that the runtime stores. */
const ENDED: ReadonlySet<number> = new Set([2, 3, 4, 5]);

const metadataSchema = z.object({ instance: z.object({ id: z.string() }) });

/** Read while no server runs on this state. */
export async function unfinishedWorkflows(stateDirectory: string): Promise<UnfinishedWorkflow[]> {
  const base = join(stateDirectory, "workflows");
  const folders = await readdir(base).catch(() => []);
  const found = await Promise.all(
    folders.map(async (folder) => {
      const workflow = FOLDER.exec(folder)?.[1];
      if (workflow === undefined) return [];
      const files = await readdir(join(base, folder));
      return files
        .filter((file) => file.endsWith(".sqlite") && file !== "metadata.sqlite")
        .flatMap((file) => unfinishedIn(join(base, folder, file)))
        .map((id) => ({ workflow, id }));
    }),
  );
  return found.flat();
}

/** The id of the workflow that this object carries out, unless it has ended. */
function unfinishedIn(file: string): string[] {
  const database = new DatabaseSync(file);
  try {
    const isStarted =
      database.prepare("SELECT 1 FROM sqlite_master WHERE name = '_cf_KV'").get() !== undefined;
    if (!isStarted) return [];
    const read = database.prepare("SELECT value FROM _cf_KV WHERE key = ?");
    const stored = (key: string): unknown => {
      const value = read.get(key)?.value;
      return value instanceof Uint8Array ? deserialize(value) : null;
    };
    const status = z.number().nullable().parse(stored("ENGINE_STATUS"));
    const metadata = metadataSchema.nullable().parse(stored("INSTANCE_METADATA"));
    return metadata === null || ENDED.has(status ?? 0) ? [] : [metadata.instance.id];
  } finally {
    database.close();
  }
}
