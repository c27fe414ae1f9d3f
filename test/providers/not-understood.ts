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
      code: expect.stringMatching("refused|unavailable"),
    });
  }
}
