import type { Platform } from "./platform.ts";
import { WorkflowHost, type WorkflowKind } from "./workflow-host.ts";

/** What the platform takes as the id of a workflow. */
const ID = /^[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}$/;

/** All workflows of one kind, and the binding that starts them. */
export class Workflows<Parameters> {
  readonly #platform: Platform;
  readonly #kind: WorkflowKind;
  readonly #hosts = new Map<string, WorkflowHost<Parameters>>();

  constructor(platform: Platform, kind: WorkflowKind) {
    this.#platform = platform;
    this.#kind = kind;
  }

  find(id: string): WorkflowHost<Parameters> | undefined {
    return this.#hosts.get(id);
  }

  get unfinished(): number {
    return [...this.#hosts.values()].filter(({ state }) => state === "running").length;
  }

  /** The binding as one process has it. */
  binding(call: <T>(work: () => T) => Promise<T>) {
    const { scheduler } = this.#platform;
    return {
      create: ({ id, params }: { id: string; params: Parameters }) =>
        call(() => {
          if (!ID.test(id)) throw new Error("instance.invalid_id");
          if (scheduler.chance(0.02)) throw new Error("the service of workflows is busy");
          if (this.#hosts.has(id)) throw new Error("instance.already_exists");
          const host = new WorkflowHost(this.#platform, this.#kind, id, params);
          this.#hosts.set(id, host);
          host.start();
          if (scheduler.chance(0.02)) throw new Error("the answer was lost");
        }),
      get: (id: string) =>
        call(() => {
          if (!this.#hosts.has(id)) throw new Error("instance.not_found");
        }),
    };
  }
}
