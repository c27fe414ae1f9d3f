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

it("is careful with a provider that it does not know", () => {
  for (const unknown of ["", "newer", "__proto__", "constructor@x"]) {
    expect(kindIn(unknown)).toBeNull();
    expect(paceOf(unknown).lookMs).toBe(1_000);
  }
});
