import type { Sighting } from "../providers/provider.ts";
import { handOver, stands } from "./hand-over.ts";
import { isShownAs, see, sightedIn } from "./look.ts";
import { type ActionOutcome, type ActionParameters, failed, succeeded } from "./order.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { OrderSteps } from "./steps.ts";
import { outcomeOf, type Verdict, waitUntil } from "./wait.ts";

/** Takes a snapshot where one is asked for, deletes the machine, and waits until it is gone. Looks before each of these. */
export async function deleteMachine(steps: OrderSteps): Promise<ActionOutcome | null> {
  const { order } = steps.parameters;
  const before = await mayBeDeleted(steps, "look at the machine");
  if (before !== "yes") return before;
  let snapshotId: string | null = null;
  if (order.snapshotFirst) {
    const snapshot = await takeSnapshot(steps);
    if (snapshot.type === "failed") return snapshot;
    snapshotId = snapshot.snapshotId;
    // It may have taken hours. A heartbeat meanwhile calls the deletion off, and so does a start by hand.
    const after = await mayBeDeleted(steps, "look after the snapshot");
    if (after !== "yes") return after;
  }
  const answer = await handOver(
    steps,
    "delete",
    ["look", "delete"],
    (each, target) => each.delete(target),
    (seen) => seen.state === "gone",
    async (each, target) => {
      // Minutes may pass between two tries, and somebody may start it meanwhile.
      const { state } = await each.status(target);
      return isUsed(order, state) ? "found_running" : null;
    },
  );
  if (answer === "called_off") return null;
  if (answer === "found_running") return { type: "found_running" };
  if (answer === "accepted") {
    const end = await waitUntil(steps, "delete", judgeDelete);
    if (end.type === "failed" || end.type === "undecided") return outcomeOf(end);
  }
  return succeeded(steps.kind, { snapshotId });
}

/** `yes`, or how the order ends instead. A machine that somebody uses, or whose state is unknown, is not deleted. */
async function mayBeDeleted(steps: OrderSteps, name: string): Promise<"yes" | ActionOutcome | null> {
  const seen = await see(steps, name);
  if (!(await stands(steps, `${name}, ask`, sightedIn(seen)))) return null;
  switch (seen.state) {
    case "gone":
      return { type: "gone" };
    case "unknown":
      return failed(`it is not known how the machine is: ${seen.because}`);
    case "shown":
      if (isUsed(steps.parameters.order, seen.shown.state)) return { type: "found_running" };
      return isShownAs(seen, "starting") ? failed("it is just being started") : "yes";
  }
}

/**
 * Whether somebody has started a machine that counts as hibernated. An order of the former code does not say whether it
 * does: then any machine that runs is in use.
 */
function isUsed({ isHibernated }: ActionParameters["order"], state: Sighting["state"]): boolean {
  return isHibernated !== false && (state === "running" || state === "starting");
}

function judgeDelete({ state }: Sighting): Verdict {
  switch (state) {
    // The delete was accepted, so a machine that is no longer shown is deleted.
    case "terminated":
    case "missing":
      return "reached";
    case "running":
    case "starting":
    case "stopped":
      return "contradicted";
    case "stopping":
    case "unknown":
      return "not yet";
  }
}
