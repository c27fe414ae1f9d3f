import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { heartbeatSchema } from "../../src/lifecycle/model/heartbeat.ts";

const run = promisify(execFile);

export const AGENT = resolve(import.meta.dirname, "../../agent/dumont-agent");

const DAY_SECONDS = 86_400;
/** Far more than any command of the agent takes: a run of 250 heartbeats starts tens of thousands of programs. */
const LIMIT_MS = 900_000;

/** What the service takes, with the rules of names that it holds activity to. */
const acceptedSchema = heartbeatSchema.extend({
  instance_id: z.string(),
  activity: z.record(z.string().regex(/^[a-z0-9_]{1,32}$/), z.int().min(0)).optional(),
});

/** A heartbeat that was posted, and when by the machine's clock. */
export interface Post {
  readonly atSeconds: number;
  readonly text: string;
  readonly body: z.infer<typeof acceptedSchema>;
}

type Variables = Readonly<Record<string, string>>;

export interface Setup {
  /** Programs of the machine, by name, as sh. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * sh that answers a post: it knows `$n`, the post's number from 1, `$body`, and `$S`, the machine's folder; it may set
   * `status`, `retry_after`, `interval` and `text`.
   */
  readonly answer?: string;
  /** sh that answers a GET of anything but the service: it knows `$url`. */
  readonly pages?: string;
  /** Under which the agent runs, such as `busybox sh`. */
  readonly shell?: string;
  readonly uptimeSeconds?: number;
  /** null: it cannot be read. */
  readonly bootId?: string | null;
}

/**
 * A machine on which a minute passes at once: `sleep` turns its clock, `curl` is the service, /proc is made up. The agent
 * runs on it under the system's sh.
 */
export class AgentMachine {
  readonly folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #shell: string;

  private constructor(folder: string, environment: NodeJS.ProcessEnv, shell: string) {
    this.folder = folder;
    this.#environment = environment;
    this.#shell = shell;
  }

  static async make(setup: Setup = {}): Promise<AgentMachine> {
    const folder = await mkdtemp(join(tmpdir(), "dumont-agent-"));
    for (const each of [
      "bin",
      "activity.d",
      "posts",
      "proc/sys/kernel/random",
      "proc/net",
      "units",
      "home",
    ]) {
      await mkdir(join(folder, each), { recursive: true });
    }
    const environment = {
      ...process.env,
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      S: folder,
      HOME: join(folder, "home"),
      DUMONT_CONFIG_FILE: join(folder, "none"),
      DUMONT_HOOKS_DIR: join(folder, "none"),
      DUMONT_PROC: join(folder, "proc"),
      DUMONT_CGROUP: join(folder, "cgroup"),
      DUMONT_DEV: join(folder, "dev"),
      DUMONT_RUN_DIR: join(folder, "run"),
      DUMONT_STATE_DIR: join(folder, "state"),
      DUMONT_ACTIVITY_DIR: join(folder, "activity.d"),
      DUMONT_ROOT: folder,
      DUMONT_BIN: join(folder, "installed"),
      DUMONT_UNIT_DIR: join(folder, "units"),
      DUMONT_INSTANCE_ID: "28864630",
      DUMONT_API_TOKEN: "a.b.c",
      DUMONT_API_URL: "http://service.test",
      ...setup.environment,
    };
    const machine = new AgentMachine(folder, environment, setup.shell ?? "sh");
    await machine.write("answer", setup.answer ?? "");
    await machine.write("pages", setup.pages ?? `echo '{"success":true}'`);
    await machine.write("proc/uptime", `${setup.uptimeSeconds ?? 20 * DAY_SECONDS}.00 1.00\n`);
    await machine.write("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 400000 kB\n");
    await machine.write("proc/cpuinfo", "processor : 0\n");
    await machine.write("proc/net/dev", "    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n");
    for (const each of ["net/tcp", "net/tcp6", "diskstats"]) await machine.write(`proc/${each}`, "");
    await machine.write("proc/stat", "cpu 100 0 100 800 0 0 0 0 0 0\n");
    const { bootId = "11111111-2222-3333-4444-555555555555" } = setup;
    if (bootId !== null) await machine.write("proc/sys/kernel/random/boot_id", `${bootId}\n`);
    const programs = { ...PROGRAMS, ...setup.programs };
    for (const [name, text] of Object.entries(programs)) await machine.program(name, text);
    return machine;
  }

  async end(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text);
  }

  async program(name: string, text: string): Promise<void> {
    await this.write(`bin/${name}`, `#!/bin/sh\n${text}\n`);
    await chmod(this.path(`bin/${name}`), 0o755);
  }

  /** Runs a command of the agent to its end. */
  async agent(parameters: readonly string[], more: Variables = {}) {
    const [program = "sh", ...options] = this.#shell.split(" ");
    return run(program, [...options, AGENT, ...parameters], {
      env: { ...this.#environment, ...more },
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
  }

  /** Lets the agent run until it has posted so often, and tells all that was ever posted here. */
  async beats(count: number): Promise<Post[]> {
    await this.agent(["run"], { LIMIT: String(count + (await this.#names()).length) });
    return Promise.all(
      (await this.#names()).map(async (name) => {
        const text = await readFile(this.path(`posts/${name}`), "utf8");
        const at = await readFile(this.path(`posts/${name.replace(".json", ".at")}`), "utf8");
        return { atSeconds: Number(at), text, body: acceptedSchema.parse(JSON.parse(text)) };
      }),
    );
  }

  /** The heartbeat that the agent would send now. */
  async reading(more: Variables = {}) {
    const { stdout } = await this.agent(["once", "--dry-run"], more);
    return acceptedSchema.parse(JSON.parse(stdout));
  }

  async #names(): Promise<string[]> {
    return (await readdir(this.path("posts"))).filter((name) => name.endsWith(".json")).sort();
  }
}

const PROGRAMS = {
  // Not GNU's, so that the agent takes curl.
  wget: "exit 1",
  curl: `case " $* " in *" --data-binary "*) ;; *) for url in "$@"; do :; done; . "$S/pages"; exit ;; esac
n=$(($(ls "$S/posts" | grep -c json) + 1))
body=$(cat)
file=$S/posts/$(printf %04d "$n")
printf '%s' "$body" >"$file.json"
cut -d ' ' -f 1 "$S/proc/uptime" >"$file.at"
status=200 retry_after= interval=60 text=
. "$S/answer"
if [ -n "$text" ]; then :
elif [ "$status" = 200 ]; then
  text='{"success":true,"message":"Heartbeat received","next_heartbeat_in_seconds":'$interval',"actions":[]}'
else text='{"success":false}'
fi
printf 'HTTP/1.1 %s X\\r\\n' "$status"
[ -z "$retry_after" ] || printf 'Retry-After: %s\\r\\n' "$retry_after"
printf '\\r\\n%s' "$text"`,
  sleep: `awk -v s="$1" '{ printf "%.2f 1.00\\n", $1 + s }' "$S/proc/uptime" >"$S/proc/uptime.new"
mv "$S/proc/uptime.new" "$S/proc/uptime"
if [ -n "\${LIMIT:-}" ] && [ "$(ls "$S/posts" | grep -c json)" -ge "$LIMIT" ]; then kill -TERM $PPID; fi`,
};

/** One for the test that runs, with which it ends. */
export async function machineWith(setup: Setup = {}): Promise<AgentMachine> {
  const machine = await AgentMachine.make(setup);
  onTestFinished(() => machine.end());
  return machine;
}

/** The shells that the agent must run under, each with an awk of its kind. */
export const SHELLS = [
  ["dash", "mawk"],
  ["bash", "mawk"],
  ["busybox sh", "busybox awk"],
] as const;

/** A machine's setup under one of them. */
export function under(shell: string, awk: string, setup: Setup = {}): Setup {
  return { ...setup, shell, programs: { awk: `exec ${awk} "$@"`, ...setup.programs } };
}
