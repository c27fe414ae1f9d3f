import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { z } from "zod";
import { freePort } from "../../scripts/server.ts";
import { FakeHttp } from "../outside/http.ts";
import { answers, end, eventually, Reporter, start } from "./reporter.ts";

/** The sources of activity before real servers: what people start is what the agent must see. */

const run = promisify(execFile);

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dumont-sources-"));
  await run("python3", ["-m", "venv", join(directory, "venv")]);
  const packages = ["jupyter_server==2.21.1", "ipykernel==7.4.0", "prometheus_client==0.26.0"];
  await run(join(directory, "venv/bin/pip"), ["install", "--quiet", ...packages]);
}, 600_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Where this machine's control groups of the first version are, if it has them and lets new ones be made. */
const GROUPS = "/sys/fs/cgroup";
const hasGroups = existsSync(`${GROUPS}/cpuacct/cpuacct.usage`) && process.getuid?.() === 0;
const disk = diskOf("/var/tmp");
const hasUnified = existsSync(`${GROUPS}/unified/cgroup.procs`) && process.getuid?.() === 0;

/** Uses so many seconds of a core, at whatever pace it gets them. */
const SPIN = (seconds: number) => `ulimit -t ${seconds}; while :; do :; done`;
const SPIN_SECONDS = 2;

/** Runs sh inside of groups. */
const inside = (test: TestContext, groups: readonly string[], script: string) => {
  const join = groups.map((group) => `echo $$ >${group}/cgroup.procs`).join("; ");
  const child = start(test, "sh", ["-c", `${join}; ${script}`]);
  return { child, exit: new Promise((done) => child.once("exit", done)) };
};

const make = async (test: TestContext, path: string) => {
  await mkdir(path);
  // Its processes have ended by then, but the kernel may not have noticed.
  const gone = async () => {
    await rmdir(path).catch(() => undefined);
    return !existsSync(path);
  };
  test.onTestFinished(() => eventually(gone, () => `${path} is still there`));
  return path;
};

describe.concurrent("the agent", () => {
  it("counts by a real Prometheus client what was served between two heartbeats, and not before it began", async (test) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = () =>
      start(test, join(directory, "venv/bin/python"), ["-c", COUNTING_SERVER, String(port)]);
    const first = server();
    await answers(`${url}/metrics`);
    // At once: the agent may read the counter at any moment.
    const serve = async (count: number) => (await fetch(`${url}/generate/${count}`)).text();
    await serve(40);
    const reporter = await Reporter.start(test, { DUMONT_WORK_URLS: `vllm=${url}/metrics` });
    // What was served before the agent looked for the first time is no news.
    await reporter.until("work_vllm", (value) => value === 0);
    await serve(3);
    await reporter.until("work_vllm", (value) => value === 3);
    await reporter.until("work_vllm", (value) => value === 0);

    // An outage of the service hides nothing: the next heartbeat that is accepted tells all of it.
    reporter.answers(503);
    await reporter.more(1);
    await serve(5);
    await reporter.more(1);
    reporter.answers(200);
    await reporter.until("work_vllm", (value) => value === 5);
    await reporter.until("work_vllm", (value) => value === 0);

    // One that is gone is unknown; one that began again has served what its counter says.
    await end(first);
    await reporter.until("work_vllm", (value) => value === null);
    server();
    await answers(`${url}/metrics`);
    await serve(2);
    await reporter.until("work_vllm", (value) => value !== null && value >= 1 && value <= 2);
    await reporter.until("work_vllm", (value) => value === 0);
    // What is served now counts before it is counted.
    const long = fetch(`${url}/slow`);
    await reporter.until("work_vllm", (value) => value === 1);
    await (await long).text();
    expect(reporter.all("work_vllm").every((value) => value == null || value <= 5)).toBe(true);
  });

  it.for([
    [
      "vllm",
      (served: number) => `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="meta-llama/Llama-3.1-8B"} 0.0
# HELP vllm:request_success_total Count of successfully processed requests.
# TYPE vllm:request_success_total counter
vllm:request_success_total{engine="0",finished_reason="stop",model_name="meta-llama/Llama-3.1-8B"} ${served}.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="a } b"} 1.0e+02
# TYPE vllm:request_success_created gauge
vllm:request_success_created{engine="0",finished_reason="stop"} ${1.7e9 + served}
`,
    ],
    [
      "tgi",
      (served: number) => `# TYPE tgi_request_count counter
tgi_request_count ${served}
# TYPE tgi_request_success counter
tgi_request_success{method="generate"} ${served}
# TYPE tgi_batch_current_size gauge
tgi_batch_current_size 0
# TYPE tgi_request_duration histogram
tgi_request_duration_bucket{le="0.5"} ${served}
tgi_request_duration_count ${served}
`,
    ],
    [
      "triton",
      (
        served: number,
      ) => `# HELP nv_inference_request_success Number of successful inference requests, all batch sizes
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="encoder",version="1"} ${served}
nv_inference_request_success{model="decoder",version="1"} 7
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{model="encoder",version="1"} 0
`,
    ],
  ] as const)("reads counters in the form of %s by its preset", async ([name, page], test) => {
    let served = 100;
    const server = await FakeHttp.start(() => ({ status: 200, body: page(served) }));
    test.onTestFinished(() => server.stop());
    const reporter = await Reporter.start(test, { DUMONT_WORK_URLS: `${name}=${server.url}/metrics` });
    await reporter.until(`work_${name}`, (value) => value === 0);
    served += 4;
    await reporter.until(`work_${name}`, (value) => value === 4);
    await reporter.until(`work_${name}`, (value) => value === 0);
  });

  it("counts connections to a real sshd while somebody has signed in, and only then: strangers knock at any open port", async (test) => {
    const port = await freePort();
    const own = await mkdtemp(join(directory, "ssh-"));
    for (const key of ["host", "user"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(own, key)]);
    }
    await writeFile(join(own, "authorized"), await readFile(join(own, "user.pub"), "utf8"), { mode: 0o600 });
    await writeFile(
      join(own, "config"),
      `Port ${port}
ListenAddress 127.0.0.1
ListenAddress ::1
HostKey ${join(own, "host")}
AuthorizedKeysFile ${join(own, "authorized")}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
`,
    );
    await mkdir("/run/sshd", { recursive: true });
    start(test, "/usr/sbin/sshd", ["-D", "-f", join(own, "config")]);
    const signIn = (host: string) =>
      start(test, "ssh", [
        ...[
          "-i",
          join(own, "user"),
          "-p",
          String(port),
          "-o",
          "BatchMode=yes",
          "-o",
          "ConnectionAttempts=20",
        ],
        ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
        // As editors do: without a terminal, so that `who` shows nobody.
        ...["-N", `root@${host}`],
      ]);
    const reporter = await Reporter.start(test, { DUMONT_SSH_PORTS: `2222 ${port}` });
    await reporter.until("ssh_connections", (value) => value === 0);
    const first = signIn("127.0.0.1");
    await reporter.until("ssh_connections", (value) => value === 1);
    const second = signIn("::1");
    await reporter.until("ssh_connections", (value) => value === 2);
    await end(first);
    await end(second);
    await reporter.until("ssh_connections", (value) => value === 0);

    const heardSoFar = reporter.all("ssh_connections").length;
    for (let count = 0; count < 3; count++) {
      const stranger = connect(port, "127.0.0.1", () => stranger.write("SSH-2.0-stranger\r\n"));
      stranger.on("error", () => undefined);
      test.onTestFinished(() => {
        stranger.destroy();
      });
    }
    const owner = signIn("127.0.0.1");
    await reporter.until("ssh_connections", (value) => value === 1);
    await end(owner);
    await reporter.until("ssh_connections", (value) => value === 0);
    expect(
      Math.max(
        ...reporter
          .all("ssh_connections")
          .slice(heardSoFar)
          .map((value) => value ?? 9),
      ),
    ).toBe(1);
  });

  it("sees that a kernel of a real Jupyter computes, and that a page is open", async (test) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const own = await mkdtemp(join(directory, "jupyter-"));
    start(
      test,
      join(directory, "venv/bin/jupyter-server"),
      [
        ...["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", `--ServerApp.port=${port}`],
        ...["--IdentityProvider.token=secret", `--ServerApp.root_dir=${own}`],
      ],
      {
        HOME: own,
        JUPYTER_RUNTIME_DIR: join(own, "runtime"),
        PATH: `${directory}/venv/bin:${process.env.PATH}`,
      },
    );
    await answers(`${url}/api?token=secret`);
    const reporter = await Reporter.start(test, {
      DUMONT_JUPYTER_URL: `${url}/?token=secret`,
      DUMONT_NOTEBOOK_PORTS: String(port),
    });
    await reporter.until("busy_kernels", (value) => value === 0);
    const made = await fetch(`${url}/api/kernels?token=secret`, { method: "POST", body: "{}" });
    const { id } = z.object({ id: z.string() }).parse(await made.json());
    const page = new WebSocket(
      `ws://127.0.0.1:${port}/api/kernels/${id}/channels?token=secret&session_id=page`,
    );
    await new Promise((open) => page.addEventListener("open", open));
    await reporter.until("notebook_connections", (value) => value === 1);
    page.send(
      JSON.stringify({
        channel: "shell",
        header: { msg_id: "one", msg_type: "execute_request", username: "", session: "page", version: "5.3" },
        parent_header: {},
        metadata: {},
        content: { code: "import time\nend = time.time() + 8\nwhile time.time() < end: pass", silent: false },
      }),
    );
    await reporter.until("busy_kernels", (value) => value === 1);
    await reporter.until("cpu_cores", (value) => value !== null && value >= 0.5);
    await reporter.until("busy_kernels", (value) => value === 0);
    const closed = new Promise((done) => page.addEventListener("close", done));
    page.close();
    await closed;
    await reporter.until("notebook_connections", (value) => value === 0);
    expect(reporter.all("busy_kernels")).not.toContain(null);
  });

  it.runIf(hasGroups)("tells a container from the machine around it by a real cgroup v1", async (test) => {
    const own = await mkdtemp(join(directory, "v1-"));
    const groups: string[] = [];
    for (const kind of ["cpuacct", "blkio", "memory"]) {
      groups.push(await make(test, `${GROUPS}/${kind}/${basename(own)}`));
    }
    // As a container sees them.
    for (const group of groups) await symlink(group, join(own, basename(dirname(group))));
    await writeFile(`${GROUPS}/memory/${basename(own)}/memory.limit_in_bytes`, String(2 ** 30));
    start(test, "sh", ["-c", SPIN(60)]);
    const reporter = await Reporter.start(test, { DUMONT_CGROUP: own });
    await reporter.until("cpu_cores", (value) => value === 0);
    expect(reporter.last?.ram_used_gb).toBe(0);
    const from = reporter.count;
    const held = inside(
      test,
      groups,
      "exec python3 -c 'held = bytearray(300_000_000); import time; time.sleep(600)'",
    );
    await eventually(
      () => (reporter.last?.ram_used_gb ?? 0) >= 0.3 && (reporter.last?.ram_used_gb ?? 9) < 0.5,
      () => `memory was ${reporter.last?.ram_used_gb} GB`,
    );
    await inside(test, groups, SPIN(SPIN_SECONDS)).exit;
    const used = async () => Number(await readFile(`${own}/cpuacct/cpuacct.usage`, "utf8")) / 1e9;
    await reporter.more(2);
    expect(reporter.sum("cpu_cores", from)).toBeCloseTo(await used(), 0);
    await end(held.child);
  });

  it.runIf(hasGroups && disk !== null)(
    "reads a container's own disk by a real cgroup v1, once that counts",
    async (test) => {
      const own = await mkdtemp(join(directory, "v1-"));
      const file = `/var/tmp/${basename(own)}`;
      test.onTestFinished(() => rm(file, { force: true }));
      const group = await make(test, `${GROUPS}/blkio/${basename(own)}`);
      await symlink(group, join(own, "blkio"));
      const write = (megabytes: number) => `dd if=/dev/zero of=${file} bs=1M count=${megabytes} oflag=direct`;
      // Newer kernels count only where there is a limit: before that, nobody knows, and the machine's own disks say something.
      const reporter = await Reporter.start(test, { DUMONT_CGROUP: own, DUMONT_ROOT: own });
      await reporter.more(2);
      await writeFile(join(group, "blkio.throttle.write_bps_device"), `${disk} 2000000000`);
      await inside(test, [group], write(1)).exit;
      await reporter.more(3);
      await eventually(
        () => reporter.all("disk_kb_per_second").at(-1) === 0,
        () => `the disk was ${JSON.stringify(reporter.all("disk_kb_per_second"))}`,
      );
      const from = reporter.count;
      await run("sh", ["-c", write(20)]);
      await reporter.more(2);
      expect(Math.max(...reporter.all("disk_kb_per_second", from).map((value) => value ?? 1))).toBe(0);
      await inside(test, [group], write(30)).exit;
      await reporter.until("disk_kb_per_second", (value) => value !== null && value > 1000);
    },
  );

  it.runIf(hasUnified)("tells a container from the machine around it by a real cgroup v2", async (test) => {
    const group = await make(test, `${GROUPS}/unified/${basename(await mkdtemp(join(directory, "v2-")))}`);
    start(test, "sh", ["-c", SPIN(60)]);
    const reporter = await Reporter.start(test, { DUMONT_CGROUP: group });
    await reporter.until("cpu_cores", (value) => value === 0);
    const from = reporter.count;
    await inside(test, [group], SPIN(SPIN_SECONDS)).exit;
    await reporter.more(2);
    const [, used = ""] = /^usage_usec (\d+)$/m.exec(await readFile(join(group, "cpu.stat"), "utf8")) ?? [];
    expect(reporter.sum("cpu_cores", from)).toBeCloseTo(Number(used) / 1e6, 0);
    // What has ended uses nothing any more.
    expect(reporter.all("cpu_cores").at(-1)).toBeLessThan(0.05);
  });

  it("reads CPU, disk and memory by the files of a cgroup v2, as the kernel's documentation has them", async (test) => {
    const own = await mkdtemp(join(directory, "v2-"));
    const tree = async (cpuSeconds: number, readMegabytes: number) => {
      const files = {
        "cpu.max": "400000 100000\n",
        "cpu.stat": `usage_usec ${cpuSeconds * 1e6}\nuser_usec ${cpuSeconds * 9e5}\nsystem_usec ${cpuSeconds * 1e5}\nnr_periods 1\nnr_throttled 0\nthrottled_usec 0\n`,
        "io.stat": `259:0 rbytes=${readMegabytes * 1e6} wbytes=1000000 rios=9 wios=1 dbytes=50331648 dios=0\n8:16 rbytes=0 wbytes=0 rios=0 wios=0 dbytes=0 dios=0\n`,
        "memory.current": "3000000000\n",
        "memory.max": "8000000000\n",
        "memory.stat": "anon 2500000000\ninactive_file 500000000\n",
      };
      for (const [name, text] of Object.entries(files)) {
        // Never half of one.
        await writeFile(join(own, `${name}.new`), text);
        await rename(join(own, `${name}.new`), join(own, name));
      }
    };
    await tree(1234.5678, 1000);
    const reporter = await Reporter.start(test, { DUMONT_CGROUP: own });
    await reporter.until("cpu_cores", (value) => value === 0);
    const from = reporter.count;
    await tree(1240.5678, 1090);
    await reporter.until("cpu_cores", (value) => value !== null && value > 0);
    await reporter.more(2);
    // Both are of one heartbeat, whose time is known to half a second at best.
    const [cpu, disk] = [
      reporter.sum("cpu_cores", from) / 6,
      reporter.sum("disk_kb_per_second", from) / 90_000,
    ];
    for (const share of [cpu, disk]) expect(Math.abs(Math.log2(share))).toBeLessThan(1);
    expect(cpu / disk).toBeCloseTo(1, 1);
    expect(reporter.last?.ram_used_gb).toBe(2.5);
  });
});

/** Counts as vLLM does, by the client library that it uses. */
const COUNTING_SERVER = `
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

served = Counter("vllm:request_success", "Count of successfully processed requests.", ["finished_reason"])
running = Gauge("vllm:num_requests_running", "Number of requests in model execution batches.")
Histogram("vllm:e2e_request_latency_seconds", "Histogram of end to end request latency in seconds.").observe(1)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"ok"
        if self.path == "/metrics":
            body = generate_latest()
        else:
            with running.track_inprogress():
                time.sleep(8 if self.path == "/slow" else 0)
            served.labels("stop").inc(int(self.path.split("/")[2]) if self.path.startswith("/generate/") else 1)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
`;

/** The disk on which /var/tmp is, as the kernel names it; null: it is on none. */
function diskOf(path: string): string | null {
  const { dev } = statSync(path);
  const block = `/sys/dev/block/${dev >> 8}:${dev & 255}`;
  if (!existsSync(block)) return null;
  const whole = existsSync(`${block}/partition`) ? `${block}/..` : block;
  return readFileSync(`${whole}/dev`, "utf8").trim();
}
