import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listInstances, registerInstance, request } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { Machine } from "./machine.ts";

/** The agent as a service of a real systemd, on a machine made of namespaces, before a real server. */

const INSTANCE = "28864630";

describe.runIf(process.getuid?.() === 0)("on a machine with systemd", () => {
  let world: ServerWorld;
  let machine: Machine;
  let userToken: string;
  let install: string;

  beforeEach(async () => {
    // A heartbeat a second.
    world = await ServerWorld.create({ SIMULATION_SPEED: "60" });
    userToken = (await world.newUser("Ada")).token;
    const token = await registerInstance(world.url, userToken, {
      instance_id: INSTANCE,
      name: "Rig",
      hourly_cost: 0.4,
      hibernated_hourly_cost: 0.01,
      policy: { idle: { enabled: false } },
    });
    install = `DUMONT_INSTANCE_ID=${INSTANCE} DUMONT_API_TOKEN=${token} DUMONT_API_URL=${world.url} sh /root/dumont-agent install`;
    machine = await Machine.boot();
  });
  afterEach(async () => {
    await machine?.end();
    await world?.end();
  });

  const status = async () => (await listInstances(world.url, userToken))[0]?.status;

  it("is installed, runs confined as its own user, is upgraded in place, and leaves nothing behind", async () => {
    await machine.run(install);
    await machine.run("systemctl start dumont-agent");
    await expect.poll(status).toBe("running");
    const service = (property: string) => machine.run(`systemctl show -P ${property} dumont-agent`);
    const before = await service("MainPID");
    expect(await machine.run(`stat -c %U /proc/${before.trim()}`)).toBe("dumont-agent\n");
    expect(
      await machine.run(`sed -n 's/^NoNewPrivs:.//p;s/^CapEff:.//p' /proc/${before.trim()}/status`),
    ).toBe("0000000000000000\n1\n");
    await expect(
      machine.run("setpriv --reuid dumont-agent --clear-groups cat /etc/dumont-agent/agent.env"),
    ).rejects.toThrow("Permission denied");

    await machine.run(install);
    await expect.poll(() => service("ActiveState")).toBe("active\n");
    expect(await service("MainPID")).not.toBe(before);
    expect(await machine.run("dumont-agent status")).toContain("systemd:    active");

    await machine.run("dumont-agent uninstall");
    const left =
      "find / -xdev -name '*dumont*' -not -path '/root/*' -not -path '/proc/*' -not -path '/usr/*'";
    expect(
      await machine.run(`${left}; find /run /usr/local/bin -name '*dumont*'; ps -e | grep dumont || true`),
    ).toBe("");
    await expect(machine.run("id dumont-agent")).rejects.toThrow("no such user");
  });

  it("hibernates it by the documented command when its owner asks, and the machine goes down", async () => {
    await machine.run(`${install} --hibernate-command 'shutdown -h now'`);
    await machine.run("systemctl start dumont-agent");
    await expect.poll(status).toBe("running");
    await request(`${world.url}/api/agent/instances/${INSTANCE}/hibernate`, "POST", userToken);
    await expect.poll(() => machine.isOn(), { timeout: 60_000 }).toBe(false);
    await expect.poll(status).toBe("hibernated");
  });
});
