import { execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeHttp } from "../outside/http.ts";

/** The hooks of docs/preparation.md: with a stand-in for torch, a made-up scontrol, and a server that has vLLM's metrics. */

const run = promisify(execFile);
const HOOKS = resolve(import.meta.dirname, "../../agent/hooks");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "recipes-"));
  await mkdir(join(folder, "bin"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(name: string, text: string): Promise<void> {
  await writeFile(join(folder, "bin", name), `#!/bin/sh\n${text}\n`);
  await chmod(join(folder, "bin", name), 0o755);
}

async function hook(name: string, environment: Readonly<Record<string, string>>) {
  const result = await run(join(HOOKS, name), [name.split("-")[0] ?? ""], {
    env: { ...process.env, PATH: `${join(folder, "bin")}:${process.env.PATH}`, S: folder, ...environment },
    timeout: 60_000,
  }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout) }),
  );
  return result;
}

const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");

it("shellcheck finds nothing in them, and the guide names each", async () => {
  const names = await readdir(HOOKS);
  const scripts = names.filter((name) => /^(prepare|resume|warning)-/.test(name));
  await run(
    "shellcheck",
    scripts.map((name) => join(HOOKS, name)),
  );
  const guide = await readFile(join(HOOKS, "../../docs/preparation.md"), "utf8");
  expect(names.filter((name) => !guide.includes(name))).toEqual([]);
});

describe("a PyTorch loop", () => {
  const TRAINING = `import time
from checkpoints import Checkpoints
checkpoints = Checkpoints("train")
state = checkpoints.load()
for step in range(state["step"] + 1 if state else 0, 100000):
    time.sleep(0.05)
    if checkpoints.asked:
        time.sleep(2)
        checkpoints.save({"step": step, "model": "weights"})
`;

  /** As much of it as checkpoints.py asks for. */
  const TORCH = `import pickle
def save(state, path):
    with open(path, "wb") as file:
        pickle.dump(state, file)
def load(path, map_location=None):
    with open(path, "rb") as file:
        return pickle.load(file)
`;

  it("saves a checkpoint at the hook's word, and goes on from it after its end", async () => {
    await writeFile(join(folder, "torch.py"), TORCH);
    await writeFile(join(folder, "loop.py"), TRAINING);
    const start = () =>
      spawn("python3", ["loop.py"], {
        cwd: folder,
        env: { ...process.env, PYTHONPATH: `${folder}:${HOOKS}` },
      });
    const environment = { TRAIN_FOLDER: join(folder, "train") };
    const steps: number[] = [];
    for (const _ of [1, 2]) {
      await rm(join(folder, "train/pid"), { force: true });
      const training = start();
      await expect.poll(() => read("train/pid")).not.toBe("");
      const { code, stdout } = await hook("prepare-pytorch", environment);
      expect(code).toBe(0);
      steps.push(Number(/saved: step (\d+)/.exec(stdout)?.[1]));
      const ended = new Promise((done) => training.once("exit", done));
      training.kill("SIGKILL");
      await ended;
    }
    expect(steps[1]).toBeGreaterThan(steps[0] ?? Number.POSITIVE_INFINITY);
    expect(await hook("prepare-pytorch", environment)).toMatchObject({
      code: 0,
      stdout: "no training runs\n",
    });
  });

  it("that ends instead of saving is a failure", async () => {
    await mkdir(join(folder, "train"));
    const loop = spawn("sleep", ["60"]);
    await writeFile(join(folder, "train/pid"), `${loop.pid}\n`);
    expect(await hook("prepare-pytorch", { TRAIN_FOLDER: join(folder, "train") })).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("ended without a checkpoint"),
    });
  });
});

describe("a node of SLURM", () => {
  beforeEach(async () => {
    // A file a job: two that end at the same moment must not write one list.
    await mkdir(join(folder, "jobs"));
    await program("squeue", `ls "$S/jobs"`);
    await program("scancel", `echo "scancel $*" >>"$S/said"`);
    await program(
      "scontrol",
      `echo "scontrol $*" >>"$S/said"
[ "$1" != requeue ] || { [ "$2" != 13 ] && (sleep 1; rm "$S/jobs/$2") & [ "$2" != 13 ]; }`,
    );
  });
  const queue = async (...jobs: readonly string[]) => {
    for (const job of jobs) await writeFile(join(folder, "jobs", job), "");
  };
  const environment = { SLURM_NODE: "gpu-1", DUMONT_REASON: "idle" };

  it("is drained, its jobs save and are queued again, and it takes jobs again afterwards", async () => {
    await queue("11", "12");
    const { code, stdout } = await hook("prepare-slurm", {
      ...environment,
      JOB_SIGNAL: "USR1",
      JOB_SECONDS: "1",
    });
    expect(code).toBe(0);
    expect(stdout).toContain("no job is left on gpu-1");
    expect(await read("said")).toBe(`scontrol update nodename=gpu-1 state=drain reason=dumont: idle
scancel --batch --signal=USR1 11
scancel --batch --signal=USR1 12
scontrol requeue 11
scontrol requeue 12
`);
    expect((await hook("resume-slurm", environment)).code).toBe(0);
    expect(await read("said")).toContain("scontrol update nodename=gpu-1 state=resume\n");
  });

  it("with a job that cannot be queued again, or of which SLURM says nothing, is not prepared", async () => {
    await queue("13");
    expect(await hook("prepare-slurm", environment)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("job 13 cannot be queued again"),
    });
    await program("squeue", "exit 1");
    expect((await hook("prepare-slurm", environment)).code).toBe(1);
  });
});

describe("a vLLM server", () => {
  let server: FakeHttp;
  let running: number | null;

  beforeEach(async () => {
    running = 2;
    server = await FakeHttp.start(({ path }) => {
      if (path === "/health") return { status: 200, body: "" };
      if (running === null) return { status: 503, body: "" };
      return {
        status: 200,
        body: `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} ${running}.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 0.0
`,
      };
    });
  });
  afterEach(() => server.stop());

  it("leaves the load balancer, finishes its requests, and is stopped; and comes back", async () => {
    const environment = {
      VLLM_METRICS: `${server.url}/metrics`,
      VLLM_HEALTH: `${server.url}/health`,
      VLLM_LEAVE: `touch ${folder}/left`,
      VLLM_STOP: `touch ${folder}/stopped`,
      VLLM_START: `touch ${folder}/started`,
      VLLM_JOIN: `touch ${folder}/joined`,
    };
    const ended = hook("prepare-vllm", environment);
    await expect.poll(() => readdir(folder)).toContain("left");
    // Not to be known is not to be at rest.
    running = null;
    await new Promise((done) => setTimeout(done, 4000));
    expect(await readdir(folder)).not.toContain("stopped");
    running = 0;
    expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining("stopped\n") });
    expect(await readdir(folder)).toContain("stopped");
    expect((await hook("resume-vllm", environment)).stdout).toBe("it answers again\n");
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["started", "joined"]));
  });

  it("that is not there has nothing to finish", async () => {
    const gone = await FakeHttp.start(() => ({ status: 200, body: "" }));
    await gone.stop();
    const { code } = await hook("prepare-vllm", {
      VLLM_METRICS: `${gone.url}/metrics`,
      VLLM_STOP: `touch ${folder}/stopped`,
    });
    expect(code).toBe(0);
  });
});
