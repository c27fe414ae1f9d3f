import { comingBackOf } from "../lifecycle/model/coming-back.ts";
import { cancelStart, handOver, Refused, stands } from "./hand-over.ts";
import { judgeStop } from "./hibernate.ts";
import { isShownAs, see } from "./look.ts";
import { type ActionOutcome, type Failed, failed, succeeded } from "./order.ts";
import { isFailedStart, judgeStart } from "./start.ts";
import { type OrderSteps, reasonOf } from "./steps.ts";
import { outcomeOf, waitUntil } from "./wait.ts";

/** Starts the machine and waits until it runs with its GPUs. A start that failed is cancelled. */
export async function wake(steps: OrderSteps): Promise<ActionOutcome | null> {
  if (!(await stands(steps, "ask before acting", null))) return null;
  const outcome = await start(steps).catch(
    (error: unknown): Failed => ({ ...failed(reasonOf(error)), isRefused: error instanceof Refused }),
  );
  return outcome?.type === "failed" ? cancel(steps, outcome) : outcome;
}

async function start(steps: OrderSteps): Promise<ActionOutcome | null> {
  const { kind: provider } = steps;
  const answer = await handOver(
    steps,
    "wake",
    ["order"],
    (each, target) => each.wake(target),
    (seen) => isShownAs(seen, "starting", "running"),
  );
  if (answer === "called_off") return null;
  if (answer === "gone") return { type: "gone" };
  if (answer === "done") return succeeded(`${provider} at once`);
  const formerGpus = formerGpusOf(steps);
  const end = await waitUntil(steps, "wake", (sighting) => judgeStart(sighting, formerGpus));
  // Nobody can say how this start ended. The machine may run, so it must be watched rather than taken for asleep.
  const mayRun = end.type === "undecided" && end.state === "unknown";
  return end.type === "reached" || mayRun ? succeeded(provider) : outcomeOf(end);
}

/** Waits between two looks at a machine whose start was cancelled, in seconds: ten minutes in all. */
const CANCEL_WAITS_SECONDS: readonly number[] = [2, 3, 5, 10, 20, ...Array.from({ length: 10 }, () => 60)];

/**
 * Cancels the start, because one that is queued, or that came without its GPUs, would cost money some day, and looks until the
 * machine is stopped. One of which nobody can say how it stands is left alone: that proves no failure. The wake has failed for
 * good only once it is proven that nothing starts any more; else its instance goes on with that. Null: it was called off.
 */
async function cancel(steps: OrderSteps, failure: Failed): Promise<ActionOutcome | null> {
  const { because } = failure;
  const formerGpus = formerGpusOf(steps);
  const unsure = (notCancelled: string): Failed => ({ ...failure, notCancelled });
  try {
    const cancelled = await cancelStart(steps, "cancel", (sighting) => isFailedStart(sighting, formerGpus));
    switch (cancelled) {
      case "called_off":
        return null;
      case "done":
        return failed(`${because}; the start was cancelled`);
      case "cancelled":
        break;
      case "left": {
        const seen = await see(steps, "look after the failure");
        if (seen.state === "gone") return { type: "gone" };
        // It came through while it was given up.
        if (isShownAs(seen, "running")) return succeeded(steps.kind);
        return unsure(
          seen.state === "unknown" ? `nobody can say how it is (${seen.because})` : "it was not cancelled",
        );
      }
    }
    const end = await waitUntil(steps, "hibernate", judgeStop, {
      name: "cancel",
      waits: CANCEL_WAITS_SECONDS,
    });
    switch (end.type) {
      case "reached":
        return { ...failed(`${because}; the start was cancelled`), hourlyCost: end.hourlyCost };
      case "gone":
        return { type: "gone" };
      case "undecided":
        return unsure(`${steps.kind} still shows it as ${end.state} after it was told to stop it`);
      case "failed":
        return unsure(end.because);
    }
  } catch (error) {
    return unsure(`it could not be cancelled either (${reasonOf(error)})`);
  }
}

/**
 * How many GPUs the machine must come back with: as many as it had when it was last seen running. Null when nobody knows, and where
 * no start comes without some of them: there its owner has changed the machine, as after a failed wake.
 */
function formerGpusOf({ kind, parameters }: OrderSteps): number | null {
  const { startWithoutGpu } = comingBackOf(kind);
  const mayComeWithout = startWithoutGpu === null || startWithoutGpu === "comes without";
  return mayComeWithout ? (parameters.order.sighted?.gpus ?? null) : null;
}
