import { NonRetryableError } from "cloudflare:workflows";
import type { Sighted } from "../lifecycle/model/effects.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { calledMachine } from "../providers/machines.ts";
import type { CallUse } from "../providers/pace.ts";
import type { Progress, Provider, Sighting, Target } from "../providers/provider.ts";
import { type Seen, see } from "./look.ts";
import type { ActionParameters } from "./order.ts";
import type { OrderSteps } from "./steps.ts";

/** Handing an order over to its provider. Until the provider has accepted it, the actor may call it off. */

/** Asks the actor whether the order still stands, and tells it what was seen of the machine. */
export async function stands(steps: OrderSteps, name: string, sighted: Sighted | null): Promise<boolean> {
  return steps.tellActor(name, (actor) => actor.checkOrder(steps.parameters.order.actionId, sighted));
}

/**
 * Gives the order to the provider.
 * - Before each try the actor is asked whether the order stands: minutes may pass between two tries.
 * - A try that failed leaves the order as if it had not been given.
 * - When all tries have failed, the provider may still have heard one whose answer was lost: the order counts as given
 *   if `isShown` sees its effect.
 * - `look` may find that the order must not be given, and say so by a word of its own. It comes before the actor is asked: so
 *   a sign of life during it calls the order off.
 * - Throws `Refused` where the last try was refused for good: then the provider has done nothing for that one.
 */
export async function handOver<Word extends string = never>(
  steps: OrderSteps,
  name: string,
  uses: readonly CallUse[],
  act: (provider: Provider, target: Target) => Promise<Progress>,
  isShown: (seen: Seen) => boolean,
  look: (provider: Provider, target: Target) => Promise<Word | null> = async () => null,
): Promise<Progress | Word | "gone" | "called_off"> {
  const { actionId } = steps.parameters.order;
  const answer = await tryUntilTaken(steps, name, uses, act, look).catch(async (error: unknown) => {
    const seen = await see(steps, `${name}, look after the failure`).catch(() => null);
    if (seen !== null && isShown(seen)) return "accepted" as const;
    if (seen?.state === "gone") return "gone" as const;
    throw error;
  });
  if (answer === "accepted" || answer === "done") {
    await steps.tellActor(`${name}, note that it was taken`, (actor) => actor.acceptOrder(actionId));
  }
  return answer;
}

/** The provider has refused a try for good. It may have taken one before it. */
export class Refused extends Error {}

async function tryUntilTaken<Word extends string>(
  steps: OrderSteps,
  name: string,
  uses: readonly CallUse[],
  act: (provider: Provider, target: Target) => Promise<Progress>,
  look: (provider: Provider, target: Target) => Promise<Word | null>,
): Promise<Progress | Word | "called_off"> {
  const { actionId } = steps.parameters.order;
  const answer = await steps.callProvider<Progress | Word | "called_off" | { readonly refused: string }>(
    `${name}, try`,
    uses,
    async (provider, target) => {
      const found = await look(provider, target);
      if (found !== null) return found;
      await demandToWatch(steps.env, steps.parameters);
      if (!(await steps.actor.tryOrder(actionId))) return "called_off";
      try {
        return await act(provider, target);
      } catch (error) {
        // If even this is not heard, the next question to the actor ends the try.
        await steps.actor.refuseOrder(actionId).catch(() => {});
        throw error;
      }
    },
    { refused: (refused) => ({ refused }) },
  );
  if (typeof answer === "object") throw new Refused(answer.refused);
  return answer;
}

/**
 * Cancels a start that has failed, as `isFailedStart` sees it. `left`: it does not see that. The actor is asked right before
 * each try whether the order stands: the machine may have been heard while it was looked at. What was `cancelled` is to be looked
 * at; `done`: it is stopped.
 */
export async function cancelStart(
  steps: OrderSteps,
  name: string,
  isFailedStart: (sighting: Sighting) => boolean,
): Promise<"cancelled" | "done" | "called_off" | "left"> {
  const { actionId } = steps.parameters.order;
  const cancelIt = async (provider: Provider, target: Target) => {
    const sighting = await provider.status(target);
    await demandToWatch(steps.env, steps.parameters);
    if (!(await steps.actor.checkOrder(actionId, null))) return "called_off";
    if (!isFailedStart(sighting)) return "left";
    return (await provider.hibernate(target)) === "done" ? "done" : "cancelled";
  };
  // A start that comes through costs money.
  return steps.callProvider(name, ["look", "order"], cancelIt, { isUrgent: true });
}

/** Another instance watches the machine, and looks after it. */
export class AnotherWatches extends NonRetryableError {
  constructor(holder: string) {
    super(`this machine is watched as ${holder}: remove one of the two`);
  }
}

/**
 * Only the instance that watches the machine may give it orders: another one may hear it while this one does not. And nothing
 * is ordered for a user who is suspended, whatever the instance knows of that.
 */
export async function demandToWatch(
  env: Pick<Env, "FLEETS">,
  { userId, instanceId, provider, providerRef }: Omit<ActionParameters, "order">,
): Promise<void> {
  const fleet = fleetOf(env, userId);
  // Before there was a suspension nobody was suspended.
  if (await answerOr(fleet.isSuspended(), false))
    throw new NonRetryableError("the operator suspended the account");
  const machine = calledMachine({ provider, ref: providerRef });
  const holder = machine && (await fleet.holderOf(machine));
  if (holder === instanceId) return;
  if (holder === null) throw new NonRetryableError("it is not known who watches this machine");
  throw new AnotherWatches(holder);
}
