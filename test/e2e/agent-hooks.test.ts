import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningAgent, SHELLS, TO_HIBERNATE, toPrepare, toWarn } from "./running-agent.ts";

/** The owner's hooks, as the agent runs them where there is no systemd: in the background, while it goes on beating. */

const PATIENCE = { timeout: 90_000 };
/** Of a hook that needs thousands of programs. */
const FOR_THOUSANDS = { timeout: 600_000 };
const ENVIRONMENT = { DUMONT_HOOK_RETRY_SECONDS: "2" };

let agent: RunningAgent;

beforeEach(async () => {
  agent = await RunningAgent.make(ENVIRONMENT);
});
afterEach(() => agent.end());

const is = (status: string, state: string) =>
  expect
    .poll(
      () => agent.beats.some((beat) => beat.status === status && beat.preparation?.state === state),
      PATIENCE,
    )
    .toBe(true);

describe.each(SHELLS)("under %s", (shell) => {
  it("a checkpoint that takes long is saved while heartbeats go on, with its progress, then told once", async () => {
    await agent.hook(
      "prepare-save",
      `env | grep ^DUMONT_ | sort >"$S/environment"; echo "$1" >"$S/argument"
n=0; until [ -e "$S/heard" ]; do n=$((n + 1)); echo "saved $n"; sleep 1; done
echo 'a "quoted" \\ word'; echo saved >"$S/saved"`,
    );
    agent.actions = [toPrepare("p-1", 120, "schedule")];
    agent.start(shell);
    const preparing = () => agent.beats.filter(({ status }) => status === "preparing");
    const progress = () =>
      new Set(preparing().flatMap(({ preparation }) => /^saved \d+$/.exec(preparation?.line ?? "") ?? []));
    await expect.poll(() => preparing().length, PATIENCE).toBeGreaterThanOrEqual(4);
    await expect.poll(() => progress().size, PATIENCE).toBeGreaterThanOrEqual(2);
    // It goes on until so much was heard of it.
    await writeFile(agent.path("heard"), "");
    await is("prepared", "succeeded");
    expect(await agent.read("saved")).toBe("saved\n");
    expect(await agent.read("argument")).toBe("prepare\n");
    const environment = await agent.read("environment");
    expect(environment).toContain("DUMONT_STAGE=prepare\n");
    expect(environment).toContain("DUMONT_REASON=schedule\n");
    expect(environment).toContain("DUMONT_INSTANCE_ID=28864630\n");
    const deadline = Number(/DUMONT_DEADLINE=(\d+)/.exec(environment)?.[1]);
    expect(deadline).toBeGreaterThan(Date.now() / 1000 + 60);
    expect(deadline).toBeLessThan(Date.now() / 1000 + 125);
    expect(agent.beats.every(({ hooks }) => hooks?.join() === "prepare")).toBe(true);
    const count = agent.beats.length;
    await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count + 2);
    const told = agent.beats.filter(({ preparation }) => (preparation?.log ?? null) !== null);
    expect(told).toHaveLength(1);
    expect(told[0]?.preparation).toMatchObject({ id: "p-1", state: "succeeded", line: 'a "quoted" \\ word' });
    expect(told[0]?.preparation?.log).toContain("saved 1\nsaved 2\n");
    expect(agent.last()).toMatchObject({
      status: "prepared",
      preparation: { id: "p-1", state: "succeeded" },
    });
    expect((await agent.read("environment")).length).toBeGreaterThan(0);
  });

  it("one that hangs is ended at the deadline, with all that it has started, and told as failed", async () => {
    await agent.hook(
      "prepare",
      `trap '' TERM; sleep 1000 & echo $! >"$S/child"; echo hanging; wait; wait; sleep 1000`,
    );
    agent.actions = [toPrepare("p-1", 3)];
    const beganAt = Date.now();
    agent.start(shell);
    await is("prepared", "failed");
    expect(Date.now() - beganAt).toBeLessThan(60_000);
    const child = (await agent.read("child")).trim();
    expect(child).not.toBe("");
    // Nothing, or what nobody has waited for yet.
    expect(await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "")).toBe("");
    expect(agent.last()?.preparation?.line).toMatch(/^prepare: (failed \(\d+\)|its time is over)/);
  });

  it("one that fails runs again, and one that has succeeded does not", async () => {
    await agent.hook(
      "prepare-1",
      `echo x >>"$S/first"; [ -e "$S/once" ] || { : >"$S/once"; echo "no space"; exit 3; }`,
    );
    await agent.hook("prepare-2", `echo x >>"$S/second"`);
    agent.actions = [toPrepare("p-1", 60)];
    agent.start(shell);
    await is("prepared", "succeeded");
    expect(await agent.read("first")).toBe("x\nx\n");
    expect(await agent.read("second")).toBe("x\n");
    const log = agent.beats.find(({ preparation }) => (preparation?.log ?? null) !== null)?.preparation?.log;
    expect(log).toContain("no space\nprepare-1: failed (3)");
  });

  it("called off, the preparation ends, and then resume runs", async () => {
    await agent.hook("prepare", `sleep 4; echo prepared >>"$S/order"`);
    await agent.hook("resume", `echo "$1 $DUMONT_REASON" >>"$S/order"`);
    agent.actions = [toPrepare("p-1", 60)];
    agent.start(shell);
    await expect.poll(() => agent.statuses(), PATIENCE).toContain("preparing");
    agent.actions = [];
    await expect.poll(() => agent.read("order"), PATIENCE).toBe("prepared\nresume called_off\n");
    await expect.poll(() => agent.last(), PATIENCE).toMatchObject({ status: "running" });
    await expect.poll(() => agent.last()?.preparation, PATIENCE).toBeUndefined();
    // Asked for anew, it is prepared anew.
    agent.actions = [toPrepare("p-2", 60)];
    await expect.poll(() => agent.read("order"), PATIENCE).toBe("prepared\nresume called_off\nprepared\n");
  });

  it("an order to hibernate runs no hooks again shortly after, else those from before there were stages too", async () => {
    await agent.hook("flush", `echo "flush $1 $DUMONT_STAGE" >>"$S/order"`);
    agent.actions = [toPrepare("p-1", 60)];
    agent.start(shell);
    await is("prepared", "succeeded");
    // Ordered until its last word is heard: a heartbeat after that may come before this test has looked.
    agent.answer = (body) => {
      if (body.includes('"status":"hibernating"')) agent.actions = [];
      return 200;
    };
    agent.actions = [TO_HIBERNATE];
    await expect.poll(() => agent.read("hibernated"), PATIENCE).toContain("hibernated");
    expect(await agent.read("order")).toBe("flush pre-hibernate prepare\n");
    await expect.poll(() => agent.last()?.status, PATIENCE).toBe("running");
    agent.actions = [TO_HIBERNATE];
    await expect.poll(() => agent.read("hibernated"), PATIENCE).toBe("hibernated\nhibernated\n");
    expect(await agent.read("order")).toBe("flush pre-hibernate prepare\nflush pre-hibernate prepare\n");
    expect(agent.statuses()).toContain("hibernating");
  });

  it("all that a hook prints line by line is in the log", async () => {
    await agent.hook("prepare", "for line in 1 2 3 4 5 6 7 8 9; do echo line $line; sleep 0.2; done");
    agent.actions = [toPrepare("p-1", 60)];
    agent.start(shell);
    await expect.poll(() => agent.statuses(), PATIENCE).toContain("prepared");
    const log = agent.beats.find(({ preparation }) => (preparation?.log ?? null) !== null)?.preparation?.log;
    for (let line = 1; line <= 9; line++) expect(log).toContain(`line ${line}`);
  });

  it("a hook that prints without end fills neither memory nor disk, and its end is kept", async () => {
    await agent.hook(
      "prepare",
      `head -c 100000000 /dev/zero | tr '\\0' x; printf 'no new line\\033[31m red\\033[0m \\001\\nthe end'`,
    );
    // Thousands of programs take it away, and on a slow machine each of them a while.
    agent.actions = [toPrepare("p-1", 600)];
    agent.start(shell);
    let most = 0;
    await expect
      .poll(async () => {
        for (const name of ["run/hooks/log", "run/hooks/log.old"]) {
          most = Math.max(most, (await stat(agent.path(name)).catch(() => ({ size: 0 }))).size);
        }
        return agent.statuses();
      }, FOR_THOUSANDS)
      .toContain("prepared");
    expect(most).toBeLessThan(600_000);
    const log = agent.beats.find(({ preparation }) => (preparation?.log ?? null) !== null)?.preparation?.log;
    expect(log).toMatch(/xno new line red \nthe end$/);
    expect(log?.length).toBeLessThanOrEqual(4000);
  });
});

it("warning hooks run once a warning", async () => {
  await agent.hook("warning.sh", `echo "$1" >>"$S/warned"`);
  await agent.hook("warnings", `echo "$1" >>"$S/legacy"`);
  agent.actions = [toWarn("Hibernating in 2min.")];
  agent.start();
  await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(3);
  agent.actions = [toWarn("Hibernating in 1min.")];
  const count = agent.beats.length;
  await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count + 3);
  expect(await agent.read("warned")).toBe("warning\n");
  agent.actions = [];
  const later = agent.beats.length;
  await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(later + 1);
  agent.actions = [toWarn("Hibernating in 2min.")];
  await expect.poll(() => agent.read("warned"), PATIENCE).toBe("warning\nwarning\n");
  expect(agent.last()?.hooks).toEqual(["prepare", "warning"]);
  expect(await agent.read("legacy")).toBe("");
});

it("a preparation does not wait for the hook of a warning", async () => {
  // It would be ended after a minute.
  await agent.hook("warning", "sleep 1000");
  await agent.hook("prepare", "echo saved");
  agent.actions = [toWarn("Hibernating in 2min.")];
  agent.start();
  await expect.poll(() => agent.log, PATIENCE).toContain("hooks: warning");
  const askedAt = Date.now();
  agent.actions = [toPrepare("p-1", 60)];
  await is("prepared", "succeeded");
  expect(Date.now() - askedAt).toBeLessThan(40_000);
});

it("hooks that the service waits for no longer are ended, and the machine hibernates", async () => {
  await agent.hook("prepare", "sleep 1000");
  agent.actions = [toPrepare("p-1", 600)];
  agent.start();
  await expect.poll(() => agent.statuses(), PATIENCE).toContain("preparing");
  agent.actions = [TO_HIBERNATE];
  await expect.poll(() => agent.read("hibernated"), PATIENCE).toContain("hibernated");
  agent.actions = [];
  expect(agent.log).toContain("told to hibernate before the hooks have ended");
});

it("with no hook of it, a preparation has succeeded at once", async () => {
  await agent.hook("resume", "exit 0");
  agent.actions = [toPrepare("p-1", 60)];
  agent.start();
  await is("prepared", "succeeded");
  expect(agent.last()?.hooks).toEqual(["resume"]);
});

it("a log that the service refuses is left out", async () => {
  await agent.hook("prepare", "echo saved");
  agent.answer = (body) => (body.includes('"log":') ? 400 : 200);
  agent.actions = [toPrepare("p-1", 60)];
  agent.start();
  await is("prepared", "succeeded");
  const [told] = agent.beats.filter(({ status }) => status === "prepared");
  expect(told).toMatchObject({ preparation: { id: "p-1" }, hooks: ["prepare"] });
  expect(told?.gpus).toBeDefined();
});

it("what a hook has started goes on, and may go on writing", async () => {
  await agent.hook(
    "prepare",
    `(until [ -e "$S/told" ]; do echo tick; sleep 1; done
for n in 1 2 3; do echo tick; sleep 1; done; echo lived >"$S/lived") & echo started`,
  );
  agent.actions = [toPrepare("p-1", 60)];
  agent.start();
  await is("prepared", "succeeded");
  expect(await agent.read("lived")).toBe("");
  await writeFile(agent.path("told"), "");
  await expect.poll(() => agent.read("lived"), PATIENCE).toBe("lived\n");
});

describe("an agent that starts anew", () => {
  it("on a machine that has stopped meanwhile runs the resume hooks, once, also before the service is heard", async () => {
    await agent.hook("resume", `echo "$1 $DUMONT_REASON" >>"$S/order"`);
    agent.actions = [toPrepare("p-1", 60)];
    agent.start();
    await is("prepared", "succeeded");
    await agent.stop("SIGKILL");
    const mark = await agent.read("state/prepared");
    await writeFile(agent.path("state/prepared"), mark.replace(/ \S+\//, " an-earlier-boot/"));
    agent.answer = () => 503;
    agent.start();
    await expect.poll(() => agent.read("order"), PATIENCE).toBe("resume started\n");
    await agent.stop();
    agent.answer = () => 200;
    agent.actions = [];
    const count = agent.beats.length;
    agent.start();
    await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(count + 2);
    expect(await agent.read("order")).toBe("resume started\n");
  });

  it("before the hooks have begun takes not those before for them, and runs them", async () => {
    await agent.hook("warning", "true");
    await agent.hook("prepare", `echo x >>"$S/prepared"`);
    // It is found in the moment between its note and its hooks.
    await agent.program("ls", `[ ! -e "$S/slow" ] || sleep 30; PATH=/usr/bin:/bin exec ls "$@"`);
    agent.actions = [toWarn("soon")];
    agent.start();
    await expect.poll(() => agent.read("run/hooks/state"), PATIENCE).toContain("succeeded");
    agent.interval = 2;
    await writeFile(agent.path("slow"), "");
    agent.actions = [toPrepare("p-1", 60)];
    await expect.poll(() => agent.read("state/prepared"), PATIENCE).toContain("running");
    await agent.stop("SIGKILL");
    await rm(agent.path("slow"));
    agent.start();
    await is("prepared", "succeeded");
    expect(await agent.read("prepared")).toBe("x\n");
  });

  it("follows the hooks that run already, and runs them no second time", async () => {
    await agent.hook("prepare", `echo x >>"$S/began"; sleep 8; echo saved`);
    await agent.hook("resume", `echo resumed >>"$S/began"`);
    agent.actions = [toPrepare("p-1", 60)];
    agent.start();
    await expect.poll(() => agent.read("began"), PATIENCE).toBe("x\n");
    await agent.stop();
    agent.start();
    await is("prepared", "succeeded");
    expect(agent.last()).toMatchObject({ preparation: { id: "p-1" } });
    expect(await agent.read("began")).toBe("x\n");
  });

  it("and does not hear of those that run any more, tells them as failed", async () => {
    await agent.hook("prepare", `echo x >>"$S/began"`);
    agent.actions = [toPrepare("p-1", 60)];
    agent.start();
    await is("prepared", "succeeded");
    await agent.stop("SIGKILL");
    const mark = await agent.read("state/prepared");
    await writeFile(agent.path("state/prepared"), mark.replace("succeeded", "running"));
    await rm(agent.path("run/hooks"), { recursive: true });
    agent.start();
    await expect
      .poll(() => agent.last(), { timeout: 180_000 })
      .toMatchObject({ status: "prepared", preparation: { state: "failed" } });
  });
});

it("a machine that stood still while it was prepared resumes by itself", async () => {
  await agent.hook("resume", `echo "$1 $DUMONT_REASON" >>"$S/order"`);
  // As of a machine that sleeps: each sleep of the agent takes as long as the file says.
  await agent.program(
    "sleep",
    `[ ! -e "$S/asleep" ] || { /bin/sleep 65; rm -f "$S/asleep"; }; exec /bin/sleep "$@"`,
  );
  agent.actions = [toPrepare("p-1", 60)];
  agent.interval = 30;
  agent.start();
  await is("prepared", "succeeded");
  // The next heartbeat must not come first.
  agent.interval = 600;
  await sleep(6000);
  await writeFile(agent.path("asleep"), "");
  await expect.poll(() => agent.read("order"), { timeout: 180_000 }).toBe("resume started\n");
});
