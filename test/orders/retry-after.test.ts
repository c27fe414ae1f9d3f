import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { ActionParameters } from "../../src/orders/order.ts";
import { OrderSteps } from "../../src/orders/steps.ts";
import * as address from "../../src/platform/address.ts";
import type { Turn } from "../../src/providers/pace.ts";
import { type Provider, ProviderError } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import { expectLogged } from "../quiet.ts";

/** How long a call to a provider waits between its tries; here the platform is a loop that notes the delays. */

afterEach(() => vi.restoreAllMocks());

const PARAMETERS = {
  userId: "u-1",
  instanceId: "rig",
  provider: "vast",
  providerRef: "28864630",
  order: { actionId: "a-1" },
} as ActionParameters;

interface Lane {
  readonly takeTurn: () => Promise<Turn>;
  readonly noteLimited: (
    call: object,
    retryAfterSeconds: number | null,
  ) => Promise<{ afterMs: number; isFailure: boolean } | null>;
}

/** A lane that is free, and pauses for a minute if its provider does not say for how long. */
function freeLane(): Lane {
  let waits = 0;
  return {
    takeTurn: async () => ({ type: "go", afterMs: 0, waits }),
    noteLimited: async (_, seconds) => {
      waits += 1;
      return { afterMs: (seconds ?? 60) * 1000, isFailure: false };
    },
  };
}

/** The waits, in seconds, between the tries of a call whose provider answers with these errors, one after the other. */
async function waits(
  errors: readonly Error[],
  lane: Lane = freeLane(),
  parameters = PARAMETERS,
): Promise<{ seconds: number[]; ended: string }> {
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
  vi.spyOn(address, "fleetOf").mockReturnValue(lane as never);
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
  const steps = new OrderSteps(env, parameters, "a-1", step as never);
  const ended = await steps
    .callProvider("wake, try", ["order"], (provider, target) => provider.wake(target))
    .catch((error: Error) => error.message);
  return { seconds, ended };
}

const away = (retryAfterSeconds: number | null = null) =>
  new ProviderError("unavailable", "not now", retryAfterSeconds);
const limited = (retryAfterSeconds: number | null) =>
  new ProviderError("rate_limited", "slow down", retryAfterSeconds);

it("waits longer from try to try, and gives up after six", async () => {
  const errors = Array.from({ length: 6 }, () => away());
  expect(await waits(errors)).toEqual({ seconds: [10, 20, 40, 80, 160], ended: "not now" });
});

it("waits as long as the provider asks for by Retry-After, and no longer once it asks no more", async () => {
  expect(await waits([away(45), away(), new Error("cut off")])).toEqual({
    seconds: [45, 20, 40],
    ended: "done",
  });
});

it("asks neither sooner than it would by itself nor later than the order can wait", async () => {
  expect(await waits([away(0), away(86_400)])).toEqual({ seconds: [10, 160], ended: "done" });
});

it("tries once what would fail again", async () => {
  expect(await waits([new ProviderError("refused", "no", 45)])).toEqual({ seconds: [], ended: "no" });
});

it("waits as its lane says after a limit, which is no failed try", async () => {
  const errors = [...Array.from({ length: 9 }, () => limited(45)), limited(null), away(), away()];
  expect(await waits(errors)).toEqual({
    seconds: [...Array.from({ length: 9 }, () => 45), 60, 10, 20],
    ended: "done",
  });
});

it("counts a limit that has lasted for long, and gives up after six tries then too", async () => {
  const lane = { ...freeLane(), noteLimited: async () => ({ afterMs: 0, isFailure: true }) };
  const errors = Array.from({ length: 6 }, () => limited(null));
  expect(await waits(errors, lane)).toEqual({ seconds: [10, 20, 40, 80, 160], ended: "slow down" });
});

it("sleeps until its turn, which is no failed try, and asks again then", async () => {
  const turns: Turn[] = [
    { type: "ask again", afterMs: 97_000, waits: 0 },
    { type: "ask again", afterMs: 8_000, waits: 1 },
    { type: "go", afterMs: 10, waits: 2 },
  ];
  const takeTurn = async (): Promise<Turn> => turns.shift() ?? { type: "go", afterMs: 0, waits: 2 };
  const errors = Array.from({ length: 6 }, () => away());
  expect(await waits(errors, { ...freeLane(), takeTurn })).toEqual({
    seconds: [97, 8, 10, 20, 40, 80, 160],
    ended: "not now",
  });
});

it("says so when its turn does not come within an hour", async () => {
  const takeTurn = async (): Promise<Turn> => ({ type: "given up", waits: 9 });
  expect(await waits([], { ...freeLane(), takeTurn })).toEqual({
    seconds: [],
    ended: "vast takes only so many calls at a time, and many are waiting",
  });
});

it("names the kind of its provider, whichever connection it is called by", async () => {
  const takeTurn = async (): Promise<Turn> => ({ type: "given up", waits: 9 });
  const { ended } = await waits([], { ...freeLane(), takeTurn }, { ...PARAMETERS, provider: "vast@c-1f2e" });
  expect(ended).toBe("vast takes only so many calls at a time, and many are waiting");
});

it("goes by chance when the fleet is of the release before the lanes", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.001);
  const unknown = async () => {
    throw new TypeError('The RPC receiver does not implement the method "takeTurn".');
  };
  const lane = { takeTurn: unknown, noteLimited: unknown };
  expect(await waits([limited(45), away()], lane)).toEqual({ seconds: [45, 20], ended: "done" });
});

it("goes by chance when the fleet is out of reach", async () => {
  expectLogged(/no turn was given/);
  expectLogged(/a limit was not noted/);
  vi.spyOn(Math, "random").mockReturnValue(0.001);
  const outOfReach = () => Promise.reject(new Error("the network"));
  const lane = { takeTurn: outOfReach, noteLimited: outOfReach };
  expect(await waits([limited(45)], lane)).toEqual({ seconds: [45], ended: "done" });
});
