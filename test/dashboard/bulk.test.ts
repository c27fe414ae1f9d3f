import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/dashboard/api-error.ts";
import { doToEach, type Outcome } from "../../src/dashboard/fleet/bulk.ts";

const all = Array.from({ length: 20 }, (_, index) => index);

async function done(
  work: (one: number) => Promise<unknown>,
  { signal = new AbortController().signal, waits = [] as number[] } = {},
): Promise<Map<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  const pause = async (ms: number) => void waits.push(ms);
  await doToEach(all, work, (one, outcome) => outcomes.set(one, outcome), signal, pause);
  return outcomes;
}

describe("the same, asked of many", () => {
  it("is asked of each once, of four at a time", async () => {
    let [running, most] = [0, 0];
    const asked: number[] = [];
    const outcomes = await done(async (one) => {
      asked.push(one);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    });
    expect(asked).toEqual(all);
    expect(most).toBe(4);
    expect([...outcomes.values()].every(({ end }) => end === "done")).toBe(true);
  });

  it("goes on where one refuses, and says of each what became of it", async () => {
    const outcomes = await done(async (one) => {
      if (one === 3) throw new ApiError(409, "it is hibernated");
    });
    expect(outcomes.size).toBe(20);
    expect(outcomes.get(3)).toMatchObject({ end: "refused", error: { message: "it is hibernated" } });
    expect(outcomes.get(4)).toEqual({ end: "done" });
  });

  it("waits as long as the service asks for, a few times and no longer than a while", async () => {
    const waits: number[] = [];
    const tries = new Map<number, number>();
    const outcomes = await done(
      async (one) => {
        const before = tries.get(one) ?? 0;
        tries.set(one, before + 1);
        if (one === 5 && before < 2) throw new ApiError(429, "slower", [], "", 2000);
        if (one === 6) throw new ApiError(503, "away", [], "", 3_600_000);
      },
      { waits },
    );
    expect([outcomes.get(5)?.end, outcomes.get(6)?.end]).toEqual(["done", "refused"]);
    expect([tries.get(5), tries.get(6)]).toEqual([3, 3]);
    expect(waits.sort((a, b) => a - b)).toEqual([2000, 2000, 15_000, 15_000]);
  });

  it("asks no further once it is stopped, or nobody is signed in any more", async () => {
    const stop = new AbortController();
    const stopped = await done(
      async (one) => {
        if (one === 7) stop.abort();
      },
      { signal: stop.signal },
    );
    expect(stopped.size).toBe(20);
    expect(stopped.get(19)).toEqual({ end: "stopped" });
    const signedOut = await done(async () => {
      throw new ApiError(401, "");
    });
    expect([...signedOut.values()].filter(({ end }) => end === "refused").length).toBeLessThanOrEqual(4);
    expect(signedOut.get(19)).toEqual({ end: "stopped" });
  });
});
