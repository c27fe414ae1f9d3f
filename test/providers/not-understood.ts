import { expect } from "vitest";
import type { Provider, Target } from "../../src/providers/provider.ts";

/** Of answers that are not the provider's own, or not of the documented form, nothing may be concluded. */

/** The machine is neither missing nor stopped, and no order counts as heard; `others`: orders that not every provider takes. */
export async function expectNothingConcluded(
  provider: Provider,
  target: Target,
  others: readonly Provider["snapshot"][] = [],
): Promise<void> {
  const sighting = await provider.status(target).catch((error: unknown) => error);
  expect(sighting).toMatchObject(sighting instanceof Error ? { code: "unavailable" } : { state: "unknown" });
  for (const order of [provider.hibernate, provider.wake, provider.delete, ...others]) {
    await expect(order(target)).rejects.toMatchObject({
      code: expect.stringMatching("refused|unavailable|unsupported"),
    });
  }
}

/** A provider that can only delete is not called for orders to stop or to start, and says why it can't. */
export async function expectNoStops(
  provider: Provider,
  target: Target,
  calls: readonly unknown[],
  because: string,
): Promise<void> {
  for (const order of [provider.hibernate, provider.forceHibernate, provider.wake]) {
    await expect(order(target)).rejects.toMatchObject({
      code: "unsupported",
      isPassing: false,
      message: expect.stringContaining(because),
    });
  }
  expect(calls).toEqual([]);
}
