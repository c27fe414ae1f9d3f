import { expect, it } from "vitest";
import { countdown, duration, money } from "../../src/dashboard/format.ts";

it.each([
  [-5, "0 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [3600, "1 h"],
  [7500, "2 h 5 min"],
  [90_000, "1 d 1 h"],
  [172_800, "2 d"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

it.each([
  [-1, "0:00"],
  [0.2, "0:01"],
  [103, "1:43"],
  [3723, "1:02:03"],
  [6.125 * 86_400, "6 d 3 h"],
])("%d seconds are counted down as %s", (seconds, text) => {
  expect(countdown(seconds)).toBe(text);
});

it("money is dollars in every language", () => {
  expect(money(292.8, "en")).toBe("$292.80");
  expect(money(292.8, "pt-BR")).toMatch(/^US\$\s292,80$/);
});
