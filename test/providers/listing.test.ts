import { expect, it } from "vitest";
import { endingList, mayBeUnlisted, pageOf, unreadMachine } from "../../src/providers/listing.ts";
import type { MachinePage } from "../../src/providers/provider.ts";

type List = (after: string | null) => Promise<MachinePage>;

/** Reads pages until the list ends, or is not understood. */
async function walk(list: List): Promise<{ refs: string[]; calls: number; error?: string }> {
  const refs: string[] = [];
  let calls = 0;
  const counted = endingList((after) => {
    calls += 1;
    if (calls > 10_000) throw new Error("it loops");
    return list(after);
  });
  let after: string | null = null;
  try {
    do {
      const page: MachinePage = await counted(after);
      refs.push(...page.machines.map(({ ref }) => ref));
      after = page.next;
    } while (after !== null);
  } catch (error) {
    return { refs, calls, error: error instanceof Error ? error.message : "" };
  }
  return { refs, calls };
}

const page = (next: string | null, ...refs: readonly string[]): MachinePage => ({
  machines: refs.map(unreadMachine),
  next,
});

it("shows all pages, whatever a page begins with", async () => {
  const tokens = ["a|b", "%7C|1|", "", "ü\n"];
  const seen: (string | null)[] = [];
  const list: List = async (after) => {
    seen.push(after);
    const index = seen.length - 1;
    return page(tokens[index] ?? null, `x|${index}/%|`);
  };
  expect(await walk(list)).toEqual({
    refs: ["x|0/%|", "x|1/%|", "x|2/%|", "x|3/%|", "x|4/%|"],
    calls: 5,
  });
  expect(seen).toEqual([null, ...tokens]);
});

it("goes on past empty pages", async () => {
  let calls = 0;
  const list: List = async () => {
    calls += 1;
    return calls < 5 ? page(`t${calls}`) : page(null, "m");
  };
  expect(await walk(list)).toEqual({ refs: ["m"], calls: 5 });
});

it("ends with an error where a page leads to itself, or is shown once more under another number", async () => {
  expect(await walk(async () => page("same"))).toMatchObject({ calls: 2, error: "the list does not go on" });
  let number = 1;
  const ignored: List = async () => page(String(++number), "first", "second");
  expect(await walk(ignored)).toMatchObject({ calls: 2, error: "the list does not go on" });
});

it("ends with an error where pages lead to each other in a circle", async () => {
  const circle: List = async (after) => (after === "a" ? page("b", "one") : page("a", "two"));
  const { calls, error } = await walk(circle);
  expect(error).toBe("the list has no end");
  expect(calls).toBeLessThanOrEqual(2_001);
});

it("begins nowhere but where a page ended", async () => {
  const list = endingList(async () => page(null));
  for (const foreign of ["", "x", "1|a", "-1|a|b", "99999|a|b", "https://evil.example.com"]) {
    await expect(list(foreign)).rejects.toMatchObject({ code: "refused" });
  }
});

it("that leaves a part out is an error for whoever does not say that this is understood", async () => {
  const unlisted = [{ name: "zone b", refPrefix: "p/zones/b/" }];
  const list = endingList(async () => ({ ...page(null, "m"), unlisted }));
  for (const asked of [list(null), list(null, false)]) {
    await expect(asked).rejects.toMatchObject({
      code: "unavailable",
      message: "not everything can be listed now: zone b",
    });
  }
  expect(await list(null, true)).toMatchObject({ machines: [{ ref: "m" }], unlisted });
});

it("is not understood where it is cut short", () => {
  expect(() => pageOf([], null, undefined)).toThrow("does not say where");
  expect(() => pageOf([], "a", "a")).toThrow("does not go on");
  expect(pageOf([], "a", null, [])).toEqual({ machines: [], next: null });
});

it("knows which machines may be there all the same, though they are not listed", () => {
  const unlisted = [{ name: "zone b", refPrefix: "p/zones/b/" }];
  expect(mayBeUnlisted(unlisted, "p/zones/b/one")).toBe(true);
  expect(mayBeUnlisted(unlisted, "p/zones/bc/one")).toBe(false);
  expect(mayBeUnlisted([{ name: "everything", refPrefix: "" }], "p/zones/bc/one")).toBe(true);
  expect(mayBeUnlisted(undefined, "p/zones/b/one")).toBe(false);
});
