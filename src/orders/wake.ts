import type { Sighting } from "../providers/provider.ts";
import { cancelStart, handOver, stands } from "./hand-over.ts";
import { isShownAs } from "./look.ts";
import { type ActionOutcome, failed, succeeded } from "./order.ts";
import { type OrderSteps, reasonOf } from "./steps.ts";
import { outcomeOf, type Verdict, waitUntil } from "./wait.ts";

/** Starts the machine and waits until it runs with its GPUs. A start that failed is cancelled. */
export async function wake(steps: OrderSteps): Promise<ActionOutcome | null> {
  if (!(await stands(steps, "ask before acting", null))) return null;
  const outcome = await start(steps).catch((error: unknown) => failed(reasonOf(error)));
  if (outcome?.type !== "failed") return outcome;
  const aftermath = await cancel(steps);
  return aftermath === null ? null : failed(`${outcome.because}; ${aftermath}`);
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

/**
 * Cancels the start, because one that is queued, or that came without its GPUs, would cost money some day. One of which
 * nobody can say how it stands is left alone: that proves no failure. Answers with what became of it, in words; null when
 * the order was called off.
 */
async function cancel(steps: OrderSteps): Promise<string | null> {
  const formerGpus = formerGpusOf(steps);
  try {
    const cancelled = await cancelStart(steps, "cancel", (sighting) => isFailedStart(sighting, formerGpus));
    switch (cancelled) {
      case "called_off":
        return null;
      case "cancelled":
        return "the start was cancelled";
      case "left":
        return "it may still start: look after it";
    }
  } catch (error) {
    return `it could not be cancelled either (${reasonOf(error)}): look after it`;
  }
}

function isFailedStart(sighting: Sighting, formerGpus: number | null): boolean {
  const verdict = judgeStart(sighting, formerGpus);
  return typeof verdict === "object" || sighting.state === "starting" || verdict === "contradicted";
}

function judgeStart(sighting: Sighting, formerGpus: number | null): Verdict {
  switch (sighting.state) {
    case "running": {
      const { gpus } = sighting;
      return gpus !== null && formerGpus !== null && gpus < formerGpus
        ? failed(`it started with ${gpus} GPUs in place of ${formerGpus}`)
        : "reached";
    }
    case "terminated":
      return "gone";
    case "stopped":
    case "stopping":
      return "contradicted";
    case "starting":
    case "missing":
    case "unknown":
      return "not yet";
  }
}

/** How many GPUs the machine had when it was last seen running; null when nobody knows. */
function formerGpusOf({ parameters }: OrderSteps): number | null {
  return parameters.order.sighted?.gpus ?? null;
}
