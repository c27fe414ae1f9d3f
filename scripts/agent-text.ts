import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** `npm run agent`: puts the agent's one file together. It is written in parts, and each machine gets the whole. */

const FOLDER = join(import.meta.dirname, "../agent");
const FILE = join(FOLDER, "dumont-agent");

/** In the order of the file: a part uses only what a shell knows by the time that it runs. */
export const PARTS = [
  "settings",
  "configuration",
  "readings",
  "gpus",
  "machine",
  "sources",
  "heartbeat",
  "backlog",
  "service",
  "obey",
  "run",
  "doctor",
  "hooks",
  "hooks-running",
  "hooks-asking",
  "spot",
  "dead-man",
  "enrollment",
  "systemd",
  "install",
  "main",
] as const;

/** The agent as its parts make it. */
export async function agentText(): Promise<string> {
  const parts = PARTS.map((name) => readFile(join(FOLDER, "parts", `${name}.sh`), "utf8"));
  return (await Promise.all(parts)).join("");
}

if (import.meta.main) await writeFile(FILE, await agentText());
