import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestContext } from "vitest";
import { z } from "zod";
import { FakeHttp } from "../outside/http.ts";
import { AGENT } from "../server/agent-machine.ts";

/** A program that ends with its test. */
export function start(
  test: TestContext,
  program: string,
  parameters: readonly string[],
  more: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(program, parameters, {
    env: { ...process.env, ...more },
    stdio: ["pipe", "ignore", "ignore"],
  });
  test.onTestFinished(() => end(child));
  return child;
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(late);
}

const beatSchema = z.looseObject({
  status: z.string(),
  uptime_seconds: z.number(),
  ram_used_gb: z.number().nullable(),
  sources: z.array(
    z.looseObject({ name: z.string(), value: z.number().nullable(), note: z.string().nullish() }),
  ),
});

type Beat = z.infer<typeof beatSchema>;

/** An agent that beats every second, and the service that hears it. */
export class Reporter {
  readonly #service: FakeHttp;
  readonly #statuses: number[];

  private constructor(service: FakeHttp, statuses: number[]) {
    this.#service = service;
    this.#statuses = statuses;
  }

  static async start(test: TestContext, more: Readonly<Record<string, string>>): Promise<Reporter> {
    const statuses: number[] = [];
    const service = await FakeHttp.start(({ method }) => ({
      status: method === "POST" ? (statuses[0] ?? 200) : 200,
      body: '{"success":true,"message":"x","next_heartbeat_in_seconds":1,"actions":[]}',
    }));
    test.onTestFinished(() => service.stop());
    const own = await mkdtemp(join(tmpdir(), "dumont-reporter-"));
    test.onTestFinished(() => rm(own, { recursive: true, force: true }));
    start(test, "dash", [AGENT, "run"], {
      DUMONT_CONFIG_FILE: join(own, "none"),
      DUMONT_HOOKS_DIR: join(own, "none"),
      DUMONT_ACTIVITY_DIR: join(own, "none"),
      DUMONT_RUN_DIR: join(own, "run"),
      DUMONT_STATE_DIR: join(own, "state"),
      DUMONT_SPOT_WATCH: "off",
      DUMONT_SAMPLE_SECONDS: "1",
      DUMONT_INSTANCE_ID: "28864630",
      DUMONT_API_TOKEN: "a.b.c",
      DUMONT_API_URL: service.url,
      ...more,
    });
    return new Reporter(service, statuses);
  }

  /** The service answers so from now on. */
  answers(status: number): void {
    this.#statuses[0] = status;
  }

  get #beats(): Beat[] {
    return this.#service.calls
      .filter(({ method }) => method === "POST")
      .map(({ body }) => beatSchema.parse(JSON.parse(body)));
  }

  /** Waits for so many more heartbeats. */
  async more(beats: number): Promise<void> {
    const enough = this.count + beats;
    await eventually(
      () => this.count >= enough,
      () => `${this.count} heartbeats, not ${enough}`,
    );
  }

  /** Waits for the first heartbeat from now on in which the source is as expected. */
  async until(name: string, is: (value: number | null) => boolean): Promise<void> {
    const from = this.#beats.length;
    await eventually(
      () => this.all(name, from).some((value) => value !== undefined && is(value)),
      () => `${name} was ${JSON.stringify(this.all(name, from))}`,
    );
  }

  /** What a source said in all heartbeats that were accepted or not. */
  all(name: string, from = 0): (number | null | undefined)[] {
    return this.#beats.slice(from).map(({ sources }) => sources.find((each) => each.name === name)?.value);
  }

  get last(): Beat | undefined {
    return this.#beats.at(-1);
  }

  get count(): number {
    return this.#beats.length;
  }

  /** The sum over all heartbeats from this one on: of a mean, what it comes to in all. */
  sum(name: string, from: number): number {
    const beats = this.#beats;
    return this.all(name, from).reduce<number>((total, value, index) => {
      const seconds =
        (beats[from + index]?.uptime_seconds ?? 0) - (beats[from + index - 1]?.uptime_seconds ?? 0);
      return total + (value ?? Number.NaN) * seconds;
    }, 0);
  }
}

/** So long that only what hangs runs into it. */
const LIMIT_MS = 180_000;

/** `expect.poll` can't be used by tests that run at the same time. */
export async function eventually(is: () => boolean | Promise<boolean>, sayWhat: () => string): Promise<void> {
  for (const limit = Date.now() + LIMIT_MS; !(await is()); await sleep(100)) {
    if (Date.now() > limit) throw new Error(sayWhat());
  }
}

export async function answers(url: string): Promise<void> {
  const answered = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  await eventually(answered, () => `${url} does not answer`);
}
