import type { Sighting } from "../providers/provider.ts";
import { handOver, stands } from "./hand-over.ts";
import { isShownAs, type Seen, see, sightedIn } from "./look.ts";
import { type ActionOutcome, type ActionParameters, type Failed, failed, succeeded } from "./order.ts";
import { type OrderSteps, reasonOf } from "./steps.ts";
import { outcomeOf, type Verdict, waitUntil } from "./wait.ts";

type Order = ActionParameters["order"];
type Kind = "hibernate" | "force_hibernate";

/** Looks, asks whether the order stands, stops the machine, and waits until it is stopped. */
export async function hibernate(steps: OrderSteps, kind: Kind): Promise<ActionOutcome | null> {
  const { kind: provider } = steps;
  const { order } = steps.parameters;
  const before = await see(steps, "look at the machine").catch(
    (error: unknown): Seen => ({ state: "unknown", because: reasonOf(error) }),
  );
  if (!(await stands(steps, "ask before acting", sightedIn(before)))) return null;
  const obstacle = order.reason === "silence" ? obstacleOfSilence(before, order, kind) : obstacleOf(before);
  if (obstacle !== null) return obstacle;
  if (order.reason === "silence" && isShownAs(before, "stopped")) {
    return succeeded(`${provider}: it was stopped already, nothing was done`, costIn(before));
  }
  const answer = await handOver(
    steps,
    "hibernate",
    ["order"],
    (each, target) => (kind === "hibernate" ? each.hibernate(target) : each.forceHibernate(target)),
    (seen) => isShownAs(seen, "stopping", "stopped"),
  );
  if (answer === "called_off") return null;
  if (answer === "gone") return { type: "gone" };
  const evidence = before.state === "shown" ? ` (before: ${before.shown.state})` : "";
  if (answer === "done") return succeeded(`${provider} at once${evidence}`);
  const end = await waitUntil(steps, kind, judgeStop);
  return end.type === "reached" ? succeeded(`${provider}${evidence}`, end) : outcomeOf(end);
}

/** Why an instance that is heard must not be stopped. It may be stopped although its provider does not know its state. */
function obstacleOf(before: Seen): Failed | null {
  return before.state === "shown" && before.shown.obstacle !== null ? failed(before.shown.obstacle) : null;
}

/** Why a silent instance must not be stopped. Here the machine's state must be known. */
function obstacleOfSilence(before: Seen, { neverHeard }: Order, kind: Kind): ActionOutcome | null {
  switch (before.state) {
    case "gone":
      return { type: "gone" };
    case "unknown":
      return failed(`nothing was done, because it is not known how the machine is: ${before.because}`);
    case "shown":
      if (neverHeard === true && !isShownAs(before, "running", "stopped")) {
        return failed(`nothing was done, because it was never heard, and is shown as ${before.shown.state}`);
      }
      return before.shown.state === "starting" && kind === "hibernate"
        ? failed("nothing was done, because it is just being started")
        : obstacleOf(before);
  }
}

function costIn(seen: Seen): { readonly hourlyCost?: number | undefined } {
  return seen.state === "shown" ? { hourlyCost: seen.shown.stoppedHourlyCost } : {};
}

export function judgeStop({ state }: Sighting): Verdict {
  switch (state) {
    case "stopped":
      return "reached";
    case "terminated":
      return "gone";
    case "running":
    case "starting":
      return "contradicted";
    case "stopping":
    case "missing":
    case "unknown":
      return "not yet";
  }
}
