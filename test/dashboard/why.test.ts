import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromField, nearest, toField, toQuery } from "../../src/dashboard/instance/why/moment.ts";
import { refusalIn } from "../../src/dashboard/instance/why/refusal.ts";

describe("a moment in a field", () => {
  it("comes back to the second, whatever the clock of the reader", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_700_000_000, max: 2_000_000_000 }), (seconds) => {
        // An hour that the clock goes through twice can't be told apart.
        const atMs = seconds * 1000;
        expect(Math.abs((fromField(toField(atMs)) ?? 0) - atMs) % 3_600_000).toBe(0);
      }),
    );
  });

  it("is none while the field is empty or says none", () => {
    expect(fromField("")).toBeNull();
    expect(fromField("2026-13-01T00:00:00")).toBeNull();
  });

  it("is asked for to the second, in UTC", () => {
    expect(toQuery(Date.UTC(2026, 10, 27, 3, 5, 0, 999))).toBe("2026-11-27T03:05:00Z");
  });
});

describe("the readings that are shown at first", () => {
  const readings = Array.from({ length: 20 }, (_, minute) => ({
    at: new Date(minute * 60_000).toISOString(),
  }));

  it("are some before the moment, and a few after it", () => {
    expect(nearest(readings, 10.5 * 60_000, 3, 2)).toEqual(readings.slice(8, 13));
    expect(nearest(readings, 0, 3, 2)).toEqual(readings.slice(0, 3));
    expect(nearest(readings, 60 * 60_000, 3, 2)).toEqual(readings.slice(17));
  });
});

describe("a moment of which nothing is told", () => {
  const refused = (message: string, path = "query.at") => refusalIn({ issues: [{ path, message }] });

  it("is known by what the service says of it", () => {
    const from = "2026-11-07T16:02:51Z";
    expect(refused("must not be in the future")).toEqual({ is: "future" });
    expect(refused(`must not be before the instance was registered (${from})`)).toEqual({
      is: "not_registered",
      from,
    });
    expect(refused(`must not be before what is kept (${from})`)).toEqual({ is: "not_kept_any_more", from });
  });

  it("is left to the service's own words where the page knows none", () => {
    expect(refusalIn({ issues: [] })).toBe(null);
    expect(refused("must be something else")).toBe(null);
    expect(refused("must not be before what is kept (long ago)")).toBe(null);
    expect(refused("must not be in the future", "body.at")).toBe(null);
  });
});
