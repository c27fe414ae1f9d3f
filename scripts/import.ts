import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { z } from "zod";
import { type FileLine, fileLineSchema, type Line, type LineOf } from "../src/backup/lines.ts";
import { callAdmin } from "./admin-call.ts";

/** `npm run import`: takes an export into a running service. One that was cut off is begun anew. */

const HELP = `Usage: ADMIN_TOKEN=… npm run --silent import -- --in FILE [--user ID] [--url URL]

  --in    a file that npm run export has written
  --user  under which user id; if left out, that of the export
  --url   the service; http://127.0.0.1:8787 if left out
`;

const { values } = parseArgs({
  options: {
    in: { type: "string" },
    user: { type: "string" },
    url: { type: "string", default: "http://127.0.0.1:8787" },
    help: { type: "boolean", default: false },
  },
});
if (values.help || values.in === undefined) {
  console.error(HELP);
  process.exit(values.help ? 0 : 1);
}
const file = values.in;

/** What one call takes. */
const LINES_PER_CALL = 100;
const BYTES_PER_CALL = 1024 * 1024;

interface Read {
  readonly number: number;
  readonly bytes: number;
  readonly line: FileLine;
}

/** A line that is not as it should be ends the program, by its number. */
async function* readLines(): AsyncGenerator<Read> {
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    yield { number, bytes: Buffer.byteLength(text), line: parseLine(text, number) };
  }
}

function parseLine(text: string, number: number): FileLine {
  const read = fileLineSchema.safeParse(parseJson(text));
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  fail(`line ${number}: ${issue?.path.join(".") || "the line"}: ${issue?.message ?? "malformed"}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Nothing is sent of a file that is not whole. */
async function check(): Promise<LineOf<"export">> {
  let head: LineOf<"export"> | null = null;
  let ended = false;
  for await (const { number, line } of readLines()) {
    if (ended) fail(`line ${number}: there is something after the end`);
    if (number === 1) {
      if (line.type !== "export") fail("line 1: this is no export");
      head = line;
    }
    ended = line.type === "end";
    if (line.type === "end" && line.lines !== number - 1) {
      fail(`line ${number}: ${line.lines} lines were written, and ${number - 1} are there`);
    }
  }
  if (head === null || !ended) fail("the file is cut off: its last line must be of the type end");
  return head;
}

const answerSchema = z.object({
  brought: z.int(),
  known: z.int(),
  refused: z.array(z.object({ index: z.int(), message: z.string() })),
});

const head = await check();
const userId = values.user ?? head.user_id;
const total = { brought: 0, known: 0, refused: 0 };

async function send(batch: readonly Read[]): Promise<void> {
  if (batch.length === 0) return;
  const lines = batch.flatMap(({ line }): Line[] => (line.type === "end" ? [] : [line]));
  const answer = answerSchema.parse(
    await callAdmin(`${values.url}/api/admin/users/${encodeURIComponent(userId)}/import`, "POST", {
      from_user_id: head.user_id,
      exported_at: head.exported_at,
      lines,
    }),
  );
  total.brought += answer.brought;
  total.known += answer.known;
  total.refused += answer.refused.length;
  for (const { index, message } of answer.refused) {
    const refused = batch[index];
    console.error(`line ${refused?.number}: not taken: ${message}`);
    // What follows would live by another policy than its owner's.
    if (refused?.line.type === "fleet")
      fail("The policy could not be taken, so no instance is. Nothing more is sent.");
  }
}

let isSuspended = false;
let batch: Read[] = [];
let bytes = 0;
for await (const read of readLines()) {
  if (read.line.type === "end") break;
  if (batch.length >= LINES_PER_CALL || bytes + read.bytes > BYTES_PER_CALL) {
    await send(batch);
    batch = [];
    bytes = 0;
  }
  if (read.line.type === "user") isSuspended = read.line.suspended_at !== null;
  batch.push(read);
  bytes += read.bytes;
}
await send(batch);
console.error(`${total.brought} lines taken, ${total.known} were here already, ${total.refused} not taken`);
if (userId !== head.user_id) {
  console.error("It is another user id: issue a user token, and for each instance a token of its own.");
}
if (isSuspended) {
  console.error(
    `The user was suspended when it was exported: POST /api/admin/users/${userId}/resume ends that.`,
  );
}
process.exit(total.refused > 0 ? 1 : 0);
