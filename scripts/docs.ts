import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withWorkloads } from "../test/workloads/table.ts";
import { withProviderTable } from "./provider-table.ts";

/** `npm run docs`: writes into the documents what is made of the code. */

async function write(name: string, made: (document: string) => string): Promise<void> {
  const file = join(import.meta.dirname, "../docs", name);
  await writeFile(file, made(await readFile(file, "utf8")));
}

await write("providers.md", withProviderTable);
await write("idleness.md", (document) => withWorkloads(document));
