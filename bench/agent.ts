import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What the agent takes of its machine: its whole process tree, read from /proc, over a hundred heartbeats. */

const BEATS = 100;
const INTERVAL_SECONDS = 0.3;
const CLOCK_TICKS_PER_SECOND = 100;
/** Of a real interval of a minute. */
const REAL_INTERVAL_SECONDS = 60;

export interface AgentResult {
  readonly beats: number;
  /** The most that the tree held at once, pages shared by its processes counted once. */
  readonly peakPssKb: number;
  /** The same with shared pages counted for each process. */
  readonly peakRssKb: number;
  readonly betweenRssKb: number;
  readonly cpuSecondsPerBeat: number;
  readonly cpuPercentOfOneCore: number;
}

export async function benchAgent(): Promise<AgentResult> {
  let beats = 0;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      if (request.method === "POST") beats += 1;
      response.end(`{"success":true,"next_heartbeat_in_seconds":${INTERVAL_SECONDS},"actions":[]}`);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const agent = spawn("sh", [join(import.meta.dirname, "../agent/dumont-agent"), "run"], {
    env: {
      ...process.env,
      DUMONT_CONFIG_FILE: "/nonexistent",
      DUMONT_INSTANCE_ID: "bench",
      DUMONT_API_TOKEN: "a.b.c",
      DUMONT_API_URL: `http://127.0.0.1:${port}`,
    },
    stdio: "ignore",
  });
  try {
    const root = agent.pid ?? 0;
    let [peakRssKb, peakPssKb, betweenRssKb] = [0, 0, Number.POSITIVE_INFINITY];
    while (beats < BEATS) {
      const processes = await Promise.all((await treeOf(root)).map(memoryOf));
      const rssKb = processes.reduce((sum, { rssKb: each }) => sum + each, 0);
      peakRssKb = Math.max(peakRssKb, rssKb);
      peakPssKb = Math.max(
        peakPssKb,
        processes.reduce((sum, { pssKb }) => sum + pssKb, 0),
      );
      if (processes.length === 2) betweenRssKb = Math.min(betweenRssKb, rssKb);
      await sleep(2);
    }
    const cpuSecondsPerBeat = (await cpuSecondsOf(root)) / beats;
    return {
      beats,
      peakPssKb,
      peakRssKb,
      betweenRssKb,
      cpuSecondsPerBeat,
      cpuPercentOfOneCore: (100 * cpuSecondsPerBeat) / REAL_INTERVAL_SECONDS,
    };
  } finally {
    agent.kill("SIGTERM");
    server.close();
    server.closeAllConnections();
  }
}

async function treeOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    tasks.map(async (task) => readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => "")),
  );
  const pids = children.join(" ").split(" ").filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(pids.map(treeOf))).flat()];
}

async function memoryOf(pid: number): Promise<{ rssKb: number; pssKb: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return { rssKb: field("Rss"), pssKb: field("Pss") };
}

/** Its own time, and that of all children it has waited for. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / CLOCK_TICKS_PER_SECOND;
}
