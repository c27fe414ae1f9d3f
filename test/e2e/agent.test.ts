import { execFile, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { listEvents, registerInstance, request } from "../../scripts/client.ts";
import { FakeHttp } from "../outside/http.ts";
import { AgentMachine } from "../server/agent-machine.ts";
import { ServerWorld } from "../server/world.ts";
import { SHELLS } from "./running-agent.ts";

/** The agent as an instance runs it: real shells, programs of the machine made up where a test needs others. */

const run = promisify(execFile);
const AGENT = resolve(import.meta.dirname, "../../agent/dumont-agent");
const DOCUMENT = resolve(import.meta.dirname, "../../docs/agent.md");

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dumont-agent-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A folder with made-up programs, to stand first in the path. */
async function programs(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(directory, "bin-"));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DUMONT_CONFIG_FILE: join(directory, "none"),
    DUMONT_HOOKS_DIR: join(directory, "none"),
    DUMONT_RUN_DIR: join(directory, "run"),
    DUMONT_STATE_DIR: join(directory, "state"),
    DUMONT_ACTIVITY_DIR: join(directory, "activity.d"),
    DUMONT_INSTANCE_ID: "28864630",
    ...more,
  };
}

const dryRunSchema = z.looseObject({
  instance_id: z.string(),
  gpu_utilization: z.number().nullable(),
  vram_used_gb: z.number().nullable(),
  cpu_utilization: z.number().nullable(),
  ram_used_gb: z.number(),
  disk_used_gb: z.number(),
  gpus: z.array(
    z.looseObject({ index: z.number(), name: z.string().nullable(), utilization: z.number().nullable() }),
  ),
});

async function dryRun(bin: string, shell: readonly string[] = ["dash"], more: Record<string, string> = {}) {
  const [program = "sh", ...parameters] = shell;
  const { stdout } = await run(program, [...parameters, AGENT, "once", "--dry-run"], {
    env: environment({ PATH: `${bin}:${process.env.PATH}`, ...more }),
  });
  return dryRunSchema.parse(JSON.parse(stdout));
}

const nvidia = (output: string, code = 0) => ({ "nvidia-smi": `cat <<'X'\n${output}\nX\nexit ${code}` });

it("shellcheck finds nothing", async () => {
  await run("shellcheck", [AGENT]);
});

describe.each(SHELLS)("under %s", (shell) => {
  const parts = shell.split(" ");

  it("reads the machine", async () => {
    const reading = await dryRun(await programs({}), parts);
    expect(reading).toMatchObject({
      instance_id: "28864630",
      status: "running",
      gpus: [],
      gpu_utilization: null,
    });
    expect(reading.cpu_utilization).toBeGreaterThanOrEqual(0);
    expect(reading.cpu_utilization).toBeLessThanOrEqual(100);
    expect(reading.ram_used_gb).toBeGreaterThan(0);
  });

  it("reads several GPUs, and what nvidia-smi cannot tell is null", async () => {
    const bin = await programs(
      nvidia(`0, NVIDIA H100 80GB HBM3, 3, 1024, 81559
1, NVIDIA H100 80GB HBM3, 71, 40000, 81559
2, NVIDIA A100-SXM4-40GB MIG 1g.5gb, [N/A], 2048, 4864
3, NVIDIA "odd" \\name, [Not Supported], [N/A], [N/A]`),
    );
    expect(await dryRun(bin, parts)).toMatchObject({
      gpu_utilization: 71,
      vram_used_gb: expect.closeTo((1024 + 40000 + 2048) * 0.001048576, 1),
      gpus: [
        { index: 0, name: "NVIDIA H100 80GB HBM3", utilization: 3, vram_used_gb: 1.07, vram_total_gb: 85.52 },
        { index: 1, utilization: 71 },
        { index: 2, utilization: null, vram_used_gb: 2.15 },
        { index: 3, name: 'NVIDIA "odd" \\name', utilization: null, vram_used_gb: null, vram_total_gb: null },
      ],
    });
  });
});

it("240 readings of sixteen GPUs that wait fit one body", async () => {
  const gpus = Array.from({ length: 16 }, (_, index) => `${index}, NVIDIA H100 80GB HBM3, 100, 81000, 81559`);
  const machine = await AgentMachine.make({
    programs: { ...nvidia(gpus.join("\n")), df: "echo; echo '/dev/x 1 99999999999 1 1 /'" },
    environment: {
      DUMONT_HOURLY_COST: "98765.4321",
      DUMONT_SAMPLE_SECONDS: "600",
      DUMONT_TICK_SECONDS: "60",
    },
    answer: `status=000; [ "$n" -le 250 ] || status=200`,
  });
  try {
    const last = (await machine.beats(251)).at(-1);
    expect(last?.text.length).toBeGreaterThan(14_000);
    expect(last?.text.length).toBeLessThanOrEqual(16 * 1024);
    expect(last?.body.backlog?.at(-1)?.[0]).toBe(250);
    expect(last?.body.backlog?.length).toBeGreaterThan(150);
  } finally {
    await machine.end();
  }
});

describe.each(["mawk", "busybox awk"])("with %s", (awk) => {
  it("the readings are the same after 300 days", async () => {
    const machine = await AgentMachine.make({
      programs: {
        ...nvidia("0, NVIDIA A100, [N/A], 2048, 4864\n1, NVIDIA A100, 3, ERR!, 4864"),
        awk: `exec ${awk} "$@"`,
      },
      uptimeSeconds: 25_920_000,
      answer: `echo 'cpu 90000006000 0 0 900000006000 0 0 0 0 0 0' >"$S/proc/stat"; [ "$n" != 1 ] || status=503`,
    });
    try {
      await machine.write("proc/stat", "cpu 90000000000 0 0 900000000000 0 0 0 0 0 0\n");
      const [, second] = await machine.beats(2);
      expect(second?.body).toMatchObject({
        sequence: 2,
        cpu_utilization: 50,
        gpu_utilization: 3,
        vram_used_gb: 2.15,
        gpus: [
          { index: 0, utilization: null },
          { index: 1, utilization: 3, vram_used_gb: null },
        ],
      });
      expect(second?.body.backlog).toEqual([
        [1, expect.any(Number), 3, 2.15, null, 0.61, expect.any(Number), null],
      ]);
    } finally {
      await machine.end();
    }
  });
});

it.each(["dash", "busybox sh"])(
  "a program that cannot be ended holds no heartbeat up, under %s",
  async (shell) => {
    const startedAt = Date.now();
    // What it leaves behind keeps its output open.
    const bin = await programs({ "nvidia-smi": "setsid sleep 40 & sleep 1; echo '0, NVIDIA H100, 7, 1, 2'" });
    expect(await dryRun(bin, shell.split(" "))).toMatchObject({ gpu_utilization: 7 });
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  },
);

describe("a GPU's program", () => {
  it.each([
    ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 9],
    ["No devices were found", 6],
    ["Unable to determine the device handle for GPU0000:01:00.0: Unknown Error", 255],
    ["", 0],
  ])("that says '%s' reports no GPU, and the rest", async (output, code) => {
    const reading = await dryRun(await programs(nvidia(output, code)));
    expect(reading).toMatchObject({ gpus: [], gpu_utilization: null, vram_used_gb: null });
    expect(reading.ram_used_gb).toBeGreaterThan(0);
  });

  it("that hangs for thirty seconds holds the heartbeat up for ten", async () => {
    const startedAt = Date.now();
    const reading = await dryRun(await programs({ "nvidia-smi": "sleep 30" }));
    expect(reading.gpus).toEqual([]);
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });

  it("of AMD is understood: amd-smi and rocm-smi", async () => {
    const amd = await programs({
      "amd-smi": `cat <<'X'
gpu,gfx_activity,umc_activity,mm_activity,total_vram,used_vram,free_vram
0,42,10,N/A,196592,2048,194544
X`,
    });
    expect(await dryRun(amd)).toMatchObject({
      gpu_utilization: 42,
      gpus: [{ index: 0, vram_used_gb: 2.15 }],
    });
    const rocm = await programs({
      "rocm-smi": `cat <<'X'
device,GPU use (%),VRAM Total Memory (B),VRAM Total Used Memory (B)
card0,17,68702699520,4294967296

X`,
    });
    expect(await dryRun(rocm)).toMatchObject({
      gpu_utilization: 17,
      gpus: [{ index: 0, vram_used_gb: 4.29, vram_total_gb: 68.7 }],
    });
  });
});

describe("inside a container", () => {
  it("memory is the container's own, by cgroup v2 and v1", async () => {
    const v2 = await mkdtemp(join(directory, "cgroup-"));
    await writeFile(join(v2, "memory.current"), "3000000000\n");
    await writeFile(join(v2, "memory.max"), "8000000000\n");
    await writeFile(join(v2, "memory.stat"), "anon 1\ninactive_file 500000000\n");
    expect((await dryRun(await programs({}), ["dash"], { DUMONT_CGROUP: v2 })).ram_used_gb).toBe(2.5);
    const v1 = await mkdtemp(join(directory, "cgroup-"));
    await mkdir(join(v1, "memory"));
    await writeFile(join(v1, "memory/memory.usage_in_bytes"), "2000000000\n");
    await writeFile(join(v1, "memory/memory.limit_in_bytes"), "8000000000\n");
    await writeFile(join(v1, "memory/memory.stat"), "total_inactive_file 500000000\n");
    expect((await dryRun(await programs({}), ["dash"], { DUMONT_CGROUP: v1 })).ram_used_gb).toBe(1.5);
  });
});

interface Running {
  readonly log: () => string;
  readonly exit: Promise<number | null>;
  stop(): Promise<number | null>;
}

function start(more: Record<string, string>, shell: readonly string[] = ["dash"]): Running {
  const [program = "sh", ...parameters] = shell;
  const child = spawn(program, [...parameters, AGENT, "run"], {
    env: environment({ DUMONT_API_TOKEN: "a.b.c", ...more }),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const exit = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
  return {
    log: () => log,
    exit,
    stop: async () => {
      child.kill("SIGTERM");
      return exit;
    },
  };
}

describe("before a service", () => {
  let answer: string;
  let status: number;
  let service: FakeHttp;
  const beats = () =>
    service.calls
      .filter((call) => call.method === "POST")
      .map((call) => ({ ...JSON.parse(call.body), token: call.headers.authorization }));

  beforeAll(async () => {
    service = await FakeHttp.start(({ method }) =>
      method === "GET" ? { status: 200, body: '{"success":true}' } : { status, body: answer },
    );
  });
  afterAll(() => service.stop());
  beforeEach(() => {
    service.calls.length = 0;
    status = 200;
    answer = '{"success":true,"message":"Heartbeat received","next_heartbeat_in_seconds":0.5,"actions":[]}';
  });

  it.each([["curl"], ["wget"]])(
    "beats as often as it is asked to, by %s, with its token",
    async (program) => {
      const bin = await mkdtemp(join(directory, "bin-"));
      // A machine that has only this one.
      for (const each of [
        "sh",
        "awk",
        "cat",
        "cut",
        "date",
        "df",
        "grep",
        "head",
        "od",
        "printf",
        "sed",
        "sleep",
        "tail",
        "timeout",
        "tr",
        "wc",
        "who",
        "id",
        "rm",
        "mktemp",
        program,
      ]) {
        const { stdout } = await run("which", [each]).catch(() => ({ stdout: "" }));
        if (stdout !== "") await run("ln", ["-s", stdout.trim(), join(bin, each)]);
      }
      const agent = start({ DUMONT_API_URL: service.url, PATH: bin }, ["/bin/dash"]);
      await expect.poll(() => beats().length).toBeGreaterThanOrEqual(4);
      expect(beats()[0]).toMatchObject({ token: "Bearer a.b.c", instance_id: "28864630", status: "running" });
      const sequences = beats().map((each) => each.sequence);
      expect(new Set(sequences).size).toBe(sequences.length);
      expect(await agent.stop()).toBe(0);
    },
  );

  it("beats where nothing can be written", async () => {
    const agent = start({
      DUMONT_API_URL: service.url,
      PATH: `${await programs({ mktemp: "exit 1" })}:${process.env.PATH}`,
    });
    await expect.poll(() => beats().length).toBeGreaterThanOrEqual(2);
    expect(beats()[0]).toMatchObject({ token: "Bearer a.b.c", instance_id: "28864630" });
    expect(await agent.stop()).toBe(0);
  });

  it("ends cleanly and at once when told to, also in the middle of its sleep", async () => {
    answer = answer.replace("0.5", "600");
    // One sleep of ten minutes, not of five seconds and again.
    const agent = start({
      DUMONT_API_URL: service.url,
      DUMONT_SPOT_WATCH: "off",
      DUMONT_TICK_SECONDS: "600",
    });
    await expect.poll(() => beats().length).toBe(1);
    await sleep(500);
    const toldAt = Date.now();
    expect(await agent.stop()).toBe(0);
    expect(Date.now() - toldAt).toBeLessThan(20_000);
    expect(agent.log()).toContain("stopped");
  });

  it("that refuses its token is not asked again at once, and the log says what is wrong", async () => {
    status = 401;
    answer = '{"success":false,"error":{"code":"unauthorized","message":"A valid bearer token is needed"}}';
    const agent = start({ DUMONT_API_URL: service.url });
    await expect.poll(() => beats().length).toBe(1);
    await sleep(4000);
    expect(beats()).toHaveLength(1);
    expect(agent.log()).toContain("refused (401): is DUMONT_API_TOKEN the token of instance 28864630?");
    expect(await agent.stop()).toBe(0);
  });

  it("that says hibernate is obeyed: hooks, the last word, the machine's own way", async () => {
    const hooks = await programs({ first: `echo "$1" >>"${directory}/hooked"` });
    const agent = start({
      DUMONT_API_URL: service.url,
      DUMONT_HOOKS_DIR: hooks,
      DUMONT_HIBERNATE_COMMAND: `cat ${directory}/hooked >${directory}/hibernated`,
    });
    await expect.poll(() => beats().length).toBeGreaterThanOrEqual(1);
    answer =
      '{"success":true,"message":"Hibernating","next_heartbeat_in_seconds":0.5,"actions":[{"type":"hibernating","message":"x"},{"type":"hibernate","message":"Hibernate now","action_id":"hibernate-1"}]}';
    await expect
      .poll(() => readFile(join(directory, "hibernated"), "utf8").catch(() => ""))
      .toContain("pre-hibernate");
    expect(beats().map((each) => each.status)).toContain("hibernating");
    expect(await agent.stop()).toBe(0);
  });

  it.each([
    ["runpodctl stop pod $RUNPOD_POD_ID", "runpodctl", "stop pod pod-7"],
    ["vastai stop instance $CONTAINER_ID", "vastai", "stop instance 28864630"],
  ])("that says hibernate in a container is obeyed by '%s'", async (command, program, parameters) => {
    expect(await readFile(DOCUMENT, "utf8")).toContain(command);
    const called = join(directory, program);
    const bin = await programs({ [program]: `echo "$*" >${called}` });
    answer =
      '{"success":true,"message":"x","next_heartbeat_in_seconds":0.5,"actions":[{"type":"hibernate","message":"Hibernate now","action_id":"hibernate-1"}]}';
    const agent = start({
      DUMONT_API_URL: service.url,
      DUMONT_HIBERNATE_COMMAND: command,
      PATH: `${bin}:${process.env.PATH}`,
      RUNPOD_POD_ID: "pod-7",
      CONTAINER_ID: "28864630",
    });
    await expect.poll(() => readFile(called, "utf8").catch(() => "")).toContain(parameters);
    expect(await agent.stop()).toBe(0);
  });

  it("that says hibernate to a machine without a way hears so in the next beat", async () => {
    answer =
      '{"success":true,"message":"Hibernating","next_heartbeat_in_seconds":0.5,"actions":[{"type":"hibernate","message":"Hibernate now","action_id":"hibernate-1"}]}';
    const agent = start({ DUMONT_API_URL: service.url });
    await expect.poll(() => beats().map((each) => each.status)).toContain("no_hibernate_command");
    expect(agent.log()).toContain("DUMONT_HIBERNATE_COMMAND is not set");
    expect(await agent.stop()).toBe(0);
  });
});

describe("before the real service", () => {
  const SPEED = 60;
  /** Longer than the agent waits for one answer, twenty seconds, in which it takes no reading: a server that starts may hang. */
  const AWAY_MS = 31_000;

  it("that is away for thirty intervals loses nothing of its history, and counts nothing twice", async () => {
    const world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED) });
    try {
      const user = await world.newUser("Ada");
      const token = await registerInstance(world.url, user.token, {
        instance_id: "28864630",
        name: "Rig",
        hourly_cost: 1,
        hibernated_hourly_cost: 0,
      });
      const bin = await programs(nvidia("0, NVIDIA RTX 4090, 87, 18842, 24564"));
      const agent = start({
        DUMONT_API_URL: world.url,
        DUMONT_API_TOKEN: token,
        PATH: `${bin}:${process.env.PATH}`,
      });
      const detail = async () =>
        z
          .object({ total_heartbeats: z.number(), missed_heartbeats: z.number(), status: z.string() })
          .parse(await request(`${world.url}/api/agent/instances/28864630`, "GET", user.token));
      await expect.poll(async () => (await detail()).total_heartbeats).toBeGreaterThan(3);
      await world.kill();
      await sleep(AWAY_MS);
      await world.start();
      const before = (await detail()).total_heartbeats;
      await expect
        .poll(async () => (await detail()).total_heartbeats, { timeout: 60_000 })
        .toBeGreaterThan(before + 2);
      expect(await agent.stop()).toBe(0);
      const { total_heartbeats, missed_heartbeats, status } = await detail();
      expect(status).toBe("running");
      expect(missed_heartbeats).toBeGreaterThanOrEqual(25);
      const { heartbeats } = z
        .object({ heartbeats: z.array(z.object({ timestamp: z.string(), gpu_utilization: z.number() })) })
        .parse(
          await request(`${world.url}/api/agent/instances/28864630/heartbeats?limit=1000`, "GET", user.token),
        );
      // What was missed in time came late, and stands in the history beside what came in time.
      expect(heartbeats.length).toBeGreaterThanOrEqual(total_heartbeats + 5);
      const moments = heartbeats.map((each) => Date.parse(each.timestamp)).reverse();
      const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
      // What is lost leaves a gap as long as the outage.
      expect(Math.max(...gaps)).toBeLessThan(AWAY_MS);
      const kinds = (await listEvents(world.url, user.token)).map((event) => event.kind);
      expect(kinds).not.toContain("rebooted");
    } finally {
      await world.end();
    }
  });

  it("is downloaded whole from it, with its digest", async () => {
    const world = await ServerWorld.create();
    try {
      const folder = await mkdtemp(join(directory, "download-"));
      const base = `${world.url}/downloads/agent/latest/dumont-agent`;
      await run("wget", ["-q", "-P", folder, base, `${base}.sha256`]);
      await run("sha256sum", ["-c", "dumont-agent.sha256"], { cwd: folder });
      expect(await readFile(join(folder, "dumont-agent"), "utf8")).toBe(await readFile(AGENT, "utf8"));
      const { stdout: version } = await run("sh", [join(folder, "dumont-agent"), "version"]);
      const versioned = await fetch(`${world.url}/downloads/agent/${version.trim()}/dumont-agent`);
      expect(versioned.status).toBe(200);
      expect((await fetch(`${world.url}/downloads/agent/0.0.0/dumont-agent`)).status).toBe(404);
      expect((await fetch(`${world.url}/downloads/agent/latest/other`)).status).toBe(404);
    } finally {
      await world.end();
    }
  });
});

describe.runIf(process.getuid?.() === 0)("installed by root", () => {
  it("by the specification's commands takes what was exported, and leaves nothing once it is removed", async () => {
    const folder = await mkdtemp(join(directory, "install-"));
    await copyFile(AGENT, join(folder, "dumont-agent"));
    // `env -i` empties the environment as sudo does.
    const install = `export DUMONT_INSTANCE_ID="28864630"
export DUMONT_API_TOKEN="your_instance_token"
sh -c 'env -i PATH="$PATH" ./dumont-agent install; true'`;
    try {
      await run("bash", ["-c", install], { cwd: folder, env: process.env });
      const config = "/etc/dumont-agent/agent.env";
      expect((await stat(config)).mode & 0o777).toBe(0o600);
      const text = await readFile(config, "utf8");
      expect(text).toContain("DUMONT_INSTANCE_ID=28864630\nDUMONT_API_TOKEN=your_instance_token\n");
      const unit = join(folder, "dumont-agent.service");
      await writeFile(unit, (await run("/usr/local/bin/dumont-agent", ["unit"])).stdout);
      const { stdout, stderr } = await run("systemd-analyze", ["verify", unit]);
      expect(stdout + stderr).toBe("");
      const security = await run("systemd-analyze", ["security", "--offline=true", unit]);
      expect(security.stdout).toMatch(/Overall exposure level.*: [0-2]\.\d OK/);
    } finally {
      await run("sh", [join(folder, "dumont-agent"), "uninstall"]);
    }
    for (const path of [
      "/usr/local/bin/dumont-agent",
      "/etc/dumont-agent",
      "/etc/systemd/system/dumont-agent.service",
    ]) {
      await expect(stat(path)).rejects.toThrow("ENOENT");
    }
    await expect(run("id", ["dumont-agent"])).rejects.toThrow();
  });
});
