import { type Failed, failed } from "./order.ts";
import { type OrderSteps, reasonOf } from "./steps.ts";
import { SHORT_WAITS_SECONDS } from "./wait.ts";

/** Waits between two looks at a snapshot: twelve hours in all. */
const LONG_WAITS_SECONDS = [...SHORT_WAITS_SECONDS, ...Array.from({ length: 138 }, () => 300)];

type Taken = { readonly type: "taken"; readonly snapshotId: string } | Failed;

/** Takes a snapshot and waits for it, for twelve hours at most. */
export async function takeSnapshot(steps: OrderSteps): Promise<Taken> {
  const taken = await take(steps).catch((error: unknown) => failed(reasonOf(error)));
  return taken.type === "failed" ? failed(`the snapshot failed: ${taken.because}`) : taken;
}

async function take(steps: OrderSteps): Promise<Taken> {
  const begun = await steps.callProvider("snapshot", ["order"], (provider, target) =>
    provider.snapshot(target),
  );
  let { snapshotId } = begun;
  if (begun.done && snapshotId !== null) return { type: "taken", snapshotId };
  for (const [index, seconds] of LONG_WAITS_SECONDS.entries()) {
    const result = await steps.waitForResult("snapshot", `snapshot, wait ${index + 1}`, seconds);
    if (result?.outcome === "failed") return failed(result.because ?? "no reason given");
    snapshotId = result?.snapshotId ?? snapshotId;
    if (snapshotId === null) continue;
    // A result that was reported says that it is done; without one the provider is asked.
    if (result !== null) return { type: "taken", snapshotId };
    const known = snapshotId;
    const state = await steps.callProvider(`snapshot, look ${index + 1}`, ["look"], (provider) =>
      provider.snapshotState(known),
    );
    if (state === "ready") return { type: "taken", snapshotId };
    if (state === "failed") return failed(`${steps.kind} says so`);
  }
  return failed("it was not ready after twelve hours");
}
