import latest from "../../agent/dumont-agent";
import agent1v0v0 from "../../agent/released/1.0.0/dumont-agent";
import agent1v1v0 from "../../agent/released/1.1.0/dumont-agent";
import agent1v2v0 from "../../agent/released/1.2.0/dumont-agent";
import agent1v3v0 from "../../agent/released/1.3.0/dumont-agent";

/**
 * Every version of the agent that was ever released, by its version: an installation that names one gets the same text for
 * good. `agent/released/SHA256SUMS` lists them, and `npm run keep-release` adds one.
 */
export const AGENTS: ReadonlyMap<string, string> = new Map(
  [agent1v0v0, agent1v1v0, agent1v2v0, agent1v3v0, latest].map((text) => [versionOf(text), text]),
);

/** The agent that `latest` stands for. */
export const LATEST_AGENT = latest;

/** Read from the script itself, so that the two cannot differ. */
function versionOf(agent: string): string {
  return /^VERSION=(\S+)$/m.exec(agent)?.[1] ?? "unknown";
}
