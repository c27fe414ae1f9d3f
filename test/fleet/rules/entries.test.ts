import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entriesOf } from "../../../src/fleet/rules/entries.ts";
import type { InventoryMachine } from "../../../src/fleet/rules/inventory.ts";
import { JUST_SEEN, listedMachine } from "./machines.ts";

const HOUR = 60 * 60_000;

interface Row extends InventoryMachine {
  readonly connection: string;
  readonly provider: string;
  readonly isCurrent: boolean;
}

function row(connection: string, more: Partial<Row> = {}): Row {
  return {
    ...listedMachine("1", { name: "rig" }),
    ...JUST_SEEN,
    connection,
    provider: "vast",
    isCurrent: true,
    ...more,
  };
}

describe("what several connections list of one machine", () => {
  it("is one entry, by whoever knew it first", () => {
    const rows = [row("b", { firstSeenAt: 2 }), row("a", { firstSeenAt: 1 }), row("c", { ref: "2" })];
    expect(entriesOf(rows).map(({ connection, ref }) => [connection, ref])).toEqual([
      ["a", "1"],
      ["c", "2"],
    ]);
    const others = [row("a"), row("a", { provider: "gcp" })];
    expect(entriesOf(others)).toEqual(others);
  });

  it("is as the one shows it that still lists it, and has seen it lately", () => {
    const gone = row("a", { vanishedAt: 5, lastSeenAt: 4 });
    const [entry] = entriesOf([gone, row("b", { state: "stopped", firstSeenAt: 3 })]);
    expect(entry).toMatchObject({ connection: "b", state: "stopped", vanishedAt: null, firstSeenAt: 0 });
    const failing = row("a", { state: "running", lastSeenAt: HOUR });
    const [fresh] = entriesOf([
      failing,
      row("b", { state: "stopped", lastSeenAt: 4 * HOUR, firstSeenAt: 1 }),
    ]);
    expect(fresh).toMatchObject({ connection: "b", state: "stopped" });
    // Both are noted once an hour.
    const [steady] = entriesOf([failing, row("b", { lastSeenAt: 2 * HOUR, firstSeenAt: 1 })]);
    expect(steady).toMatchObject({ connection: "a", lastSeenAt: 2 * HOUR });
    expect(entriesOf([gone, row("b", { vanishedAt: 9 })])).toMatchObject([{ vanishedAt: 9 }]);
  });

  it("is by the one that can still be asked for it, and of those by the preferred one", () => {
    const [a, b, c] = [
      row("a", { isCurrent: false }),
      row("b", { firstSeenAt: 1 }),
      row("c", { firstSeenAt: 2 }),
    ];
    expect(entriesOf([a, b, c])).toMatchObject([{ connection: "b" }]);
    expect(entriesOf([a, b, c], "c")).toMatchObject([{ connection: "c" }]);
    expect(entriesOf([a, b, c], "a")).toMatchObject([{ connection: "b" }]);
    expect(entriesOf([a])).toMatchObject([{ connection: "a", isCurrent: false }]);
  });

  it("says what any of them knows: its price, its group, and when its owner was told", () => {
    const knows = row("b", { firstSeenAt: 1, hourlyCost: 2, memberOf: "cluster 1", toldAt: 7 });
    expect(entriesOf([row("a"), knows])).toMatchObject([
      { connection: "a", hourlyCost: 2, memberOf: "cluster 1", toldAt: 7 },
    ]);
    expect(entriesOf([row("a"), { ...knows, vanishedAt: 8 }])).toMatchObject([
      { hourlyCost: null, memberOf: null, toldAt: 7 },
    ]);
  });

  it("does not depend on the order in which they come", () => {
    const rows = fc.uniqueArray(
      fc.record({
        connection: fc.constantFrom("a", "b", "c", "d"),
        firstSeenAt: fc.integer({ min: 0, max: 3 }),
        lastSeenAt: fc.integer({ min: 0, max: 3 }).map((hours) => hours * HOUR),
        vanishedAt: fc.option(fc.integer({ min: 0, max: 3 })),
        hourlyCost: fc.option(fc.constantFrom(1, 2)),
      }),
      { minLength: 1, selector: ({ connection }) => connection },
    );
    fc.assert(
      fc.property(rows, (some) => {
        const seen = some.map(({ connection, ...more }) => row(connection, more));
        const entries = entriesOf(seen);
        expect(entries).toHaveLength(1);
        expect(entriesOf(seen.toReversed())).toEqual(entries);
        expect(entries[0]?.vanishedAt === null).toBe(seen.some(({ vanishedAt }) => vanishedAt === null));
      }),
    );
  });
});
