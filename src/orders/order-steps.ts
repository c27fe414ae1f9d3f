import type { WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import type { Sighted } from "../lifecycle/model/effects.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { actorOf } from "../platform/address.ts";
import { holderOf } from "../providers/machines.ts";
import {
  type Progress,
  type Provider,
  ProviderError,
  type ProviderOrder,
  type Shown,
  type Sighting,
  type Target,
} from "../providers/provider.ts";
import { credentialsSetAt, openProvider } from "../providers/registry.ts";
import { type ActionParameters, type ActionResult, type Failed, resultEvent } from "./order.ts";

/** The steps that the workflow of an order is made of. Each is kept once it is done; names are unique within a workflow. */

/** A call to a provider: five more tries within about five minutes. */
const CALL = {
  retries: { limit: 5, delay: "10 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/** A call to our own actor: it is there, but may be moving. */
export const TELL = {
  retries: { limit: 20, delay: "5 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/** Waits between two looks at a machine that stops, starts or vanishes: half an hour in all. */
const SHORT_WAITS_SECONDS = [2, 3, 5, 10, 20, ...Array.from({ length: 30 }, () => 60)];

/** Waits between two looks at a snapshot: twelve hours in all. */
const LONG_WAITS_SECONDS = [...SHORT_WAITS_SECONDS, ...Array.from({ length: 138 }, () => 300)];

/** A machine that is not shown is looked for once more after so long: eventual consistency has settled by then. */
const SECOND_LOOK_MS = 5 * MINUTE_MS;

/** What is known of a machine, once all that can be done to know has been done. `gone` is proven. */
export type Seen =
  | { readonly state: "shown"; readonly shown: Shown; readonly sighted: Sighted }
  | { readonly state: "gone" }
  | { readonly state: "unknown"; readonly because: string };

/** What a look means for an order that was accepted. `contradicted`: not yet, and a result that claims it is not believed. */
type Verdict = "reached" | "not yet" | "contradicted" | "gone" | Failed;

interface Look {
  readonly at: number;
  readonly sighting: Sighting;
  /** When the credentials were set that were used. */
  readonly credentialsSetAt: number;
}

/** The steps of one order, bound to its machine and its workflow. */
/** How the wait for an order ended; `undecided`: half an hour was over, and the machine was shown as this. */
export type End =
  | { readonly type: "reached" }
  | { readonly type: "gone" }
  | { readonly type: "undecided"; readonly state: Sighting["state"]; readonly because: string }
  | Failed;

export class OrderSteps {
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

  /** Asks the actor whether the order still stands, and tells it what was seen of the machine. */
  async stands(name: string, sighted: Sighted | null): Promise<boolean> {
    return this.#step.do(name, TELL, () => this.actor.checkOrder(this.#parameters.order.actionId, sighted));
  }

  /**
   * Looks at the machine. One that is missing is looked for once more, and is gone only if these very credentials have
   * shown it before: another region, team or key looks the same.
   */
  async see(name: string): Promise<Seen> {
    const first = await this.#look(name);
    if (first.sighting.state !== "missing") return seenIn(first);
    await this.#step.sleep(`${name}, wait`, SECOND_LOOK_MS);
    const second = await this.#look(`${name}, again`);
    if (second.sighting.state !== "missing") return seenIn(second);
    const { provider, order } = this.#parameters;
    if (order.sighted?.credentialsSetAt === second.credentialsSetAt) return { state: "gone" };
    return {
      state: "unknown",
      because: `${provider} does not show it, and never has with these credentials: it may be elsewhere (region, team, key)`,
    };
  }

  /**
   * Gives the order, unless it does not stand any more: minutes may lie between two tries, and the actor may have moved
   * on. A try that failed leaves the order as if it had not been given. One that failed in the end may have been heard at a
   * try whose answer was lost: it counts as given if the machine shows it. `act` may also find that the order must not be
   * given, and say so by a word of its own.
   */
  async tell<Refused extends string = never>(
    name: string,
    act: (provider: Provider, target: Target) => Promise<Progress | Refused>,
    isShown: (seen: Seen) => boolean,
  ): Promise<Progress | Refused | "gone" | "called_off"> {
    const { actionId } = this.#parameters.order;
    const told = await this.#tryUntilTaken(name, act).catch(async (error: unknown) => {
      const seen = await this.see(`${name}, look after the failure`).catch(() => null);
      if (seen !== null && isShown(seen)) return "accepted" as const;
      if (seen?.state === "gone") return "gone" as const;
      throw error;
    });
    if (told === "accepted" || told === "done") {
      await this.#step.do(`${name}, note that it was taken`, TELL, () => this.actor.acceptOrder(actionId));
    }
    return told;
  }

  async #tryUntilTaken<Refused extends string>(
    name: string,
    act: (provider: Provider, target: Target) => Promise<Progress | Refused>,
  ): Promise<Progress | Refused | "called_off"> {
    const { actionId } = this.#parameters.order;
    return this.call<Progress | Refused | "called_off">(`${name}, try`, async (provider) => {
      await this.#demandToWatch();
      if (!(await this.actor.tryOrder(actionId))) return "called_off";
      try {
        return await act(provider, this.#target);
      } catch (error) {
        // If even this is not heard, the next question to the actor ends the try.
        await this.actor.refuseOrder(actionId).catch(() => {});
        throw error;
      }
    });
  }

  /** Takes a start back that `isFailedStart` sees to have failed, unless the order does not stand any more: it may have come through between two tries. */
  async cancelStart(
    name: string,
    isFailedStart: (sighting: Sighting) => boolean,
  ): Promise<"cancelled" | "called_off" | "left"> {
    const { actionId } = this.#parameters.order;
    return this.call(name, async (provider, target) => {
      await this.#demandToWatch();
      if (!(await this.actor.checkOrder(actionId, null))) return "called_off";
      if (!isFailedStart(await provider.status(target))) return "left";
      await provider.hibernate(target);
      return "cancelled";
    });
  }

  /** A machine that another instance watches is heard there, whatever is heard here. */
  async #demandToWatch(): Promise<void> {
    const { userId, instanceId, provider, providerRef } = this.#parameters;
    const holder = await holderOf(this.#env.DB, userId, { provider, ref: providerRef });
    if (holder === instanceId) return;
    throw new NonRetryableError(
      holder === null
        ? "it is not known who watches this machine"
        : `this machine is watched as ${holder}: remove one of the two`,
    );
  }

  /**
   * Looks until `judge` has decided, half an hour at most. A look that fails says nothing about the order, which was
   * accepted, so the next look follows. A result from outside ends it, unless the status contradicts that result.
   */
  async until(order: ProviderOrder, judge: (sighting: Sighting) => Verdict): Promise<End> {
    let claimed = false;
    let state: Sighting["state"] = "unknown";
    for (const [index, seconds] of SHORT_WAITS_SECONDS.entries()) {
      const sighting = await this.#look(`${order}, look ${index + 1}`).then(
        (look) => look.sighting,
        (error: unknown): Sighting => ({ state: "unknown", because: reasonOf(error) }),
      );
      state = sighting.state;
      const verdict = judge(sighting);
      if (verdict === "reached" || (claimed && verdict === "not yet")) return { type: "reached" };
      if (verdict === "gone") return { type: "gone" };
      if (typeof verdict === "object") return verdict;
      const result = await this.#wait(order, `${order}, wait ${index + 1}`, seconds);
      if (result?.outcome === "failed")
        return { type: "failed", because: result.because ?? "no reason given" };
      claimed ||= result !== null;
    }
    return {
      type: "undecided",
      state,
      because: `${this.#parameters.provider} still shows it as ${state} after half an hour`,
    };
  }

  /** Takes a snapshot and waits for it, twelve hours at most. */
  async snapshot(): Promise<{ readonly type: "taken"; readonly snapshotId: string } | Failed> {
    const failed = (because: string): Failed => ({
      type: "failed",
      because: `the snapshot failed: ${because}`,
    });
    try {
      const begun = await this.call("snapshot", (provider) => provider.snapshot(this.#target));
      let { snapshotId } = begun;
      if (begun.done && snapshotId !== null) return { type: "taken", snapshotId };
      for (const [index, seconds] of LONG_WAITS_SECONDS.entries()) {
        const result = await this.#wait("snapshot", `snapshot, wait ${index + 1}`, seconds);
        if (result?.outcome === "failed") return failed(result.because ?? "no reason given");
        snapshotId = result?.snapshotId ?? snapshotId;
        if (snapshotId === null) continue;
        // A result from outside says that it is done; else the provider is asked.
        if (result !== null) return { type: "taken", snapshotId };
        const known = snapshotId;
        const state = await this.call(`snapshot, look ${index + 1}`, (provider) =>
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

  /** Calls the provider as one step, which is tried again only where that may help. */
  async call<T extends Rpc.Serializable<T>>(
    name: string,
    act: (provider: Provider, target: Target) => Promise<T>,
  ): Promise<T> {
    const { userId, provider: kind } = this.#parameters;
    return this.#step.do(name, CALL, async () => {
      try {
        return await act(await openProvider(this.#env, userId, kind), this.#target);
      } catch (error) {
        if (error instanceof ProviderError && !error.isPassing) throw new NonRetryableError(error.message);
        throw error;
      }
    });
  }

  async #look(name: string): Promise<Look> {
    const { userId, provider: kind } = this.#parameters;
    return this.call(name, async (provider, target) => ({
      // Read first: of credentials that change meanwhile the former are noted, and prove nothing later.
      credentialsSetAt: (await credentialsSetAt(this.#env.DB, userId, kind)) ?? 0,
      sighting: await provider.status(target),
      at: Date.now(),
    }));
  }

  /** Sleeps; with a control plane that may answer later, until it does or the time is over. */
  async #wait(order: ProviderOrder, name: string, seconds: number): Promise<ActionResult | null> {
    if (this.#parameters.provider !== "webhook") {
      await this.#step.sleep(name, seconds * 1000);
      return null;
    }
    try {
      const { payload } = await this.#step.waitForEvent<ActionResult>(name, {
        type: resultEvent(order),
        timeout: seconds * 1000,
      });
      return payload;
    } catch {
      // The time is over.
      return null;
    }
  }
}

function seenIn({ at, sighting, credentialsSetAt }: Look): Seen {
  switch (sighting.state) {
    case "running":
    case "starting":
    case "stopping":
    case "stopped":
      return {
        state: "shown",
        shown: sighting,
        sighted: { at, credentialsSetAt, gpus: sighting.state === "running" ? sighting.gpus : null },
      };
    case "terminated":
      return { state: "gone" };
    case "missing":
      return { state: "unknown", because: "it is not shown" };
    case "unknown":
      return sighting;
  }
}

/** What the platform puts before the message of a step's error is dropped. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^(\w*Error: )+/, "");
}
