import { execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { listInstances, registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { AGENT } from "../server/agent-machine.ts";
import { ServerWorld } from "../server/world.ts";
import { azure, ec2, google, Metadata, openStack } from "./clouds.ts";
import { Machine } from "./machine.ts";

/** Machines that register themselves by one command, with no id typed: in a container without systemd, and with a real one. */

const run = promisify(execFile);
const FIRST = "i-1234567890abcdef0";
const SECOND = "i-0fedcba0987654321";

type Variables = Readonly<Record<string, string>>;

/** A container: files of its own, no systemd, and the environment that its provider gave it. */
class Container {
  readonly #folder: string;
  readonly #environment: Variables;

  private constructor(folder: string, environment: Variables) {
    this.#folder = folder;
    this.#environment = environment;
  }

  static async start(metadata: Metadata, environment: Variables = {}): Promise<Container> {
    const folder = await mkdtemp(join(tmpdir(), "container-"));
    await mkdir(join(folder, "bin"));
    const container = new Container(folder, {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      DUMONT_CONFIG_FILE: join(folder, "etc/agent.env"),
      DUMONT_HOOKS_DIR: join(folder, "etc/hooks.d"),
      DUMONT_RUN_DIR: join(folder, "run"),
      DUMONT_STATE_DIR: join(folder, "state"),
      DUMONT_LOG_FILE: join(folder, "agent.log"),
      DUMONT_BIN: join(folder, "dumont-agent"),
      DUMONT_UNIT_DIR: join(folder, "units"),
      DUMONT_METADATA_URL: metadata.url,
      ...environment,
    });
    // This machine gets no user for it.
    await container.program("id", `[ "$1" != -u ] || echo 0`);
    await container.program("chown", "exit 0");
    return container;
  }

  async program(name: string, text: string): Promise<void> {
    const file = join(this.#folder, "bin", name);
    await writeFile(file, `#!/bin/sh\n${text}\n`);
    await chmod(file, 0o755);
  }

  /** Runs a command of the agent to its end. */
  agent(parameters: readonly string[], shell: readonly string[] = ["sh"], more: Variables = {}) {
    const [program = "sh", ...rest] = shell;
    return run(program, [...rest, AGENT, ...parameters], { env: this.#with(more) });
  }

  /** The container's own start: what is installed runs, in the background. */
  boot(more: Variables = {}): void {
    const agent = spawn(join(this.#folder, "dumont-agent"), ["run"], {
      env: this.#with(more),
      stdio: "ignore",
    });
    agent.unref();
  }

  #with(more: Variables): NodeJS.ProcessEnv {
    const { PATH, ...others } = { ...process.env, ...this.#environment, ...more };
    return { ...others, PATH };
  }

  /** Its agent ends, as when the container stops. */
  async stop(): Promise<void> {
    const pid = Number(await readFile(join(this.#folder, "run/pid"), "utf8").catch(() => ""));
    if (pid > 1) process.kill(pid, "SIGTERM");
  }

  async forget(): Promise<void> {
    await rm(join(this.#folder, "state"), { recursive: true });
  }

  log(): Promise<string> {
    return readFile(join(this.#folder, "agent.log"), "utf8");
  }

  files(): Promise<string[]> {
    return readdir(this.#folder);
  }

  async end(): Promise<void> {
    await this.stop().catch(() => {});
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What a command that must fail has said. */
async function failureOf(command: Promise<unknown>): Promise<string> {
  try {
    await command;
  } catch (error) {
    return z.object({ stderr: z.string() }).parse(error).stderr;
  }
  throw new Error("it did not fail");
}

let world: ServerWorld;
let metadata: Metadata;
let user: User;

beforeAll(async () => {
  // A heartbeat a second.
  world = await ServerWorld.create({ SIMULATION_SPEED: "60" });
});
afterAll(() => world.end());

beforeEach(async () => {
  user = await world.newUser("Ada");
  metadata = await Metadata.start(ec2(FIRST));
});
afterEach(() => metadata.stop());

async function newToken(more: object = {}, owner = user): Promise<string> {
  const made = await request(`${world.url}/api/agent/enrollments`, "POST", owner.token, {
    name: "image",
    uses: 10,
    ...more,
  });
  return z.object({ token: z.string() }).parse(made).token;
}

const usesLeft = async (): Promise<number | undefined> => {
  const list = await request(`${world.url}/api/agent/enrollments`, "GET", user.token);
  return z.object({ enrollments: z.array(z.object({ uses_left: z.number() })) }).parse(list).enrollments[0]
    ?.uses_left;
};

const instances = () => listInstances(world.url, user.token);
const running = async () =>
  (await instances()).filter(({ status }) => status === "running").map(({ instance_id }) => instance_id);
const isRunning = (id: string) => expect.poll(running, { timeout: 60_000 }).toContain(id);

const detailSchema = z.object({ provider_ref: z.string().nullable(), total_heartbeats: z.number() });
const detail = async (id: string) =>
  detailSchema.parse(await request(`${world.url}/api/agent/instances/${id}`, "GET", user.token));

describe("in a container", () => {
  let container: Container | null = null;
  afterEach(async () => {
    await container?.end();
    container = null;
  });

  const install = (token: string) => ["install", "--enroll", token, "--url", world.url];

  it.each([
    ["EC2", "dash", ec2(FIRST), {}, FIRST, null],
    [
      "Google",
      "bash",
      google("4520031799277581759", "trainer-1"),
      {},
      "4520031799277581759",
      "projects/my-project/zones/us-central1-a/instances/trainer-1",
    ],
    [
      "Azure",
      "busybox sh",
      azure("02AAB8A4-74EF-476E-8182-F6D2BA4166A6", "My-Group", "My-VM"),
      {},
      "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
      "my-group/my-vm",
    ],
    ["RunPod", "dash", null, { RUNPOD_POD_ID: "4qm3k7u1x9tz0b" }, "4qm3k7u1x9tz0b", null],
    ["Vast.ai", "busybox sh", null, { CONTAINER_ID: "28864630" }, "28864630", null],
  ])("at %s, under %s, it is registered under its provider's own id, and beats", async (...of) => {
    const [, shell, cloud, environment, id, ref] = of;
    metadata.cloud = cloud;
    container = await Container.start(metadata, environment);
    const { stdout } = await container.agent(install(await newToken()), shell.split(" "));
    expect(stdout).toContain(`It reports as instance ${id}.`);
    await isRunning(id);
    expect((await detail(id)).provider_ref).toBe(ref);
    expect(await usesLeft()).toBe(9);
  });

  it("with curl and no wget it is, too", async () => {
    container = await Container.start(metadata);
    await container.program("wget", "exit 1");
    await container.agent(install(await newToken()));
    await isRunning(FIRST);
    expect((await container.agent(["status"])).stdout).toContain(`enrolls:    ec2/${FIRST}\n`);
    const { stdout } = await container.agent(["check"]);
    expect(stdout).toContain(`token:      accepted for instance ${FIRST}\n`);
  });

  it("by a command whose environment was emptied, as by sudo, it is, too", async () => {
    metadata.cloud = null;
    container = await Container.start(metadata, { RUNPOD_POD_ID: "4qm3k7u1x9tz0b" });
    const emptied = ["sh", "-c", 'env -u RUNPOD_POD_ID sh "$@"; true', "sh"];
    const { stdout } = await container.agent(install(await newToken()), emptied);
    expect(stdout).toContain("It reports as instance 4qm3k7u1x9tz0b.");
    await isRunning("4qm3k7u1x9tz0b");
  });

  it("installed again, it is the same instance with the same agent, and takes no further use", async () => {
    container = await Container.start(metadata);
    const token = await newToken();
    await container.agent(install(token));
    await isRunning(FIRST);
    await container.agent(install(token));
    const { total_heartbeats } = await detail(FIRST);
    await expect
      .poll(async () => (await detail(FIRST)).total_heartbeats, { timeout: 60_000 })
      .toBeGreaterThan(total_heartbeats + 1);
    expect([await instances(), await usesLeft()]).toMatchObject([[{ instance_id: FIRST }], 9]);
    await container.agent(["uninstall"]);
    expect(await container.files()).toEqual(["bin"]);
  });

  it("an image of it that comes up as another machine is enrolled anew, and never beats as the first", async () => {
    container = await Container.start(metadata);
    await container.agent(install(await newToken()));
    await isRunning(FIRST);
    await container.stop();
    const { total_heartbeats } = await detail(FIRST);
    metadata.cloud = ec2(SECOND);
    container.boot();
    await isRunning(SECOND);
    // Its last one may have been under way.
    expect((await detail(FIRST)).total_heartbeats).toBeLessThanOrEqual(total_heartbeats + 1);
    expect(await usesLeft()).toBe(8);
  });

  it("a pod whose disk was erased is known again by what only the pod has; another one is refused, and told why", async () => {
    const pod = { RUNPOD_POD_ID: "4qm3k7u1x9tz0b", RUNPOD_API_KEY: "rpa_ONLY_THIS_POD" };
    metadata.cloud = null;
    container = await Container.start(metadata, pod);
    const token = await newToken();
    await container.agent(install(token));
    await isRunning(pod.RUNPOD_POD_ID);
    await container.stop();
    await container.forget();
    await container.agent(install(token));
    expect(await usesLeft()).toBe(9);
    await container.stop();
    await container.forget();
    const thief = container.agent(install(token), ["sh"], { RUNPOD_API_KEY: "rpa_ANOTHER" });
    expect(await failureOf(thief)).toContain(
      "not enrolled (409): The instance 4qm3k7u1x9tz0b is registered already",
    );
  });

  it("a token that is used up, expired, revoked or unknown here registers and installs nothing, and says why", async () => {
    container = await Container.start(metadata);
    const usedUp = await newToken({ uses: 1 });
    const first = await Container.start(metadata, { RUNPOD_POD_ID: "4qm3k7u1x9tz0b" });
    try {
      await first.agent(install(usedUp));
    } finally {
      await first.end();
    }
    const expired = await newToken({ expires_in_days: 0.000001 });
    const foreign = `${expired.slice(0, -4)}AAAA`;
    for (const [token, because] of [
      [usedUp, "not enrolled (403): This enrollment token is used up"],
      [expired, "not enrolled (403): This enrollment token has expired"],
      [foreign, "not enrolled (401): the enrollment token was revoked"],
      [user.token, "not enrolled (403): This needs a token of scope enrollment"],
    ] as const) {
      expect(await failureOf(container.agent(install(token)))).toContain(because);
    }
    expect((await instances()).map(({ instance_id }) => instance_id)).toEqual(["4qm3k7u1x9tz0b"]);
    expect(await container.files()).not.toEqual(expect.arrayContaining(["dumont-agent"]));
  });

  it("an instance that was registered by hand and heard is not taken over", async () => {
    const token = await registerInstance(world.url, user.token, {
      instance_id: FIRST,
      name: "Rig",
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
    });
    await sendHeartbeat(world.url, token, { instance_id: FIRST, gpu_utilization: 50 });
    container = await Container.start(metadata);
    const because = await failureOf(container.agent(install(await newToken())));
    expect(because).toContain("not enrolled (409)");
    await sendHeartbeat(world.url, token, { instance_id: FIRST, gpu_utilization: 50 });
  });

  it("a machine that was set up by hand stays so", async () => {
    const token = await registerInstance(world.url, user.token, {
      instance_id: "rig",
      name: "Rig",
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
    });
    container = await Container.start(metadata);
    const byHand = { DUMONT_INSTANCE_ID: "rig", DUMONT_API_TOKEN: token, DUMONT_API_URL: world.url };
    await container.agent(["install"], ["sh"], byHand);
    const { stdout } = await container.agent(install(await newToken()));
    expect(stdout).toContain("set up by hand as instance rig, and stays so");
    await isRunning("rig");
    expect(await instances()).toHaveLength(1);
  });

  it.each([
    ["nobody answers", null],
    ["the metadata is not that of EC2's second version", openStack("i-0000000a")],
  ])("where %s, nothing is installed, and it says what it has tried", async (_, cloud) => {
    metadata.cloud = cloud;
    container = await Container.start(metadata);
    await container.program("sleep", "exit 0");
    const because = await failureOf(container.agent(install(await newToken())));
    expect(because).toContain("which machine this is nobody says");
    expect(because).toContain("nothing is installed");
    expect(await instances()).toEqual([]);
    expect(await container.files()).toEqual(["bin"]);
  });

  it("an image that was made with --later enrolls at its first start, once the network and the service are up", async () => {
    metadata.cloud = null;
    container = await Container.start(metadata);
    const { stdout } = await container.agent([...install(await newToken()), "--later"]);
    expect(stdout).toContain("start it with");
    expect(await instances()).toEqual([]);
    container.boot();
    await world.kill();
    metadata.cloud = ec2(FIRST);
    await world.start();
    await isRunning(FIRST);
  });

  it("once it is enrolled it goes on though its cloud's metadata does not answer any more", async () => {
    container = await Container.start(metadata);
    await container.agent(install(await newToken()));
    await isRunning(FIRST);
    await container.stop();
    metadata.cloud = openStack(FIRST);
    const { total_heartbeats } = await detail(FIRST);
    container.boot();
    await expect
      .poll(async () => (await detail(FIRST)).total_heartbeats, { timeout: 60_000 })
      .toBeGreaterThan(total_heartbeats + 1);
  });
});

describe.runIf(process.getuid?.() === 0)("with systemd", () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = await Machine.boot();
    const folder = "/etc/systemd/system/dumont-agent.service.d";
    await machine.run(
      `mkdir -p ${folder} && printf '[Service]\\nEnvironment=DUMONT_METADATA_URL=%s\\n' ${metadata.url} >${folder}/test.conf`,
    );
  });
  afterEach(() => machine?.end());

  it("one command registers it, and it runs as its own user; as another machine it enrolls anew; nothing is left of it", async () => {
    const token = await newToken();
    const install = `DUMONT_METADATA_URL=${metadata.url} sh /root/dumont-agent install --enroll ${token} --url ${world.url}`;
    expect(await machine.run(install)).toContain(`It reports as instance ${FIRST}.`);
    await isRunning(FIRST);
    const pid = (await machine.run("systemctl show -P MainPID dumont-agent")).trim();
    expect(await machine.run(`stat -c %U /proc/${pid}`)).toBe("dumont-agent\n");
    expect(await machine.run("stat -c '%a %U' /var/lib/dumont-agent/enrolled")).toBe("600 dumont-agent\n");
    expect(await machine.run("cat /etc/dumont-agent/agent.env")).not.toContain("DUMONT_API_TOKEN");
    await machine.run(install);
    expect(await usesLeft()).toBe(9);

    metadata.cloud = ec2(SECOND);
    await machine.run("systemctl restart dumont-agent");
    await isRunning(SECOND);
    expect(await usesLeft()).toBe(8);

    await machine.run("dumont-agent uninstall; rm -r /etc/systemd/system/dumont-agent.service.d");
    const left =
      "find / -xdev -name '*dumont*' -not -path '/root/*' -not -path '/proc/*' -not -path '/usr/*'";
    expect(
      await machine.run(`${left}; find /run /usr/local/bin -name '*dumont*'; ps -e | grep dumont || true`),
    ).toBe("");
  });

  it("a token that has expired installs nothing", async () => {
    const token = await newToken({ expires_in_days: 0.000001 });
    const install = `DUMONT_METADATA_URL=${metadata.url} sh /root/dumont-agent install --enroll ${token} --url ${world.url}`;
    await expect(machine.run(install)).rejects.toThrow("This enrollment token has expired");
    await expect(machine.run("systemctl cat dumont-agent")).rejects.toThrow();
    expect(await instances()).toEqual([]);
  });
});
