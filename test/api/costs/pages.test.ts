import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys, mergedPage } from "../../../src/api/costs/pages.ts";
import type { CostGroup } from "../../../src/history/costs.ts";
import { NO_COSTS, sumOf } from "../../../src/lifecycle/model/ledger.ts";
import type { Found } from "../../../src/lifecycle/model/stored.ts";

const costing = (key: string, dollars: number): CostGroup => ({
  key,
  costs: { ...NO_COSTS, working: { ms: 1000, dollars } },
});

type Groups = ReadonlyMap<string, CostGroup>;

/** A page as a database reads it. Rows that it can't read are left out. */
function pageOf(groups: Groups, after: string | null, limit: number, unread: ReadonlySet<string>) {
  const found = [...groups.values()]
    .filter(({ key }) => after === null || compareKeys(key, after) > 0)
    .sort((a, b) => compareKeys(a.key, b.key))
    .slice(0, limit);
  return {
    rows: found.filter(({ key }) => !unread.has(key)),
    end: found.length < limit ? null : (found.at(-1)?.key ?? null),
  } satisfies Found<CostGroup, string>;
}

const groups = fc
  .dictionary(fc.string({ unit: "binary", maxLength: 3 }), fc.nat(9), { maxKeys: 12, noNullPrototype: true })
  .map((all): Groups => new Map(Object.entries(all).map(([key, dollars]) => [key, costing(key, dollars)])));

describe("pages of two lists as one", () => {
  it("have each group once, with all of it, in order, whatever each list holds", () => {
    fc.assert(
      fc.property(
        groups,
        groups,
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(11)),
        (one, other, limit, unreadable) => {
          const keys = [...one.keys()];
          const unread = new Set(unreadable.flatMap((index) => keys[index] ?? []));
          const readable = [...one.values()].filter(({ key }) => !unread.has(key));
          const expected = new Map([...readable.map((each) => [each.key, each] as const)]);
          for (const { key, costs } of other.values()) {
            const known = expected.get(key);
            expected.set(key, { key, costs: known === undefined ? costs : sumOf(known.costs, costs) });
          }
          const seen: CostGroup[] = [];
          let after: string | null = null;
          let pages = 0;
          do {
            const page: Found<CostGroup, string> = mergedPage(
              pageOf(one, after, limit, unread),
              pageOf(other, after, limit, new Set()),
              limit,
            );
            expect(page.rows.length).toBeLessThanOrEqual(limit);
            seen.push(...page.rows);
            after = page.end;
            pages += 1;
          } while (after !== null && pages < 100);
          expect(seen).toEqual([...expected.values()].sort((a, b) => compareKeys(a.key, b.key)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("are in the order of UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (one, other) => {
        const bytes = [one, other].map((text) => new TextEncoder().encode(text));
        const order = bytesCompared(bytes[0] ?? new Uint8Array(), bytes[1] ?? new Uint8Array());
        expect(Math.sign(compareKeys(one, other))).toBe(order);
      }),
    );
    expect(["😀", "｡", "z", ""].sort(compareKeys)).toEqual(["", "z", "｡", "😀"]);
  });
});

function bytesCompared(one: Uint8Array, other: Uint8Array): number {
  const index = one.findIndex((byte, place) => byte !== other[place]);
  if (index === -1) return Math.sign(one.length - other.length);
  return Math.sign((one[index] ?? 0) - (other[index] ?? -1));
}
