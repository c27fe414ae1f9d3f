import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { ActionParameters } from "../../src/orders/order.ts";
import { OrderSteps } from "../../src/orders/steps.ts";
import { type Provider, ProviderError } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";

/** How long a call to a provider waits between its tries; here the platform is a loop that notes the delays. */

afterEach(() => vi.restoreAllMocks());

const PARAMETERS = {
  userId: "u-1",
  instanceId: "rig",
  provider: "vast",
  providerRef: "28864630",
  order: { actionId: "a-1" },
} as ActionParameters;

/** The waits, in seconds, between the tries of a call whose provider answers with these errors, one after the other. */
async function waits(errors: readonly Error[]): Promise<{ seconds: number[]; ended: string }> {
  const seconds: number[] = [];
  const step = {
    do: async (
      _name: string,
      config: { retries: { limit: number; delay: (input: object) => number; backoff: string } },
      work: (context: { attempt: number }) => Promise<unknown>,
    ) => {
      expect(config.retries.backoff).toBe("constant");
      for (let attempt = 1; ; attempt++) {
        try {
          return await work({ attempt });
        } catch (error) {
          const isFinal = error instanceof Error && error.name === "NonRetryableError";
          if (isFinal || attempt > config.retries.limit) throw error;
          seconds.push(config.retries.delay({ ctx: { attempt }, error }) / 1000);
        }
      }
    },
  };
  const left = [...errors];
  vi.spyOn(registry, "openProvider").mockResolvedValue({
    provider: {
      wake: async () => {
        const error = left.shift();
        if (error !== undefined) throw error;
        return "done";
      },
    } as Partial<Provider> as Provider,
    credentialsSetAt: 0,
  });
  const steps = new OrderSteps(env, PARAMETERS, "a-1", step as never);
  const ended = await steps
    .callProvider("wake, try", (provider, target) => provider.wake(target))
    .catch((error: Error) => error.message);
  return { seconds, ended };
}

const limited = (retryAfterSeconds: number | null) =>
  new ProviderError("rate_limited", "slow down", retryAfterSeconds);

it("waits longer from try to try, and gives up after six", async () => {
  const errors = Array.from({ length: 6 }, () => limited(null));
  expect(await waits(errors)).toEqual({ seconds: [10, 20, 40, 80, 160], ended: "slow down" });
});

it("waits as long as the provider asks for by Retry-After, and no longer once it asks no more", async () => {
  expect(await waits([limited(45), limited(null), new Error("cut off")])).toEqual({
    seconds: [45, 20, 40],
    ended: "done",
  });
});

it("asks neither sooner than it would by itself nor later than the order can wait", async () => {
  expect(await waits([limited(0), limited(86_400)])).toEqual({ seconds: [10, 160], ended: "done" });
});

it("tries once what would fail again", async () => {
  expect(await waits([new ProviderError("refused", "no", 45)])).toEqual({ seconds: [], ended: "no" });
});
