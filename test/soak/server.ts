import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcessOptions } from "./server-process.ts";
import { unfinishedWorkflows } from "./workflows.ts";

/** The server process of the soak, and what it takes. Ends with this process, whatever becomes of it. */

const START_LIMIT_MS = 120_000;
const RESUME_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;

export class SoakServer {
  readonly #options: Omit<ServerProcessOptions, "release">;
  readonly #logFile: string;
  #process: ChildProcess | null = null;
  #startedAt = 0;

  constructor(options: Omit<ServerProcessOptions, "release">, logFile: string) {
    this.#options = options;
    this.#logFile = logFile;
    process.once("exit", () => this.#end("SIGKILL"));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.port}`;
  }

  /** Resolves once it answers, and goes on with the workflows that had not ended. */
  async start(release: string): Promise<void> {
    const unfinished = await unfinishedWorkflows(this.#options.stateDirectory);
    await this.#start({ ...this.#options, release });
    const resumed = await fetch(`${this.url}/soak/workflows`, {
      method: "POST",
      body: JSON.stringify(unfinished),
      signal: AbortSignal.timeout(RESUME_LIMIT_MS),
    });
    if (!resumed.ok) throw new Error(`workflows do not go on: ${await resumed.text()}`);
  }

  async #start(options: ServerProcessOptions): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "server-process.ts"),
        JSON.stringify(options),
      ],
      // A group of its own, so that the runtime that it starts ends with it.
      { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    this.#process = child;
    const log = createWriteStream(this.#logFile, { flags: "a" });
    child.stderr.pipe(log, { end: false });
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<void>((resolve, reject) => {
      lines.on("line", (line) => {
        if (line === "ready") resolve();
        else log.write(`${line}\n`);
      });
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}: see ${this.#logFile}`)));
    });
    ready.catch(() => undefined);
    const late = sleep(START_LIMIT_MS, "late", { ref: false });
    if ((await Promise.race([ready, late])) === "late") throw new Error("the server did not start in time");
    this.#startedAt = Date.now();
  }

  /** Ends it and the runtime below it at once, as a power cut does. */
  async kill(): Promise<void> {
    await this.#ended("SIGKILL");
  }

  /** Ends it in peace. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    child.kill("SIGTERM");
    await Promise.race([exitOf(child), sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
    await this.#ended("SIGKILL");
  }

  async #ended(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    const runtime = await this.#runtime();
    const exit = exitOf(child);
    this.#end(signal);
    await exit;
    // Its port is free once the runtime has ended as well.
    while (runtime !== null && (await statusOf(runtime)) !== null) await sleep(20);
    this.#process = null;
  }

  #end(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  }

  /** Memory that the runtime holds, and since when the process runs; null while none does. */
  async memory(): Promise<{ readonly bytes: number; readonly ageMs: number } | null> {
    const runtime = await this.#runtime();
    const status = runtime === null ? null : await statusOf(runtime);
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? "")?.[1];
    return kilobytes === undefined
      ? null
      : { bytes: Number(kilobytes) * 1024, ageMs: Date.now() - this.#startedAt };
  }

  /** The process id of workerd. */
  async #runtime(): Promise<string | null> {
    const parent = this.#process?.pid;
    if (parent === undefined) return null;
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const status = await statusOf(pid);
      if (status?.includes(`\nPPid:\t${parent}\n`) && status.startsWith("Name:\tworkerd")) return pid;
    }
    return null;
  }
}

function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((ended) => child.once("exit", () => ended()));
}

/** What the system says of a process; null for one that has ended. */
async function statusOf(pid: string): Promise<string | null> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => null);
  return status === null || /^State:\tZ/m.test(status) ? null : status;
}
