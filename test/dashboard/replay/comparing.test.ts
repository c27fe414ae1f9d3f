import { describe, expect, it } from "vitest";
import { COMPARED, type Figures, type Result } from "../../../src/dashboard/replay/answers.ts";
import {
  differenceOf,
  figureOf,
  type Measure,
  resultOf,
  rowsOf,
} from "../../../src/dashboard/replay/comparing.ts";
import { COMPARED as COMPARED_BY_THE_SERVICE } from "../../../src/replay/compare.ts";
import { FIGURES, PREVIEW } from "./example.ts";

const result = (of: Result["of"], change: Partial<Figures> = {}): Result => ({ of, ...FIGURES, ...change });

const row = (results: readonly Result[], measure: Measure) =>
  rowsOf(results).find((each) => each.measure === measure);

describe("what policies came to", () => {
  it("is compared as the service compares", () => {
    expect(COMPARED).toEqual(COMPARED_BY_THE_SERVICE);
    expect(PREVIEW.results.every(({ of }) => COMPARED.includes(of))).toBe(true);
  });

  it("stands beside what really happened, with differences that are better or worse", () => {
    const results = [
      result("actual"),
      result("candidate", { saved: 45.68, cost: 21.52, interruptions: 2, hibernations: 30 }),
    ];
    const difference = (measure: Measure) => row(results, measure)?.cells[1]?.difference;
    expect(difference("saved")).toEqual({ by: expect.closeTo(6), is: "better" });
    expect(difference("cost")).toEqual({ by: expect.closeTo(-6), is: "better" });
    expect(difference("interruptions")).toEqual({ by: 2, is: "worse" });
    expect(difference("hibernations")).toEqual({ by: 3, is: "neither" });
    expect(difference("wasted")).toEqual({ by: 0, is: "neither" });
    expect(row(results, "saved")?.cells[0]?.difference).toBe(null);
  });

  it("leaves out what is nothing everywhere, but never savings and interruptions", () => {
    const none = {
      ...FIGURES,
      hours: { working: 0, idle: 0, silent: 0, hibernated: 0 },
      saved: 0,
      wasted: 0,
    };
    const measures = (results: readonly Result[]) => rowsOf(results).map(({ measure }) => measure);
    expect(measures([result("actual", none)])).toEqual([
      "saved",
      "cost",
      "wasted",
      "hibernations",
      "interruptions",
    ]);
    expect(measures([result("actual"), result("candidate", { deletions: 1 })])).toContain("deletions");
  });

  it("leaves out what is written as nothing everywhere, too", () => {
    const silentFor = (seconds: number) => {
      const figures = { hours: { ...FIGURES.hours, silent: seconds / 3600 } };
      return rowsOf([result("actual", figures), result("candidate", figures)]).map(({ measure }) => measure);
    };
    expect(silentFor(29)).not.toContain("silent");
    expect(silentFor(31)).toContain("silent");
  });

  it("is the same where nobody would see the difference", () => {
    const value = (amount: number) => ({ value: amount, isMore: false });
    expect(differenceOf("saved", value(10.001), value(10))).toEqual({ by: 0, is: "neither" });
    expect(differenceOf("work_cut", value(30), value(0))).toEqual({ by: 0, is: "neither" });
  });
});

describe("a price that nobody knows", () => {
  const unpriced = { unpriced_hours: 168, cost: 0, saved: 0, wasted: 0 };

  it("makes no amount nothing", () => {
    for (const measure of ["cost", "saved", "wasted"] as const) {
      expect(figureOf({ ...FIGURES, ...unpriced }, measure)).toMatchObject({ value: null });
    }
    expect(figureOf({ ...FIGURES, unpriced_hours: 3 }, "saved")).toEqual({ value: 39.68, isMore: true });
    expect(figureOf(FIGURES, "saved")).toEqual({ value: 39.68, isMore: false });
  });

  it("leaves nothing to be said of a difference", () => {
    const results = [result("actual"), result("candidate", unpriced)];
    expect(row(results, "saved")?.cells[1]).toMatchObject({ value: null, difference: null });
    expect(row(results, "unpriced")?.cells[1]).toMatchObject({ value: 168 * 3600 });
  });

  it("says of a machine that was never off that nothing was saved", () => {
    const never = { ...FIGURES, ...unpriced, hours: { working: 168, idle: 0, silent: 0, hibernated: 0 } };
    expect(figureOf(never, "saved")).toEqual({ value: 0, isMore: false });
    expect(figureOf(never, "wasted")).toEqual({ value: 0, isMore: false });
  });
});

it("finds the figures of a policy, or none", () => {
  expect(resultOf([result("actual")], "actual")).toEqual(result("actual"));
  expect(resultOf([], "candidate")).toBe(null);
});
