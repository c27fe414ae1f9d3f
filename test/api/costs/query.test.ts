import { describe, expect, it } from "vitest";
import { costsQuery, cursorAfter, readCostsQuery } from "../../../src/api/costs/query.ts";

const NOON = Date.UTC(2030, 1, 17, 12);

const read = (query: Record<string, string>, now = NOON) => {
  const parsed = costsQuery.safeParse(query);
  if (!parsed.success) return `refused: ${parsed.error.issues[0]?.path.join(".")}`;
  try {
    const { from, before, asked } = readCostsQuery(parsed.data, now);
    return { from: iso(from), before: iso(before), asked };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};
const iso = (day: number) => new Date(day).toISOString().replace("T00:00:00.000Z", "");

describe("what is asked of the costs", () => {
  it("is this month by day, if nothing is said", () => {
    expect(read({})).toEqual({ from: "2030-02-01", before: "2030-02-18", asked: { by: "day" } });
    expect(read({}, Date.UTC(2030, 2, 1))).toMatchObject({ from: "2030-03-01", before: "2030-03-02" });
  });

  it("has its last day included, and the month of that day for a default", () => {
    expect(read({ from: "2030-01-01", to: "2030-01-31" })).toMatchObject({
      from: "2030-01-01",
      before: "2030-02-01",
    });
    expect(read({ from: "2030-02-10" })).toMatchObject({ from: "2030-02-10", before: "2030-02-18" });
    expect(read({ to: "2029-12-24" })).toMatchObject({ from: "2029-12-01", before: "2029-12-25" });
    expect(read({ from: "2030-02-20", to: "2030-02-28" })).toMatchObject({ before: "2030-03-01" });
  });

  it("is refused where a day is none, or the days are too many or the wrong way round", () => {
    for (const day of [
      "2030-02-30",
      "2029-02-29",
      "2030-1-1",
      "2030-01-01T00:00:00Z",
      "today",
      "",
      "1",
      " 2030-01-01",
    ]) {
      expect(read({ from: day })).toBe("refused: from");
      expect(read({ to: day })).toBe("refused: to");
    }
    expect(read({ from: "2030-01-02", to: "2030-01-01" })).toBe("query.from: must not be after 2030-01-01");
    expect(read({ from: "2030-02-18" })).toBe("query.from: must not be after 2030-02-17");
    expect(read({ from: "2029-01-14" })).toMatchObject({ from: "2029-01-14" });
    expect(read({ from: "2029-01-13" })).toBe("query.from: must be at most 400 days in all");
  });

  it("is by a tag with its key, and with none otherwise", () => {
    expect(read({ by: "tag", tag: "team" })).toMatchObject({ asked: { by: "tag", tag: "team" } });
    expect(read({ by: "tag" })).toBe("query.tag: by=tag needs the key of a tag");
    expect(read({ by: "instance", tag: "team" })).toBe("query.tag: goes with by=tag only");
    for (const tag of ["", "Team", "a b", 'a"b', "1a", "x".repeat(41)]) {
      expect(read({ by: "tag", tag })).toBe("refused: tag");
    }
    expect(read({ by: "week" })).toBe("refused: by");
  });

  it("goes on where the same list ended, and nowhere else", () => {
    const instance = { by: "instance", page: { after: null, limit: 1 } } as const;
    for (const key of ["rig-1", "", "ä", "😀".repeat(100)]) {
      const cursor = cursorAfter(instance, key) ?? "";
      expect(read({ by: "instance", cursor })).toMatchObject({
        asked: { page: { after: key, limit: 1000 } },
      });
      for (const by of ["day", "status", "provider"]) {
        expect(read({ by, cursor })).toBe("query.cursor: not a cursor of this list");
      }
    }
    const team = { by: "tag", tag: "team", page: { after: null, limit: 1 } } as const;
    const cursor = cursorAfter(team, "ml") ?? "";
    expect(read({ by: "tag", tag: "team", cursor })).toMatchObject({ asked: { page: { after: "ml" } } });
    expect(read({ by: "tag", tag: "stage", cursor })).toBe("query.cursor: not a cursor of this list");
    expect(cursorAfter(instance, null)).toBeNull();
    expect(read({ by: "instance", cursor: btoa("rig") })).toBe("query.cursor: not a cursor of this list");
    expect(read({ by: "instance", cursor: "*" })).toBe("refused: cursor");
  });
});
