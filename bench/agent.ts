import { execFileSync, spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What the agent takes of its machine: its whole process tree, read from /proc, over a hundred heartbeats, each with what it does
 * between two: it looks around twelve times, and three times at the GPUs. The program that it reads them with is told apart.
 */

const AGENT = join(import.meta.dirname, "../agent/dumont-agent");
const TRUSTED_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

const BEATS = 100;
/** A hundred times as fast as in life. */
const INTERVAL_SECONDS = 0.6;
const TICK_SECONDS = 0.05;
const SAMPLE_SECONDS = 0.15;
const CLOCK_TICKS_PER_SECOND = 100;
/** Of a real interval of a minute. */
const REAL_INTERVAL_SECONDS = 60;
const NVIDIA_CALLS = 200;

/** Two GPUs, and what a driver says of them. It is called as the real one is, but costs what its machine's sh does. */
const NVIDIA_SMI = `#!/bin/sh
case "$*" in
*--query-gpu*) echo list >>"\${0%/*}/calls"
  for i in 0 1; do echo "$i, NVIDIA H100 80GB HBM3, 3, 1024, 81559, 62.17, 700.00, 00000000:0$i:00.0, GPU-$i"; done ;;
*UTILIZATION*) for i in 0 1; do printf 'GPU 00000000:0%s:00.0\\n    GPU Utilization Samples\\n        Max : 4 %%\\n' "$i"; done ;;
*) for i in 0 1; do echo "GPU-$i, 100$i, 40000"; done ;;
esac
echo call >>"\${0%/*}/calls"
`;

export interface AgentResult {
  readonly beats: number;
  /** The most that the tree held at once, pages shared by its processes counted once. */
  readonly peakPssKb: number;
  /** The same with shared pages counted for each process. */
  readonly peakRssKb: number;
  readonly betweenRssKb: number;
  /** Of its own programs: without nvidia-smi, of which this only has a stand-in. */
  readonly cpuSecondsPerBeat: number;
  readonly cpuPercentOfOneCore: number;
  readonly samplesPerBeat: number;
  readonly nvidiaCallsPerBeat: number;
  /** By the stand-in. */
  readonly nvidiaCpuSecondsPerBeat: number;
}

/** Over HTTPS as everywhere but at home, where this may bind-mount the trust in its certificate: as root. */
export async function benchAgent(scheme: "http" | "https"): Promise<AgentResult> {
  let beats = 0;
  const answer: RequestListener = (request, response) => {
    request.resume().on("end", () => {
      if (request.method === "POST") beats += 1;
      response.end(`{"success":true,"next_heartbeat_in_seconds":${INTERVAL_SECONDS},"actions":[]}`);
    });
  };
  const directory = await mkdtemp(join(tmpdir(), "dumont-bench-"));
  const nvidiaSmi = join(directory, "nvidia-smi");
  await writeFile(nvidiaSmi, NVIDIA_SMI);
  await chmod(nvidiaSmi, 0o755);
  const nvidiaCpuSeconds = cpuSecondsOfCall(nvidiaSmi);
  const calls = join(directory, "calls");
  await writeFile(calls, "");
  const server =
    scheme === "http"
      ? createHttpServer(answer)
      : createHttpsServer(await makeCertificate(directory), answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const trust = `mount --bind ${join(directory, "trusted")} ${TRUSTED_CERTIFICATES} && exec sh ${AGENT} run`;
  const [program, ...parameters] =
    scheme === "http"
      ? (["sh", AGENT, "run"] as const)
      : (["unshare", "--mount", "sh", "-c", trust] as const);
  const agent = spawn(program, parameters, {
    env: {
      ...process.env,
      PATH: `${directory}:${process.env.PATH}`,
      DUMONT_TICK_SECONDS: String(TICK_SECONDS),
      DUMONT_SAMPLE_SECONDS: String(SAMPLE_SECONDS),
      DUMONT_CONFIG_FILE: "/nonexistent",
      DUMONT_INSTANCE_ID: "bench",
      DUMONT_API_TOKEN: "a.b.c",
      DUMONT_API_URL: `${scheme}://127.0.0.1:${port}`,
    },
    stdio: "ignore",
  });
  try {
    const root = agent.pid ?? 0;
    let [peakRssKb, peakPssKb, betweenRssKb] = [0, 0, Number.POSITIVE_INFINITY];
    while (beats < BEATS) {
      if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}`);
      const processes = (await Promise.all((await treeOf(root)).map(memoryOf))).filter(
        ({ command }) => !command.includes(nvidiaSmi) || command.includes("timeout"),
      );
      const rssKb = processes.reduce((sum, { rssKb: each }) => sum + each, 0);
      peakRssKb = Math.max(peakRssKb, rssKb);
      peakPssKb = Math.max(
        peakPssKb,
        processes.reduce((sum, { pssKb }) => sum + pssKb, 0),
      );
      if (processes.length === 2) betweenRssKb = Math.min(betweenRssKb, rssKb);
      await sleep(2);
    }
    const called = (await readFile(calls, "utf8")).split("\n");
    const nvidiaCalls = called.filter((line) => line === "call").length;
    const cpuSecondsPerBeat = ((await cpuSecondsOf(root)) - nvidiaCalls * nvidiaCpuSeconds) / beats;
    return {
      beats,
      peakPssKb,
      peakRssKb,
      betweenRssKb,
      cpuSecondsPerBeat,
      cpuPercentOfOneCore: (100 * cpuSecondsPerBeat) / REAL_INTERVAL_SECONDS,
      samplesPerBeat: called.filter((line) => line === "list").length / beats,
      nvidiaCallsPerBeat: nvidiaCalls / beats,
      nvidiaCpuSecondsPerBeat: (nvidiaCalls * nvidiaCpuSeconds) / beats,
    };
  } finally {
    agent.kill("SIGTERM");
    server.close();
    server.closeAllConnections();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A certificate for 127.0.0.1, and in `trusted` the machine's own with this one. */
async function makeCertificate(directory: string): Promise<{ key: string; cert: string }> {
  const [keyFile, certificateFile] = [join(directory, "key"), join(directory, "certificate")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"].concat([
      "-addext",
      "subjectAltName=IP:127.0.0.1",
      "-keyout",
      keyFile,
      "-out",
      certificateFile,
    ]),
    { stdio: "ignore" },
  );
  const [key, cert, trusted] = await Promise.all(
    [keyFile, certificateFile, TRUSTED_CERTIFICATES].map((file) => readFile(file, "utf8")),
  );
  if (key === undefined || cert === undefined) throw new Error("openssl made no certificate");
  await writeFile(join(directory, "trusted"), `${trusted}\n${cert}`);
  return { key, cert };
}

async function treeOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    tasks.map(async (task) => readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "")),
  );
  const pids = children.join(" ").split(" ").filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(pids.map(treeOf))).flat()];
}

async function memoryOf(pid: number): Promise<{ rssKb: number; pssKb: number; command: string }> {
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return { rssKb: field("Rss"), pssKb: field("Pss"), command };
}

/** What a call of the stand-in takes, as the mean of many. */
function cpuSecondsOfCall(program: string): number {
  const script = `i=0; while [ "$i" -lt ${NVIDIA_CALLS} ]; do "$0" --query-gpu=x >/dev/null; i=$((i + 1)); done; times`;
  const [, children = ""] = execFileSync("sh", ["-c", script, program], { encoding: "utf8" })
    .trim()
    .split("\n");
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => Number(m) * 60 + Number(s));
  return seconds.reduce((sum, each) => sum + each, 0) / NVIDIA_CALLS;
}

/** Its own time, and that of all children it has waited for. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / CLOCK_TICKS_PER_SECOND;
}
