import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { actorOf } from "../instance/address.ts";
import { count } from "../meter/meter.ts";
import { type ActionParameters, type ActionResult, RESULT_EVENT } from "./order.ts";
import {
  type MachineState,
  type Progress,
  type Provider,
  ProviderError,
  type Target,
} from "./providers/provider.ts";
import { openProvider } from "./providers/registry.ts";

/** How an action ended, as its actor is told. `null`: it was called off in time, and there is nothing to tell. */
export type ActionOutcome =
  | { readonly type: "succeeded"; readonly confirmedBy: string; readonly snapshotId: string | null }
  | { readonly type: "gone" }
  | { readonly type: "failed"; readonly because: string };

/** A call to a provider: five more tries within about five minutes. */
const CALL = {
  retries: { limit: 5, delay: "10 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/** A call to our own actor: it is there, but may be moving. */
const TELL = {
  retries: { limit: 20, delay: "5 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/** Waits between two looks at a machine that stops, starts or vanishes: half an hour in all. */
const SHORT_WAITS_SECONDS = [2, 3, 5, 10, 20, ...Array.from({ length: 30 }, () => 60)];

/** Waits between two looks at a snapshot: twelve hours in all. */
const LONG_WAITS_SECONDS = [...SHORT_WAITS_SECONDS, ...Array.from({ length: 138 }, () => 300)];

/** What a machine shows once it has heard of an order, by what it shall come to. */
const ON_THE_WAY = { stopped: ["stopping", "stopped"], running: ["starting", "running"] } as const;

/**
 * Carries one order out at its provider, step by step: each is kept once it is done, so that a crash between any two
 * goes on where it was. What ends it goes back to the actor as an event.
 */
export class InstanceAction extends WorkflowEntrypoint<Env, ActionParameters> {
  override async run(event: Readonly<WorkflowEvent<ActionParameters>>, step: WorkflowStep): Promise<void> {
    const parameters = event.payload;
    const run = new ActionRun(this.env, parameters, event.instanceId, step);
    const outcome = await run
      .carryOut()
      .catch((error: unknown): ActionOutcome => ({ type: "failed", because: reasonOf(error) }));
    const { kind } = parameters.order;
    count(this.env, this.ctx, "actions", { kind, outcome: outcome?.type ?? "called_off" });
    if (outcome === null) return;
    await step.do("tell the instance", TELL, async () => {
      await run.actor.endAction(parameters.order.actionId, outcome);
    });
  }
}

class ActionRun {
  readonly #env: Env;
  readonly #parameters: ActionParameters;
  readonly #target: Target;
  readonly #step: WorkflowStep;

  constructor(env: Env, parameters: ActionParameters, workflowId: string, step: WorkflowStep) {
    this.#env = env;
    this.#parameters = parameters;
    this.#step = step;
    this.#target = {
      ref: parameters.providerRef,
      instanceId: parameters.instanceId,
      actionId: workflowId,
    };
  }

  get actor() {
    const { userId, instanceId } = this.#parameters;
    return actorOf(this.#env, userId, instanceId);
  }

  async carryOut(): Promise<ActionOutcome | null> {
    const { kind } = this.#parameters.order;
    switch (kind) {
      case "hibernate":
        return this.#hibernate((provider) => provider.hibernate(this.#target));
      case "force_hibernate":
        return this.#hibernate((provider) => provider.forceHibernate(this.#target));
      case "wake":
        return this.#wake();
      case "delete":
        return this.#delete();
    }
  }

  async #hibernate(act: (provider: Provider) => Promise<Progress>): Promise<ActionOutcome | null> {
    const { order, provider } = this.#parameters;
    // Silence may mean that it is stopped already, or gone: whoever acts on it looks first.
    const before = order.reason === "silence" ? await this.#look("look before acting") : null;
    if (before === "gone") return { type: "gone" };
    if (!(await this.#stillStands())) return null;
    if (before === "stopped") {
      return {
        type: "succeeded",
        confirmedBy: `${provider}: it was stopped already, nothing was done`,
        snapshotId: null,
      };
    }
    return this.#actUntil("hibernate", act, "stopped", before === null ? "" : ` (before: ${before})`);
  }

  async #wake(): Promise<ActionOutcome | null> {
    if (!(await this.#stillStands())) return null;
    return this.#actUntil("wake", (provider) => provider.wake(this.#target), "running", "");
  }

  /** Gives the order and waits until the machine shows it. `evidence` is kept with the confirmation. */
  async #actUntil(
    name: string,
    act: (provider: Provider) => Promise<Progress>,
    wanted: "stopped" | "running",
    evidence: string,
  ): Promise<ActionOutcome | null> {
    const { provider } = this.#parameters;
    const told = await this.#tell(name, act, ON_THE_WAY[wanted]);
    if (told === "called_off") return null;
    if (told === "gone") return { type: "gone" };
    if (told === "done") {
      return { type: "succeeded", confirmedBy: `${provider} at once${evidence}`, snapshotId: null };
    }
    const end = await this.#until(wanted);
    return end.type === "reached"
      ? { type: "succeeded", confirmedBy: `${provider}${evidence}`, snapshotId: null }
      : end;
  }

  async #delete(): Promise<ActionOutcome | null> {
    const { order, provider } = this.#parameters;
    if ((await this.#look("look before acting")) === "gone") return { type: "gone" };
    let snapshotId: string | null = null;
    if (order.snapshotFirst) {
      const snapshot = await this.#snapshot();
      if (snapshot.type === "failed") return snapshot;
      snapshotId = snapshot.snapshotId;
    }
    // The snapshot may have taken hours: a heartbeat in between calls the deletion off.
    if (!(await this.#stillStands())) return null;
    const told = await this.#tell("delete", (each) => each.delete(this.#target), ["gone"]);
    if (told === "called_off") return null;
    if (told === "accepted") {
      const end = await this.#until("gone");
      if (end.type === "failed") return end;
    }
    return { type: "succeeded", confirmedBy: provider, snapshotId };
  }

  async #snapshot(): Promise<
    | { readonly type: "taken"; readonly snapshotId: string }
    | { readonly type: "failed"; readonly because: string }
  > {
    const failed = (because: string) =>
      ({ type: "failed", because: `the snapshot failed: ${because}` }) as const;
    try {
      const begun = await this.#call("snapshot", (provider) => provider.snapshot(this.#target));
      let { snapshotId } = begun;
      if (begun.done && snapshotId !== null) return { type: "taken", snapshotId };
      for (const [index, seconds] of LONG_WAITS_SECONDS.entries()) {
        const result = await this.#wait(`snapshot, wait ${index + 1}`, seconds);
        if (result?.outcome === "failed") return failed(result.because ?? "no reason given");
        snapshotId = result?.snapshotId ?? snapshotId;
        if (snapshotId === null) continue;
        // A result from outside says that it is done; else the provider is asked.
        if (result !== null) return { type: "taken", snapshotId };
        const known = snapshotId;
        const state = await this.#call(`snapshot, look ${index + 1}`, (provider) =>
          provider.snapshotState(known),
        );
        if (state === "ready") return { type: "taken", snapshotId };
        if (state === "failed") return failed(`${this.#parameters.provider} says so`);
      }
      return failed("it was not ready after twelve hours");
    } catch (error) {
      return failed(reasonOf(error));
    }
  }

  /** Asks the actor whether the order still stands; from a yes on it can't be called off. */
  async #stillStands(): Promise<boolean> {
    return this.#step.do("ask whether it still stands", TELL, () =>
      this.actor.startAction(this.#parameters.order.actionId),
    );
  }

  async #look(name: string): Promise<MachineState> {
    return this.#call(name, (provider) => provider.status(this.#target));
  }

  /**
   * Gives the order, unless it does not stand any more: minutes may lie between two tries, and the actor may have moved
   * on. An instance that the provider does not know is gone. An order that failed in the end may have been heard at a try
   * whose answer was lost: it counts as given if the machine shows it.
   */
  async #tell(
    name: string,
    act: (provider: Provider) => Promise<Progress>,
    shown: readonly MachineState[],
  ): Promise<Progress | "gone" | "called_off"> {
    try {
      return await this.#call(name, async (provider) => {
        if (!(await this.actor.startAction(this.#parameters.order.actionId))) return "called_off";
        try {
          return await act(provider);
        } catch (error) {
          if (error instanceof ProviderError && error.code === "not_found") return "gone";
          throw error;
        }
      });
    } catch (error) {
      const state = await this.#look(`${name}, look after the failure`).catch(() => null);
      if (state !== null && shown.includes(state)) return "accepted";
      throw error;
    }
  }

  /**
   * Looks until the machine is as wanted, or a result from outside says how it ended. A look that fails says nothing of
   * the order, which was taken: it goes on.
   */
  async #until(
    wanted: "stopped" | "running" | "gone",
  ): Promise<
    | { readonly type: "reached" }
    | { readonly type: "gone" }
    | { readonly type: "failed"; readonly because: string }
  > {
    let state: MachineState = "unknown";
    for (const [index, seconds] of SHORT_WAITS_SECONDS.entries()) {
      state = await this.#look(`look ${index + 1}`).catch(() => "unknown" as const);
      if (state === wanted) return { type: "reached" };
      if (state === "gone") return { type: "gone" };
      const result = await this.#wait(`wait ${index + 1}`, seconds);
      if (result?.outcome === "succeeded") return { type: "reached" };
      if (result?.outcome === "failed")
        return { type: "failed", because: result.because ?? "no reason given" };
    }
    return {
      type: "failed",
      because: `${this.#parameters.provider} still shows it as ${state} after half an hour`,
    };
  }

  /** Sleeps; with a control plane that may answer later, until it does or the time is over. */
  async #wait(name: string, seconds: number): Promise<ActionResult | null> {
    if (this.#parameters.provider !== "webhook") {
      await this.#step.sleep(name, seconds * 1000);
      return null;
    }
    try {
      const { payload } = await this.#step.waitForEvent<ActionResult>(name, {
        type: RESULT_EVENT,
        timeout: seconds * 1000,
      });
      return payload;
    } catch {
      // The time is over.
      return null;
    }
  }

  async #call<T extends Rpc.Serializable<T>>(
    name: string,
    act: (provider: Provider) => Promise<T>,
  ): Promise<T> {
    const { userId, provider: kind } = this.#parameters;
    return this.#step.do(name, CALL, async () => {
      try {
        return await act(await openProvider(this.#env, userId, kind));
      } catch (error) {
        if (error instanceof ProviderError && !error.isPassing) throw new NonRetryableError(error.message);
        throw error;
      }
    });
  }
}

function reasonOf(error: unknown): string {
  // The platform puts the kind of a step's error before its message.
  return (error instanceof Error ? error.message : String(error)).replace(/^(\w*Error: )+/, "");
}
