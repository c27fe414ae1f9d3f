import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withProviderTable } from "./provider-table.ts";

/** `npm run docs`: writes into the documents what is made of the code. */

const file = join(import.meta.dirname, "../docs/providers.md");
await writeFile(file, withProviderTable(await readFile(file, "utf8")));
