import type { ProviderOrder, Sighting } from "../providers/provider.ts";
import { look } from "./look.ts";
import { type ActionOutcome, type Failed, failed } from "./order.ts";
import { type OrderSteps, reasonOf } from "./steps.ts";

/** Waiting for what an accepted order should bring about. */

/** Waits between two looks at a machine that stops, starts or vanishes: half an hour in all. */
export const SHORT_WAITS_SECONDS: readonly number[] = [
  2,
  3,
  5,
  10,
  20,
  ...Array.from({ length: 30 }, () => 60),
];

/** What a sighting means for an accepted order. `contradicted`: not yet, and a result that claims it is not believed. */
export type Verdict = "reached" | "not yet" | "contradicted" | "gone" | Failed;

/** How the wait for an order ended. `undecided`: half an hour had passed, and the machine was shown in this state. */
type End =
  | { readonly type: "reached" }
  | { readonly type: "gone" }
  | { readonly type: "undecided"; readonly state: Sighting["state"]; readonly because: string }
  | Failed;

/**
 * Looks until `judge` decides, for half an hour at most. A look that fails says nothing about the order, so the next look
 * follows. A result that the control plane reports ends the wait, unless the machine's state contradicts it.
 */
export async function waitUntil(
  steps: OrderSteps,
  order: ProviderOrder,
  judge: (sighting: Sighting) => Verdict,
): Promise<End> {
  let claimed = false;
  let state: Sighting["state"] = "unknown";
  for (const [index, seconds] of SHORT_WAITS_SECONDS.entries()) {
    const sighting = await look(steps, `${order}, look ${index + 1}`).then(
      (each) => each.sighting,
      (error: unknown): Sighting => ({ state: "unknown", because: reasonOf(error) }),
    );
    state = sighting.state;
    const verdict = judge(sighting);
    if (verdict === "reached" || (claimed && verdict === "not yet")) return { type: "reached" };
    if (verdict === "gone") return { type: "gone" };
    if (typeof verdict === "object") return verdict;
    const result = await steps.waitForResult(order, `${order}, wait ${index + 1}`, seconds);
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
