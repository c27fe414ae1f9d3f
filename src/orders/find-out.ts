import { isShownAs, see } from "./look.ts";
import { type ActionOutcome, failed, succeeded } from "./order.ts";
import type { OrderSteps } from "./steps.ts";

/** Finds out whether a machine still is hibernated. It only looks: `succeeded` means that it is. */
export async function findOut(steps: OrderSteps): Promise<ActionOutcome> {
  const seen = await see(steps, "look at the machine");
  switch (seen.state) {
    case "gone":
      return { type: "gone" };
    case "unknown":
      return failed(seen.because);
    case "shown":
      return isShownAs(seen, "running", "starting") ? { type: "found_running" } : succeeded(steps.kind);
  }
}
