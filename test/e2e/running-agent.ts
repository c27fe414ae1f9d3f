import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { heartbeatSchema } from "../../src/lifecycle/model/heartbeat.ts";
import { FakeHttp } from "../outside/http.ts";
import { AGENT } from "../server/agent-machine.ts";

/** An agent that runs in real time before a service that says what a test wants it to. */

export const SHELLS = ["dash", "bash", "busybox sh"];

/** Far longer than anything lasts that an agent waits for before it ends. */
const END_LIMIT_MS = 120_000;

const beatSchema = heartbeatSchema.extend({ instance_id: z.string() });

export type Beat = z.infer<typeof beatSchema> & { readonly atMs: number };

type Action = Readonly<Record<string, string | number | object>>;

export class RunningAgent {
  readonly folder: string;
  readonly beats: Beat[] = [];
  /** What each answer carries. */
  actions: readonly Action[] = [];
  /** What else it carries. */
  more: Readonly<Record<string, object>> = {};
  /** Between two heartbeats. */
  interval = 0.5;
  /** The status of an answer. */
  answer: (body: string) => number = () => 200;
  /** What the service makes of an answer before it sends it. */
  raw: (text: string) => string = (text) => text;
  log = "";
  readonly #service: FakeHttp;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;

  private constructor(folder: string, service: FakeHttp, environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#service = service;
    this.#environment = environment;
  }

  /** `$S` in a variable is the machine's folder. */
  static async make(environment: Readonly<Record<string, string>> = {}): Promise<RunningAgent> {
    const folder = await mkdtemp(join(tmpdir(), "running-agent-"));
    await mkdir(join(folder, "hooks.d"));
    await mkdir(join(folder, "bin"));
    const holder: { agent: RunningAgent | null } = { agent: null };
    const service = await FakeHttp.start(({ method, body }) => {
      if (method === "GET") return { status: 200, body: '{"success":true}' };
      return holder.agent?.hear(body) ?? { status: 503, body: "" };
    });
    const agent = new RunningAgent(folder, service, environment);
    holder.agent = agent;
    return agent;
  }

  /** Where its service is. */
  get url(): string {
    return this.#service.url;
  }

  hear(body: string) {
    const status = this.answer(body);
    if (status === 200) this.beats.push({ ...beatSchema.parse(JSON.parse(body)), atMs: Date.now() });
    const answer = {
      success: status === 200,
      message: "Heartbeat received",
      next_heartbeat_in_seconds: this.interval,
      actions: this.actions,
      ...this.more,
    };
    return { status, body: status === 200 ? this.raw(JSON.stringify(answer)) : '{"success":false}' };
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What a file holds; nothing where there is none. */
  read(name: string): Promise<string> {
    return readFile(this.path(name), "utf8").catch(() => "");
  }

  /** A hook of the owner. `$S` is the machine's folder. */
  async hook(name: string, text: string): Promise<void> {
    await this.#executable(`hooks.d/${name}`, text);
  }

  async program(name: string, text: string): Promise<void> {
    await this.#executable(`bin/${name}`, text);
  }

  async #executable(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), `#!/bin/sh\n${text}\n`);
    await chmod(this.path(name), 0o755);
  }

  start(shell = "dash"): void {
    const [program = "sh", ...parameters] = shell.split(" ");
    const child = spawn(program, [...parameters, AGENT, "run"], {
      env: {
        ...process.env,
        PATH: `${this.path("bin")}:${process.env.PATH}`,
        S: this.folder,
        DUMONT_CONFIG_FILE: this.path("none"),
        DUMONT_HOOKS_DIR: this.path("hooks.d"),
        DUMONT_RUN_DIR: this.path("run"),
        DUMONT_STATE_DIR: this.path("state"),
        DUMONT_INSTANCE_ID: "28864630",
        DUMONT_API_TOKEN: "a.b.c",
        DUMONT_API_URL: this.#service.url,
        DUMONT_SPOT_WATCH: "off",
        DUMONT_HIBERNATE_COMMAND: `echo hibernated >>"${this.path("hibernated")}"`,
        ...Object.fromEntries(
          Object.entries(this.#environment).map(([name, value]) => [
            name,
            value.replaceAll("$S", this.folder),
          ]),
        ),
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr?.on("data", (chunk) => {
      this.log += chunk;
    });
    this.#child = child;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    const late = sleep(END_LIMIT_MS, "late", { ref: false });
    if ((await Promise.race([exit, late])) !== "late") return;
    const held = await processesBelow(child.pid ?? 0);
    child.kill("SIGKILL");
    await exit;
    throw new Error(`the agent did not end by ${signal}:\n${held}\n${this.log}`);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  statuses(): (string | null | undefined)[] {
    return this.beats.map(({ status }) => status);
  }

  last(): Beat | undefined {
    return this.beats.at(-1);
  }

  async end(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.#service.stop();
      await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

/** This process and all below it: what each waits for, and which signals wait for it. */
async function processesBelow(pid: number): Promise<string> {
  const columns = "pid,ppid,stat,wchan:24,pending,blocked,args";
  const { stdout } = await promisify(execFile)("ps", ["-eo", columns]);
  const [heading, ...lines] = stdout.split("\n");
  const below = new Set([String(pid)]);
  // A child may have a smaller number than its parent, once the numbers have begun again.
  for (let size = 0; size < below.size; ) {
    size = below.size;
    for (const line of lines) {
      const [own = "", parent = ""] = line.trim().split(/ +/);
      if (below.has(parent)) below.add(own);
    }
  }
  return [heading, ...lines.filter((line) => below.has(line.trim().split(" ")[0] ?? ""))].join("\n");
}

/** The answer's word to prepare. */
export function toPrepare(id: string, seconds: number, because = "idle"): Action {
  return { type: "prepare", message: "Prepare", preparation_id: id, deadline_seconds: seconds, because };
}

export const TO_HIBERNATE: Action = { type: "hibernate", message: "Hibernate now", action_id: "hibernate-1" };

export function toWarn(message: string): Action {
  return { type: "hibernate_warning", message, countdown_seconds: 120 };
}
