import type { Platform } from "./platform.ts";

const NEVER = new Promise<never>(() => {});

export interface WorkflowKind {
  /** The platform's own types cannot be made by hand; what is used of them is in `context`. */
  readonly make: (context: object, bindings: object) => object;
  readonly mayBeLost: boolean;
}

/** One workflow: steps that are done stay done over crashes, and a step that crashed is done again. */
export class WorkflowHost<Parameters> {
  /** `lost`: its host never runs again. */
  state: "running" | "finished" | "lost" = "running";
  readonly id: string;
  readonly parameters: Parameters;
  readonly #platform: Platform;
  readonly #kind: WorkflowKind;
  readonly #isDueToBeLost: boolean;
  readonly #done = new Map<string, { value: unknown } | { error: Error }>();

  constructor(platform: Platform, kind: WorkflowKind, id: string, parameters: Parameters) {
    this.#platform = platform;
    this.#kind = kind;
    this.id = id;
    this.parameters = parameters;
    this.#isDueToBeLost = kind.mayBeLost && platform.scheduler.chance(platform.rates.lostWorkflow);
  }

  start(): void {
    const { scheduler } = this.#platform;
    scheduler.at(scheduler.now + scheduler.latencyMs(), () => void this.#run());
  }

  async #run(): Promise<void> {
    if (this.state === "lost") return;
    const life = {
      isAlive: true,
      crash: () => {
        life.isAlive = false;
        this.#platform.crashes += 1;
        this.start();
      },
    };
    const workflow = this.#kind.make({ waitUntil: () => {} }, this.#platform.bindings(life));
    const event = {
      payload: this.parameters,
      timestamp: new Date(this.#platform.scheduler.now),
      instanceId: this.id,
    };
    const run: unknown = Reflect.get(workflow, "run");
    if (typeof run !== "function") throw new Error("a workflow runs");
    try {
      await Reflect.apply(run, workflow, [event, this.#step(life)]);
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
    if (life.isAlive) this.state = "finished";
  }

  #step(life: { isAlive: boolean; crash(): void }) {
    const { scheduler } = this.#platform;
    const wait = (ms: number) =>
      new Promise<void>((resolve) => scheduler.at(scheduler.now + ms, () => life.isAlive && resolve()));
    return {
      do: async (name: string, ...rest: readonly unknown[]) => {
        const known = this.#done.get(name);
        if (known !== undefined) {
          if ("error" in known) throw known.error;
          return known.value;
        }
        const [work, retries] = [rest.at(-1), retriesOf(rest[0])];
        if (typeof work !== "function") throw new Error("a step does something");
        for (let attempt = 0; ; attempt += 1) {
          try {
            const value: unknown = await Reflect.apply(work, null, [{ attempt: attempt + 1 }]);
            if (!life.isAlive) return NEVER;
            // Done, and nobody goes on from here: neither this process nor another one.
            if (scheduler.chance(this.#isDueToBeLost ? 0.2 : 0)) {
              life.isAlive = false;
              this.state = "lost";
              this.#platform.count("workflows lost");
              return NEVER;
            }
            // Done, but the engine crashes before it has noted that.
            if (scheduler.chance(0.02)) {
              life.crash();
              return NEVER;
            }
            this.#done.set(name, { value });
            return value;
          } catch (error) {
            if (!life.isAlive) return NEVER;
            const isFinal = error instanceof Error && error.constructor.name === "NonRetryableError";
            if (isFinal || attempt >= retries.limit) {
              const failure = new StepFailed(error instanceof Error ? error.message : String(error));
              this.#done.set(name, { error: failure });
              throw failure;
            }
            await wait(retries.delayMs(attempt + 1));
          }
        }
      },
      sleep: async (name: string, ms: number) => {
        if (this.#done.has(name)) return;
        await wait(ms);
        this.#done.set(name, { value: undefined });
      },
      waitForEvent: async (name: string, { timeout }: { timeout: number }) => {
        if (!this.#done.has(name)) await wait(timeout);
        this.#done.set(name, { value: undefined });
        throw new Error("nobody answered in time");
      },
    };
  }
}

/** Calls to providers say for each try when the next one is. The others are retried as if they all said the same. */
function retriesOf(config: unknown) {
  const retries = typeof config === "object" && config !== null && "retries" in config ? config.retries : {};
  const limit: unknown = Reflect.get(Object(retries), "limit");
  const delay: unknown = Reflect.get(Object(retries), "delay");
  if (typeof delay !== "function") return { limit: 5, delayMs: (attempt: number) => 5_000 * 2 ** attempt };
  return {
    limit: Number(limit),
    delayMs: (attempt: number) => Number(Reflect.apply(delay, null, [{ ctx: { attempt } }])),
  };
}

class StepFailed extends Error {}
