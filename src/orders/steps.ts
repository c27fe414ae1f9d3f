import type { WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { kindOf, type ProviderKind } from "../lifecycle/model/provider.ts";
import { actorOf } from "../platform/address.ts";
import { type LogIds, logInfo } from "../platform/log.ts";
import { sleep } from "../platform/sleep.ts";
import type { CallUse, LaneCall } from "../providers/pace.ts";
import { type Provider, ProviderError, type ProviderOrder, type Target } from "../providers/provider.ts";
import { openProvider } from "../providers/registry.ts";
import { askForTurn, noteLimited } from "./lane.ts";
import { type ActionParameters, type ActionResult, resultEvent } from "./order.ts";

/** Waits between the six tries of a call to a provider: about five minutes in all. */
const RETRY_DELAYS_SECONDS = [10, 20, 40, 80, 160];

/** However long a provider asks to be left alone: an order has a deadline. */
const LONGEST_RETRY_DELAY_SECONDS = 160;

/**
 * Of the platform's retries: those of tries that failed, and those by which a call waits for its turn. The platform keeps their
 * count, and sleeps in between as it does in a step of its own. So a call has one step, and one name, whether it waits or not.
 */
const MOST_RETRIES = 100;

const TOO_MANY_CALLS = "takes only so many calls at a time, and many are waiting";

/** Calls to our own actor. It is always there, but may be moving. */
const ACTOR_CALL = {
  retries: { limit: 20, delay: "5 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/**
 * The kinds of step that the workflow of an order is made of, bound to its machine. A step is kept once it is done. Its
 * name is unique within the workflow, and must not change: workflows that are under way know their steps by name.
 */
export class OrderSteps {
  readonly env: Env;
  readonly parameters: ActionParameters;
  readonly #target: Target;
  readonly #step: WorkflowStep;
  /** How the log names the order. */
  readonly ids: LogIds;

  constructor(env: Env, parameters: ActionParameters, workflowId: string, step: WorkflowStep) {
    this.env = env;
    this.parameters = parameters;
    this.#step = step;
    this.ids = orderIds(parameters, workflowId);
    this.#target = {
      ref: parameters.providerRef,
      instanceId: parameters.instanceId,
      actionId: workflowId,
    };
  }

  /** The kind of its provider, as messages name it. */
  get kind(): ProviderKind {
    return kindOf(this.parameters.provider);
  }

  get actor() {
    const { userId, instanceId } = this.parameters;
    return actorOf(this.env, userId, instanceId);
  }

  /**
   * Calls the provider as one step, in its turn in the lane of its connection. It is retried only where that may help, and not
   * before the provider asks for. A call that waits for its turn, or was too much for its provider, has not failed.
   */
  async callProvider<T extends Rpc.Serializable<T>>(
    name: string,
    uses: readonly CallUse[],
    act: (provider: Provider, target: Target, credentialsSetAt: number) => Promise<T>,
    {
      isUrgent = this.parameters.order.kind === "force_hibernate",
      refused,
    }: {
      readonly isUrgent?: boolean;
      /** What to answer where a try is refused for good, in place of an error. */
      readonly refused?: (because: string) => T;
    } = {},
  ): Promise<T> {
    const { userId, provider: connection } = this.parameters;
    const call = { connection, uses, id: `${this.#target.actionId}/${name}`, isUrgent };
    let delayMs: number | null = null;
    const retries = {
      limit: MOST_RETRIES,
      delay: ({ ctx }: { ctx: { attempt: number } }) => delayMs ?? retryDelayMs(ctx.attempt, 0),
      // Else the platform would double each of these delays once more.
      backoff: "constant",
    } as const;
    return this.#step.do(name, { retries, timeout: "1 minute" }, async ({ attempt }) => {
      delayMs = null;
      const turn = await askForTurn(this.env, userId, call);
      const fields = { ...this.ids, provider: connection, step: name };
      if (turn.type !== "go") {
        if (turn.type === "given up") throw new NonRetryableError(`${this.kind} ${TOO_MANY_CALLS}`);
        delayMs = turn.afterMs;
        logInfo("waits for its turn", { ...fields, wait_ms: delayMs });
        throw new Error(`${this.kind} ${TOO_MANY_CALLS}`);
      }
      const failuresBefore = Math.max(0, attempt - 1 - turn.waits);
      await sleep(turn.afterMs);
      const begun = Date.now();
      const measured = () => ({ ...fields, attempt: failuresBefore + 1, duration_ms: Date.now() - begun });
      try {
        const { provider, credentialsSetAt } = await openProvider(this.env, userId, connection);
        const answer = await act(provider, this.#target, credentialsSetAt);
        logInfo("provider answered", { ...measured(), answer: wordOf(answer) });
        return answer;
      } catch (error) {
        logInfo("provider failed", measured(), error);
        if (error instanceof ProviderError) {
          if (!error.isPassing) {
            if (refused !== undefined) return refused(error.message);
            throw new NonRetryableError(error.message);
          }
          delayMs = await this.#waitAfterLimit(call, error);
          if (delayMs !== null) throw error;
        }
        if (failuresBefore >= RETRY_DELAYS_SECONDS.length) throw new NonRetryableError(reasonOf(error));
        const askedForSeconds = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) : 0;
        delayMs = retryDelayMs(failuresBefore + 1, askedForSeconds);
        throw error;
      }
    });
  }

  /** How long a call waits that was too much for its provider; null when this counts as a failure. */
  async #waitAfterLimit(call: LaneCall, { code, retryAfterSeconds }: ProviderError): Promise<number | null> {
    if (code !== "rate_limited") return null;
    const noted = await noteLimited(this.env, this.parameters.userId, call, retryAfterSeconds);
    return noted === null || noted.isFailure ? null : noted.afterMs;
  }

  async tellActor<T extends Rpc.Serializable<T>>(
    name: string,
    tell: (actor: ReturnType<typeof actorOf>) => Promise<T>,
  ): Promise<T> {
    return this.#step.do(name, ACTOR_CALL, () => tell(this.actor));
  }

  async sleep(name: string, ms: number): Promise<void> {
    await this.#step.sleep(name, ms);
  }

  /**
   * Sleeps for this long. A control plane, which may report a result by itself, ends the sleep with it; null when nobody
   * has reported anything.
   */
  async waitForResult(order: ProviderOrder, name: string, seconds: number): Promise<ActionResult | null> {
    if (this.kind !== "webhook") {
      await this.sleep(name, seconds * 1000);
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

/** The ids by which the log names an order, from its request to each call of its provider. */
export function orderIds({ userId, instanceId, order }: ActionParameters, workflowId: string): LogIds {
  return {
    request_id: order.requestId,
    user_id: userId,
    instance_id: instanceId,
    order_id: order.actionId,
    workflow_id: workflowId,
  };
}

/** What a provider answered, in a word; the state of a machine, if it is a sighting. */
function wordOf(answer: unknown): string | undefined {
  if (typeof answer === "string") return answer;
  if (typeof answer !== "object" || answer === null) return undefined;
  if ("sighting" in answer) return wordOf(answer.sighting);
  return "state" in answer && typeof answer.state === "string" ? answer.state : undefined;
}

function retryDelayMs(attempt: number, askedForSeconds: number): number {
  const own = RETRY_DELAYS_SECONDS[attempt - 1] ?? LONGEST_RETRY_DELAY_SECONDS;
  return Math.max(own, Math.min(askedForSeconds, LONGEST_RETRY_DELAY_SECONDS)) * 1000;
}

/** The message of a step's error, without the class names that the platform puts in front of it. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^(\w*Error: )+/, "");
}
