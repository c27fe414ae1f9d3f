import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { type FileLine, lineSchema } from "../src/backup/lines.ts";
import { callAdmin } from "./admin-call.ts";

/** `npm run export`: all that a running service keeps of a user, as JSON lines. */

const HELP = `Usage: ADMIN_TOKEN=… npm run --silent export -- --user ID [--url URL] [--out FILE] [--without-secrets]

  --user             whose
  --url              the service; http://127.0.0.1:8787 if left out
  --out              the file; standard output if left out
  --without-secrets  leaves channels and credentials out, which are sealed in any case
`;

const { values } = parseArgs({
  options: {
    user: { type: "string" },
    url: { type: "string", default: "http://127.0.0.1:8787" },
    out: { type: "string" },
    "without-secrets": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.user === undefined) {
  console.error(HELP);
  process.exit(values.help ? 0 : 1);
}

const pageSchema = z.object({ lines: z.array(lineSchema), next_cursor: z.string().nullable() });

async function exportUser(userId: string, write: (line: FileLine) => Promise<void>): Promise<number> {
  const query = new URLSearchParams({ secrets: String(!values["without-secrets"]) });
  let lines = 0;
  for (;;) {
    const path = `/api/admin/users/${encodeURIComponent(userId)}/export?${query}`;
    const page = pageSchema.parse(await callAdmin(`${values.url}${path}`, "GET"));
    for (const line of page.lines) await write(line);
    lines += page.lines.length;
    if (page.next_cursor === null) break;
    query.set("cursor", page.next_cursor);
  }
  await write({ type: "end", lines });
  return lines;
}

// A file has its name only once it is whole.
const unfinished = values.out === undefined ? null : `${values.out}.unfinished`;
const target = unfinished === null ? process.stdout : createWriteStream(unfinished, { mode: 0o600 });
const lines = await exportUser(values.user, async (line) => {
  if (!target.write(`${JSON.stringify(line)}\n`)) await once(target, "drain");
});
if (unfinished !== null && values.out !== undefined) {
  target.end();
  await once(target, "close");
  await rename(unfinished, values.out);
}
console.error(`${lines} lines`);
