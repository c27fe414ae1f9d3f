import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningAgent, SHELLS, TO_HIBERNATE, toPrepare } from "./running-agent.ts";

/** The agent before a service that errs, and with a command that does not end. */

const PATIENCE = { timeout: 60_000 };
/** As much memory as no shell takes that reads a bounded answer. */
const MOST_KB = 20_000;

let agent: RunningAgent;
beforeEach(async () => {
  agent = await RunningAgent.make({
    DUMONT_HIBERNATE_LIMIT_SECONDS: "3",
    DUMONT_HIBERNATE_COMMAND: `echo x >>"$S/hibernated"; exec sleep 120`,
  });
});
afterEach(() => agent.end());

async function highestMemoryKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
}

describe.each(SHELLS)("under %s", (shell) => {
  it("a hibernate command that does not end is ended, and the machine is heard again", async () => {
    agent.actions = [TO_HIBERNATE];
    agent.start(shell);
    await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("x\n");
    agent.actions = [];
    await expect.poll(() => agent.last()?.status, PATIENCE).toBe("running");
    expect(agent.statuses()).toContain("hibernating");
    expect(agent.log).toContain("the hibernate command did not end in 3 seconds");
  });

  it("a preparation with a new name at each answer brings heartbeats no sooner than a few seconds apart", async () => {
    agent.interval = 60;
    let serial = 0;
    agent.raw = (text) => {
      serial += 1;
      return text.replace("p-0", `p-${serial}`);
    };
    agent.actions = [toPrepare("p-0", 60)];
    agent.start(shell);
    await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(4);
    // By the time at which each was begun: how long it takes to read all that it tells varies.
    const [first, , last] = agent.beats.slice(-3).map(({ uptime_seconds }) => uptime_seconds);
    expect((last ?? 0) - (first ?? 0)).toBeGreaterThan(9);
    expect(agent.last()?.preparation?.state).toBe("succeeded");
  });

  it("a deadline with zeros before it is a deadline, and does not end it", async () => {
    await agent.hook("prepare", `echo "$DUMONT_DEADLINE_SECONDS" >"$S/deadline"`);
    agent.raw = (text) => text.replace(/"deadline_seconds":\d+/, '"deadline_seconds":0089');
    agent.actions = [toPrepare("p-0", 60)];
    agent.start(shell);
    await expect.poll(() => agent.statuses(), PATIENCE).toContain("prepared");
    expect(Number(await agent.read("deadline"))).toBeGreaterThan(80);
  });

  it("an answer that has no end takes no memory, and is none", async () => {
    agent.raw = (text) => `{"x":"${"x".repeat(50_000_000)}"}\n${text}`;
    agent.start(shell);
    await expect.poll(() => agent.log, PATIENCE).toContain("not heard");
    expect(await highestMemoryKb(agent.pid)).toBeLessThan(MOST_KB);
  });
});
