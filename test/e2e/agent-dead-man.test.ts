import { mkdir, symlink, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { RunningAgent, SHELLS } from "./running-agent.ts";

/** The agent of a machine whose service is out of reach. Its hour takes twelve seconds, on a machine where nothing happens. */

const PATIENCE = { timeout: 120_000 };
const HOUR_MS = 12_000;
/** Ends the machine, as far as its agent can tell. */
const HIBERNATE = `echo hibernated >>"$S/hibernated"; kill -9 "$(cat "$S/run/pid")"`;
const TCP = "  sl  local_address rem_address   st\n";
/** An established connection to port 22. */
const SSH = `${TCP}   0: 0100007F:0016 0100007F:D431 01 00000000:00000000 00:00000000 00000000 0 0 1\n`;

const agents: RunningAgent[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.end()));
});

async function machine(environment: Readonly<Record<string, string>> = {}): Promise<RunningAgent> {
  const agent = await RunningAgent.make({
    DUMONT_DEAD_MAN_HOURS: "1",
    DUMONT_DEAD_MAN_HOUR_SECONDS: String(HOUR_MS / 1000),
    DUMONT_PROC: "$S/proc",
    DUMONT_CGROUP: "$S/cgroup",
    DUMONT_ACTIVITY_DIR: "$S/activity.d",
    DUMONT_SAMPLE_SECONDS: "1",
    DUMONT_TICK_SECONDS: "1",
    DUMONT_HIBERNATE_COMMAND: HIBERNATE,
    ...environment,
  });
  agents.push(agent);
  // Where things happen that this test does not want to happen.
  for (const name of ["proc/net", "cgroup"]) await mkdir(agent.path(name), { recursive: true });
  for (const name of ["uptime", "1", "sys", "cpuinfo", "meminfo", "mounts"]) {
    await symlink(`/proc/${name}`, agent.path(`proc/${name}`));
  }
  await writeFile(agent.path("proc/stat"), "cpu 100 0 100 800 0 0 0 0 0 0\n");
  await writeFile(agent.path("proc/diskstats"), "");
  await writeFile(agent.path("proc/net/dev"), "eth0: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0\n");
  await writeFile(agent.path("proc/net/tcp"), TCP);
  await agent.program(
    "nvidia-smi",
    `case "$*" in
*query-gpu*) echo "0, NVIDIA A100, $(cat "$S/gpu"), 1024, 40960, 60.00, 400.00, 00000000:01:00.0, GPU-1" ;;
*query-compute-apps*) ;;
*) exit 1 ;;
esac`,
  );
  await writeFile(agent.path("gpu"), "0\n");
  await agent.hook("prepare", `echo "prepared $DUMONT_REASON" >>"$S/order"; echo saved`);
  await agent.hook("resume", `echo "resumed $DUMONT_REASON" >>"$S/order"`);
  return agent;
}

const isHeard = (agent: RunningAgent) => expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(2);

function goAway(agent: RunningAgent): number {
  agent.answer = () => 503;
  return Date.now();
}

// Another shell than the other tests here.
describe.each(SHELLS.slice(-1))("under %s", (shell) => {
  it("idle and out of reach for so long, it prepares, hibernates itself, once, and tells so on return", async () => {
    const agent = await machine();
    agent.start(shell);
    await isHeard(agent);
    expect(agent.last()).toMatchObject({ dead_man: { hours: 1, acted_seconds_ago: null } });
    const awayAt = goAway(agent);
    await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("hibernated\n");
    expect(Date.now() - awayAt).toBeGreaterThan(HOUR_MS - 2000);
    expect(await agent.read("order")).toBe("prepared dead_man\n");
    // It is woken, and the service is still away.
    await agent.stop("SIGKILL");
    await sleep(1000);
    const count = agent.beats.length;
    agent.start(shell);
    await sleep(3 * HOUR_MS);
    expect(await agent.read("hibernated")).toBe("hibernated\n");
    agent.answer = (body) => (body.includes("dead_man") ? 200 : 503);
    await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count + 2);
    expect(agent.beats[count]?.dead_man?.acted_seconds_ago).toBeGreaterThan(20);
    expect(agent.beats[count + 1]?.dead_man).toEqual({ hours: 1, acted_seconds_ago: null });
    // The next outage is another.
    goAway(agent);
    await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("hibernated\nhibernated\n");
  });
});

it("nothing of it happens where something uses the machine, or may use it, or nobody was ever heard", async () => {
  const [busy, unknown, connected, unanswered, unheard] = await Promise.all([
    machine(),
    machine(),
    machine(),
    machine(),
    machine(),
  ]);
  await writeFile(busy.path("gpu"), "40\n");
  await writeFile(unknown.path("gpu"), "[N/A]\n");
  await writeFile(connected.path("proc/net/tcp"), SSH);
  await writeFile(unanswered.path("proc/net/dev"), "");
  unheard.answer = () => 503;
  for (const agent of agents) agent.start();
  await Promise.all([busy, unknown, connected, unanswered].map(isHeard));
  for (const agent of agents) goAway(agent);
  await sleep(3 * HOUR_MS);
  for (const agent of agents) expect(await agent.read("order")).toBe("");
  for (const agent of agents) expect(await agent.read("hibernated")).toBe("");
  // Once it is at rest, its time begins.
  await writeFile(busy.path("gpu"), "0\n");
  const restsAt = Date.now();
  await expect.poll(() => busy.read("hibernated"), PATIENCE).toBe("hibernated\n");
  expect(Date.now() - restsAt).toBeGreaterThan(HOUR_MS - 2000);
});

it("a service that is back in time, also while it prepares, leaves the machine running", async () => {
  // Twice as long an hour: where each heartbeat takes its time, half of it and the next one must not come to a whole one.
  const hourMs = 2 * HOUR_MS;
  const agent = await machine({ DUMONT_DEAD_MAN_HOUR_SECONDS: String(hourMs / 1000) });
  agent.start();
  await isHeard(agent);
  for (const _ of [1, 2]) {
    goAway(agent);
    await sleep(hourMs / 2);
    agent.answer = () => 200;
    const count = agent.beats.length;
    await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count);
  }
  expect(await agent.read("order")).toBe("");
  await agent.hook("prepare", `echo began >>"$S/order"; sleep 6`);
  goAway(agent);
  await expect.poll(() => agent.read("order"), PATIENCE).toBe("began\n");
  agent.answer = () => 200;
  await expect.poll(() => agent.read("order"), PATIENCE).toBe("began\nresumed called_off\n");
  expect(await agent.read("hibernated")).toBe("");
  expect(agent.last()).toMatchObject({ dead_man: { acted_seconds_ago: null } });
});

it("a command that fails is told, tried again later and later, and not told as done", async () => {
  const agent = await machine({
    DUMONT_HIBERNATE_COMMAND: `date +%s >>"$S/hibernated"; [ ! -e "$S/silent" ]`,
  });
  await writeFile(agent.path("silent"), "");
  agent.start();
  await isHeard(agent);
  goAway(agent);
  const times = async () => (await agent.read("hibernated")).trim().split("\n").map(Number);
  await expect.poll(async () => (await times()).length, PATIENCE).toBeGreaterThanOrEqual(4);
  expect(agent.log).toContain("dead-man switch: the hibernate command failed; tried again in");
  const [first = 0, second = 0, third = 0, fourth = 0] = await times();
  expect(fourth - third).toBeGreaterThanOrEqual(second - first);
  agent.answer = () => 200;
  const count = agent.beats.length;
  await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count);
  expect(agent.beats[count]?.dead_man).toEqual({ hours: 1, acted_seconds_ago: null });
});

it("it goes by the thresholds that the service told last, and does nothing where its policy does nothing, or its owner keeps it alive, also once it has started anew", async () => {
  const [agent, spared, kept] = await Promise.all([machine(), machine(), machine()]);
  await writeFile(agent.path("gpu"), "30\n");
  await writeFile(agent.path("proc/net/tcp"), SSH);
  agent.more = {
    idle: {
      threshold_percent: 50,
      metric: "gpu",
      enabled: true,
      sources: { ssh_connections: null, cpu_cores: 0.5, work: 1 },
    },
  };
  spared.more = { idle: { threshold_percent: 5, metric: "gpu", enabled: false, sources: { work: 1 } } };
  const kept_until = Math.floor(Date.now() / 1000) + 3600;
  kept.more = {
    idle: { threshold_percent: 5, metric: "gpu", enabled: true, kept_until, sources: { work: 1 } },
  };
  for (const one of [agent, spared, kept]) one.start();
  await Promise.all([agent, spared, kept].map(isHeard));
  for (const one of [agent, spared, kept]) goAway(one);
  for (const one of [spared, kept]) {
    await one.stop();
    one.start();
  }
  await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("hibernated\n");
  await sleep(2 * HOUR_MS);
  for (const one of [spared, kept]) expect(await one.read("hibernated")).toBe("");
});

it.each([
  [{ DUMONT_DEAD_MAN_HOURS: "0.5" }, "is no number of hours from 1 to 10000"],
  [{ DUMONT_DEAD_MAN_HOURS: "soon" }, "is no number of hours from 1 to 10000"],
  [{ DUMONT_HIBERNATE_COMMAND: "" }, "needs DUMONT_HIBERNATE_COMMAND"],
])("with %j there is none, and the log says why", async (environment, reason) => {
  const agent = await machine(environment);
  agent.start();
  await isHeard(agent);
  expect(agent.log).toContain(reason);
  expect(agent.last()?.dead_man).toBeUndefined();
});
