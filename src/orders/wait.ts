import { MINUTE_MS } from "../lifecycle/model/time.ts";
import type { ProviderOrder, Sighting } from "../providers/provider.ts";
import { look } from "./look.ts";
import { type ActionOutcome, type Failed, failed } from "./order.ts";
import { type OrderSteps, reasonOf } from "./steps.ts";

/** Waiting for what an accepted order should bring about. */

const LONGEST_WAIT_MS = 30 * MINUTE_MS;

/** Waits between two looks at a machine that stops, starts or vanishes: half an hour in all. */
export const SHORT_WAITS_SECONDS: readonly number[] = [
  2,
  3,
  5,
  10,
  20,
  ...Array.from({ length: 30 }, () => 60),
];

/** How the steps of a wait are named, and how long it is between two looks, in seconds. */
interface Waiting {
  readonly name: string;
  readonly waits: readonly number[];
}

/** What a sighting means for an accepted order. `contradicted`: not yet, and a result that claims it is not believed. */
export type Verdict = "reached" | "not yet" | "contradicted" | "gone" | Failed;

/** How the wait for an order ended. `undecided`: half an hour had passed, and the machine was shown in this state. */
type End =
  | { readonly type: "reached"; readonly hourlyCost?: number | undefined }
  | { readonly type: "gone" }
  | { readonly type: "undecided"; readonly state: Sighting["state"]; readonly because: string }
  | Failed;

/**
 * Looks until `judge` decides, as often as there are waits: by default for half an hour, or twice that where a look has to wait
 * longer for its turn. A look that fails says nothing about the order, so the next look follows. A result that the control plane reports ends the wait, unless the machine's state contradicts it.
 */
export async function waitUntil(
  steps: OrderSteps,
  order: ProviderOrder,
  judge: (sighting: Sighting) => Verdict,
  { name, waits }: Waiting = { name: order, waits: SHORT_WAITS_SECONDS },
): Promise<End> {
  let claimed = false;
  let state: Sighting["state"] = "unknown";
  let lookedSince: number | null = null;
  for (const [index, seconds] of waits.entries()) {
    const seen = await look(steps, `${name}, look ${index + 1}`).catch(
      (error: unknown): { readonly at: number | null; readonly sighting: Sighting } => ({
        at: null,
        sighting: { state: "unknown", because: reasonOf(error) },
      }),
    );
    const { at, sighting } = seen;
    lookedSince ??= at;
    state = sighting.state;
    const verdict = judge(sighting);
    if (verdict === "reached" || (claimed && verdict === "not yet")) {
      return {
        type: "reached",
        hourlyCost: sighting.state === "stopped" ? sighting.stoppedHourlyCost : undefined,
      };
    }
    if (verdict === "gone") return { type: "gone" };
    if (typeof verdict === "object") return verdict;
    if (at !== null && lookedSince !== null && at - lookedSince >= LONGEST_WAIT_MS) break;
    const result = await steps.waitForResult(order, `${name}, wait ${index + 1}`, seconds);
    if (result?.outcome === "failed") return failed(result.because ?? "no reason given");
    claimed ||= result !== null;
  }
  return {
    type: "undecided",
    state,
    because: `${steps.kind} still shows it as ${state} after half an hour`,
  };
}

/** The outcome of an order whose wait ended without what it waited for. */
export function outcomeOf(end: Exclude<End, { type: "reached" }>): ActionOutcome {
  return end.type === "undecided" ? failed(end.because) : end;
}
