import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { CALLED_PROVIDERS } from "../../src/lifecycle/model/provider.ts";
import { kindIn, paceOf } from "../../src/providers/pace.ts";

it("has a pace for every provider, whichever connection is called", () => {
  for (const kind of CALLED_PROVIDERS) {
    expect(kindIn(kind)).toBe(kind);
    expect(kindIn(`${kind}@c-1f2e`)).toBe(kind);
    expect(paceOf(`${kind}@c-1f2e`)).toEqual(paceOf(kind));
  }
});

it("asks Vast.ai no faster than its limits allow", () => {
  const { lookMs, orderMs, deleteMs, listMs, burstMs } = paceOf("vast");
  expect(burstMs).toBe(0);
  expect([lookMs > 2_000, orderMs > 1_000, deleteMs > 3_000, listMs > 1_000]).toEqual(
    Array.from({ length: 4 }, () => true),
  );
});

/** Calls that may be made within a minute after a rest, if each is one of these. */
function callsOfAMinute(kind: string, use: "lookMs" | "orderMs" | "listMs", callsEach: number): number {
  const { burstMs, ...pace } = paceOf(kind);
  return ((burstMs + 60_000) / pace[use] + 1) * callsEach;
}

it.each([
  // A third of its 500: others share the address from which it is called.
  ["hyperstack", 166],
  ["tensordock", 100],
  ["lambda", 60],
  ["digitalocean", 250],
])("asks %s at most %d times a minute, whatever is asked", (kind, limit) => {
  // An order looks first; a snapshot there also reads two lists. A page of Hyperstack's list is completed by two other calls.
  expect(callsOfAMinute(kind, "lookMs", 1)).toBeLessThanOrEqual(limit);
  expect(callsOfAMinute(kind, "orderMs", kind === "digitalocean" ? 4 : 2)).toBeLessThanOrEqual(limit);
  expect(callsOfAMinute(kind, "listMs", kind === "hyperstack" ? 3 : 1)).toBeLessThanOrEqual(limit);
});

it("is documented as it is", () => {
  const [, table = ""] = readFileSync("docs/providers.md", "utf8").split("## How fast a provider is asked");
  const seconds = (ms: number) => (ms === 0 ? "none" : String(ms / 1_000));
  for (const kind of CALLED_PROVIDERS) {
    const pace = paceOf(kind);
    const cells = [pace.lookMs, pace.orderMs, pace.lookMs + pace.deleteMs, pace.listMs, pace.burstMs].map(
      seconds,
    );
    expect(table).toContain(`| \`${kind}\` | ${cells.join(" | ")} |`);
  }
});

it("is careful with a provider that it does not know", () => {
  for (const unknown of ["", "newer", "__proto__", "constructor@x"]) {
    expect(kindIn(unknown)).toBeNull();
    expect(paceOf(unknown).lookMs).toBe(1_000);
  }
});
