import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fittingUnit,
  readDuration,
  SECONDS_IN,
  type UnitWords,
  writeDuration,
} from "../../../src/dashboard/settings/policy/durations.ts";
import { englishPolicyEditor } from "../../../src/dashboard/settings/policy/words/english.ts";
import { portuguesePolicyEditor } from "../../../src/dashboard/settings/policy/words/portuguese.ts";

const LANGUAGES: readonly UnitWords[] = [
  englishPolicyEditor.durations.units,
  portuguesePolicyEditor.durations.units,
];

describe("a duration as people write it", () => {
  it.each([
    ["5 min", 300],
    ["5min", 300],
    ["5 minutos", 300],
    ["90s", 90],
    ["2 h", 7200],
    ["1.5 h", 5400],
    ["1,5 h", 5400],
    ["1 h 30 min", 5400],
    ["1 hour and 30 minutes", 5400],
    ["1 hora e 30 minutos", 5400],
    ["7 d", 604_800],
    ["7 dias", 604_800],
    ["1 week", 604_800],
    ["1 semana", 604_800],
    ["  2 H  ", 7200],
    ["0 s", 0],
  ])("reads %s", (text, seconds) => {
    expect(readDuration(text, "minutes")).toBe(seconds);
  });

  it("is of the unit that stands there where none is written", () => {
    expect(readDuration("10", "minutes")).toBe(600);
    expect(readDuration("0,5", "hours")).toBe(1800);
    expect(readDuration("7", "days")).toBe(604_800);
  });

  it.each([
    "",
    " ",
    "soon",
    "5 parsecs",
    "-5 min",
    "5 min 3",
    "min",
    "1e9 d",
    "5 min; drop",
    "9".repeat(100),
  ])("is not read of %j", (text) => {
    expect(readDuration(text, "minutes")).toBeNull();
  });

  it("can be read again as it was written, in each language", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 * SECONDS_IN.days }),
        fc.constantFrom(...LANGUAGES),
        (seconds, units) => {
          expect(readDuration(writeDuration(seconds, units), "days")).toBe(seconds);
        },
      ),
    );
  });

  it("never throws, and is never negative or infinite", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 80 }), (text) => {
        const seconds = readDuration(text, "days");
        expect(seconds === null || (Number.isFinite(seconds) && seconds >= 0)).toBe(true);
      }),
    );
  });

  it("is written with the words of the language", () => {
    const [english, portuguese] = LANGUAGES;
    if (english === undefined || portuguese === undefined) throw new Error("no words");
    expect(writeDuration(7 * SECONDS_IN.days, english)).toBe("7 d");
    expect(writeDuration(7 * SECONDS_IN.days, portuguese)).toBe("7 dias");
    expect(writeDuration(86_400, english)).toBe("24 h");
    expect(writeDuration(5400, english)).toBe("1 h 30 min");
    expect(writeDuration(0, english)).toBe("0 s");
  });

  it("fits the largest unit in which it is whole", () => {
    expect([90, 300, 3600, 86_400, 604_800, 0].map(fittingUnit)).toEqual([
      "seconds",
      "minutes",
      "hours",
      "hours",
      "days",
      "minutes",
    ]);
  });
});
