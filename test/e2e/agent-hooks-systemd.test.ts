import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Machine } from "./machine.ts";
import { RunningAgent, TO_HIBERNATE, toPrepare } from "./running-agent.ts";

/** Hooks under a real systemd: root runs them, outside of the agent's confinement, and takes nothing from the agent on trust. */

const PATIENCE = { timeout: 60_000 };

describe.runIf(process.getuid?.() === 0)("on a machine with systemd", () => {
  /** Only its service, and what it has heard. */
  let agent: RunningAgent;
  let machine: Machine;

  beforeEach(async () => {
    agent = await RunningAgent.make();
    machine = await Machine.boot();
    await machine.run(
      `DUMONT_INSTANCE_ID=28864630 DUMONT_API_TOKEN=a.b.c DUMONT_API_URL=${agent.url} DUMONT_SPOT_WATCH=off sh /root/dumont-agent install --hibernate-command 'touch /root/hibernated'`,
    );
  });
  afterEach(async () => {
    await machine?.end();
    await agent?.end();
  });

  const hook = (name: string, text: string) =>
    machine.run(
      `cat >/etc/dumont-agent/hooks.d/${name} <<'END'\n#!/bin/sh\n${text}\nEND\nchmod 700 /etc/dumont-agent/hooks.d/${name}`,
    );
  const asAgent = (command: string) =>
    machine.run(`setpriv --reuid dumont-agent --regid dumont-agent --clear-groups sh -c '${command}'`);
  const last = () => agent.last();

  it("root runs them in a unit of their own, with progress and log in the heartbeats, and then the resume hooks", async () => {
    await hook(
      "prepare",
      `{ id -u; grep -c "/dumont-agent-hooks.service$" /proc/self/cgroup; sed -n "s/^NoNewPrivs:.//p" /proc/self/status; echo "$DUMONT_REASON $DUMONT_INSTANCE_ID"; } >/root/seen
n=0; until [ -e /root/heard ]; do n=$((n + 1)); echo "saved $n"; sleep 1; done`,
    );
    await hook("resume", "echo resumed >>/root/seen; sleep 300 & echo $! >/root/server");
    await machine.run("systemctl start dumont-agent");
    await expect.poll(() => last()?.hooks, PATIENCE).toEqual(["prepare", "resume"]);
    agent.actions = [toPrepare("p-1", 120)];
    await expect
      .poll(() => last(), PATIENCE)
      .toMatchObject({
        status: "preparing",
        preparation: { state: "running", line: expect.stringMatching(/^saved \d+$/) },
      });
    await machine.run("touch /root/heard");
    await expect
      .poll(() => agent.beats.find(({ preparation }) => preparation?.log), PATIENCE)
      .toMatchObject({
        status: "prepared",
        preparation: { id: "p-1", state: "succeeded", line: expect.stringMatching(/^saved \d+$/) },
      });
    const [user, cgroup, confined, environment] = (await machine.run("cat /root/seen")).split("\n");
    expect(user).toBe("0");
    expect(Number(cgroup)).toBeGreaterThan(0);
    expect(confined).toBe("0");
    expect(environment).toBe("idle 28864630");
    agent.actions = [];
    await expect.poll(() => machine.run("tail -n 1 /root/seen"), PATIENCE).toBe("resumed\n");
    await expect
      .poll(() => machine.run("systemctl show -P ActiveState dumont-agent-hooks"), PATIENCE)
      .toBe("inactive\n");
    // What a hook has started goes on.
    expect(await machine.run("cat /proc/$(cat /root/server)/cmdline | tr '\\0' ' '")).toBe("sleep 300 ");

    await machine.run("kill $(cat /root/server); dumont-agent uninstall");
    expect(
      await machine.run("find /run /etc/systemd /var/lib -name '*dumont*'; ps -e | grep dumont || true"),
    ).toBe("");
  });

  it("those that others could have written are not run, and the owner is told", async () => {
    await hook("prepare", "echo x >>/root/ran");
    await machine.run("chmod o+w /etc/dumont-agent/hooks.d; systemctl start dumont-agent");
    agent.actions = [toPrepare("p-1", 120)];
    await expect
      .poll(() => agent.beats.find(({ preparation }) => preparation?.state === "failed"), PATIENCE)
      .toMatchObject({
        preparation: { line: expect.stringContaining("not run: /etc/dumont-agent/hooks.d") },
      });
    await machine.run(
      "chmod o-w /etc/dumont-agent/hooks.d; chown dumont-agent /etc/dumont-agent/hooks.d/prepare",
    );
    agent.actions = [toPrepare("p-2", 120)];
    await machine.run("systemctl restart dumont-agent");
    await expect
      .poll(
        () =>
          agent.beats.find(({ preparation }) => preparation?.id === "p-2" && preparation.state === "failed"),
        PATIENCE,
      )
      .toMatchObject({ preparation: { line: expect.stringContaining("hooks.d/prepare") } });
    await expect(machine.run("cat /root/ran")).rejects.toThrow("No such file");
  });

  it("those that the service waits for no longer are ended, and the machine hibernates", async () => {
    await hook("prepare", "sleep 1000");
    await machine.run("systemctl start dumont-agent");
    agent.actions = [toPrepare("p-1", 600)];
    await expect.poll(() => last()?.preparation?.state, PATIENCE).toBe("running");
    await expect
      .poll(() => machine.run("systemctl show -P ActiveState dumont-agent-hooks"), PATIENCE)
      .toBe("activating\n");
    agent.actions = [TO_HIBERNATE];
    await expect.poll(() => machine.run("ls /root"), PATIENCE).toContain("hibernated");
    expect(await machine.run("ps -e | grep sleep || true")).not.toContain("1000");
    expect(agent.statuses()).toContain("hibernating");
  });

  it("whoever is the agent's user makes root neither read, nor write, nor run anything else", async () => {
    await hook("prepare", "echo ran >>/root/ran");
    await machine.run("systemctl start dumont-agent; echo untouched >/root/secret; chmod 600 /root/secret");
    await expect.poll(() => agent.beats.length, PATIENCE).toBeGreaterThan(0);
    const idle = () =>
      expect
        .poll(
          () =>
            machine.run(
              "systemctl show -P ActiveState dumont-agent-hooks; ls -A /run/dumont-agent | grep request || true",
            ),
          PATIENCE,
        )
        .toMatch(/^(inactive|failed)\n$/);
    for (const attack of [
      "ln -s /root/secret /run/dumont-agent/hooks.request",
      "mkfifo /run/dumont-agent/hooks.request",
      "mkdir -p /run/dumont-agent/hooks.request/a",
      "echo x >/run/dumont-agent/hooks.request",
      "head -c 3000000 /dev/zero >/run/dumont-agent/hooks.request",
      'printf "id=../../root/x\\nstage=prepare\\nreason=idle\\nseconds=60\\neach=0\\ninstance=1\\n" >/run/dumont-agent/r; mv /run/dumont-agent/r /run/dumont-agent/hooks.request',
      'printf "id=1\\nstage=/root/x\\nreason=idle\\nseconds=60\\neach=0\\ninstance=1\\n" >/run/dumont-agent/r; mv /run/dumont-agent/r /run/dumont-agent/hooks.request',
      'printf "id=1\\nstage=prepare\\nreason=\\$(id)\\nseconds=60\\neach=0\\ninstance=1\\n" >/run/dumont-agent/r; mv /run/dumont-agent/r /run/dumont-agent/hooks.request',
    ]) {
      await asAgent(attack);
      await idle();
    }
    expect(await machine.run("cat /root/secret; stat -c %a:%U /root/secret")).toBe("untouched\n600:root\n");
    await expect(machine.run("cat /root/ran")).rejects.toThrow("No such file");
    await expect(asAgent("echo x >/run/dumont-agent-hooks/state")).rejects.toThrow("Permission denied");
    await expect(asAgent("ln -s /root/secret /run/dumont-agent-hooks/log.old")).rejects.toThrow(
      "Permission denied",
    );
    // And after all that a true word is still obeyed.
    agent.actions = [toPrepare("p-1", 60)];
    await expect.poll(() => last()?.preparation?.state, PATIENCE).toBe("succeeded");
    expect(await machine.run("cat /root/ran")).toBe("ran\n");
  });
});
