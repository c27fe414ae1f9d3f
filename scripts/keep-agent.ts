import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** The versions of the agent that were released. Each keeps its text for good, since installations name it. */

const FOLDER = join(resolve(import.meta.dirname, ".."), "agent");
const LIST = join(FOLDER, "released/SHA256SUMS");

export interface AgentDigest {
  readonly version: string;
  readonly sha256: string;
}

/** The lines of `agent/released/SHA256SUMS`, which `sha256sum -c` takes too. */
export async function releasedAgents(): Promise<AgentDigest[]> {
  const lines = (await readFile(LIST, "utf8")).matchAll(/^([0-9a-f]{64}) {2}(\S+)\/dumont-agent$/gm);
  return [...lines].map(([, sha256 = "", version = ""]) => ({ version, sha256 }));
}

/** The agent as it is now, or as it was released. */
export async function readAgent(released?: string): Promise<AgentDigest> {
  const text = await readFile(
    released === undefined
      ? join(FOLDER, "dumont-agent")
      : join(FOLDER, "released", released, "dumont-agent"),
    "utf8",
  );
  const version = /^VERSION=(\S+)$/m.exec(text)?.[1];
  if (version === undefined) throw new Error("the agent names no VERSION");
  return { version, sha256: createHash("sha256").update(text).digest("hex") };
}

/** What keeps the present agent from being served under its version; null when nothing does. */
export function agentProblem(agent: AgentDigest, released: readonly AgentDigest[]): string | null {
  const known = released.find(({ version }) => version === agent.version);
  if (known === undefined) return `agent ${agent.version} is not kept: run npm run keep-agent`;
  if (known.sha256 === agent.sha256) return null;
  return `agent ${agent.version} was released with another text: give the changed one a new VERSION`;
}

/** Keeps the present agent as the release of its version. Safe to repeat. */
export async function keepAgent(): Promise<string> {
  const agent = await readAgent();
  const released = await releasedAgents();
  if (!released.some(({ version }) => version === agent.version)) {
    const folder = join(FOLDER, "released", agent.version);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "dumont-agent"), await readFile(join(FOLDER, "dumont-agent")));
    const lines = [...released, agent].map(({ version, sha256 }) => `${sha256}  ${version}/dumont-agent\n`);
    await writeFile(LIST, lines.join(""));
    return `kept agent ${agent.version}: name it in src/downloads/agents.ts`;
  }
  const problem = agentProblem(agent, released);
  if (problem !== null) throw new Error(problem);
  return `agent ${agent.version} is kept already`;
}

if (import.meta.main) console.log(await keepAgent());
