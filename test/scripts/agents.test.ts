import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { agentText, PARTS } from "../../scripts/agent-text.ts";
import { agentProblem, readAgent, releasedAgents } from "../../scripts/keep-agent.ts";

/** The agent is served under its version for good. */

it("has a new version whenever its text changes", async () => {
  expect(agentProblem(await readAgent(), await releasedAgents())).toBeNull();
});

it("is kept as it was released, in every version", async () => {
  const released = await releasedAgents();
  expect(released.length).toBeGreaterThanOrEqual(2);
  expect(await Promise.all(released.map(({ version }) => readAgent(version)))).toEqual(released);
});

it("is refused with another text under a released version, and with a version that is not kept", () => {
  const released = [{ version: "1.0.0", sha256: "a" }];
  expect(agentProblem({ version: "1.0.0", sha256: "a" }, released)).toBeNull();
  expect(agentProblem({ version: "1.0.0", sha256: "b" }, released)).toContain("a new VERSION");
  expect(agentProblem({ version: "1.1.0", sha256: "b" }, released)).toContain("npm run keep-agent");
});

it("is what its parts make: npm run agent", async () => {
  const folder = join(import.meta.dirname, "../../agent");
  expect(await readFile(join(folder, "dumont-agent"), "utf8")).toBe(await agentText());
  expect((await readdir(join(folder, "parts"))).sort()).toEqual(PARTS.map((name) => `${name}.sh`).sort());
});
