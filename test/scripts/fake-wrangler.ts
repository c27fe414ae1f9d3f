import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

/**
 * Stands in for `wrangler`: keeps an account in a file, obeys and refuses as the real one does, and keeps what it was asked.
 * What the real one says was read in the source of wrangler 4.156.2.
 */

export const accountSchema = z.object({
  databases: z.array(z.string()),
  /** Bindings whose database has been migrated. */
  migrated: z.array(z.string()),
  /** Newest last. */
  deployments: z.array(
    z.object({
      created_on: z.string(),
      versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })),
    }),
  ),
  /** What each version was uploaded with. */
  versions: z.record(
    z.string(),
    z.object({ classes: z.string().optional(), workflows: z.array(z.string()) }),
  ),
  /** What is uploaded next. */
  next: z.object({ classes: z.string(), workflows: z.array(z.string()) }),
  /** A command that begins so fails. */
  failing: z.string().nullable(),
  asked: z.array(z.string()),
});

export type Account = z.infer<typeof accountSchema>;

const BINDINGS = new Map([["DB", "dumont-agent-system"]]);

export function answer(account: Account, args: readonly string[]): string {
  const command = args.join(" ");
  account.asked.push(command);
  if (account.failing !== null && command.startsWith(account.failing)) throw new Error("it failed");
  const rest = (...words: string[]) =>
    words.every((word, index) => args[index] === word) ? args.slice(words.length) : null;
  if (rest("d1", "list")) return JSON.stringify(account.databases.map((name) => ({ uuid: name, name })));
  const [created] = rest("d1", "create") ?? [];
  if (created !== undefined) {
    account.databases.push(created);
    return "";
  }
  const [binding] = rest("d1", "migrations", "apply") ?? [];
  if (binding !== undefined) {
    const name = BINDINGS.get(binding) ?? "";
    if (!account.databases.includes(name)) {
      throw new Error(`Couldn't find a D1 DB named '${name}' (bound as '${binding}') in the API.`);
    }
    account.migrated.push(binding);
    return "";
  }
  if (rest("deploy")) {
    const id = upload(account);
    deployment(account, [{ version_id: id, percentage: 100 }]);
    return "";
  }
  const now = account.deployments.at(-1);
  if (now === undefined) throw new Error("This Worker does not exist on your account. [code: 10007]");
  if (rest("deployments", "status")) return JSON.stringify(now);
  if (rest("deployments", "list")) return JSON.stringify(account.deployments);
  const [viewed] = rest("versions", "view") ?? [];
  if (viewed !== undefined) return view(account, viewed);
  if (rest("versions", "upload")) {
    const deployed = account.versions[now.versions[0]?.version_id ?? ""]?.classes;
    if (deployed !== account.next.classes) throw new Error("pending Durable Object migration [code: 10211]");
    upload(account);
    return "";
  }
  const shares = rest("versions", "deploy");
  if (shares !== null) {
    const versions = shares.flatMap((share) => {
      const [, version_id = "", percentage] = /^(\S+)@(\d+)%$/.exec(share) ?? [];
      return percentage === undefined ? [] : [{ version_id, percentage: Number(percentage) }];
    });
    if (versions.reduce((sum, { percentage }) => sum + percentage, 0) !== 100) throw new Error("not 100 %");
    deployment(account, versions);
    return "";
  }
  if (rest("triggers", "deploy")) return "";
  throw new Error(`unknown command ${command}`);
}

function upload(account: Account): string {
  const id = randomUUID();
  account.versions[id] = account.next;
  const told = process.env.WRANGLER_OUTPUT_FILE_PATH;
  if (told !== undefined) {
    appendFileSync(told, `${JSON.stringify({ type: "wrangler-session", version: 1 })}\n`);
    appendFileSync(told, `${JSON.stringify({ type: "version-upload", version: 1, version_id: id })}\n`);
  }
  return id;
}

function deployment(account: Account, versions: Account["deployments"][number]["versions"]): void {
  const created_on = new Date(Date.UTC(2026, 0, 1) + account.deployments.length * 1000).toISOString();
  account.deployments.push({ created_on, versions });
}

function view(account: Account, id: string): string {
  const { classes, workflows = [] } = account.versions[id] ?? {};
  const bindings = workflows.map((workflow_name) => ({ type: "workflow", name: "ANY", workflow_name }));
  return JSON.stringify({ id, resources: { script_runtime: { migration_tag: classes }, bindings } });
}

if (import.meta.main) {
  const file = process.env.FAKE_ACCOUNT ?? "";
  const account = accountSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  try {
    console.log(answer(account, process.argv.slice(2)));
  } catch (error) {
    console.error(`X [ERROR] ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
  writeFileSync(file, JSON.stringify(account));
}
