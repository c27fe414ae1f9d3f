import { expect, it } from "vitest";
import { firstBytes, lastBytes } from "../../../src/lifecycle/model/text-bytes.ts";

it("the end of a text has so many bytes at most, and no half character", () => {
  expect(lastBytes("saved", 3)).toBe("ved");
  expect(lastBytes("saved", 9)).toBe("saved");
  expect(lastBytes("", 3)).toBe("");
  for (const character of ["é", "€", "𝔸"]) {
    const bytes = new TextEncoder().encode(character).length;
    expect(lastBytes(character.repeat(9), 2 * bytes)).toBe(character.repeat(2));
    expect(lastBytes(character.repeat(9), 3 * bytes - 1)).toBe(character.repeat(2));
  }
});

it("and so has its beginning", () => {
  expect(firstBytes("saved", 3)).toBe("sav");
  expect(firstBytes("saved", 5)).toBe("saved");
  expect(firstBytes("", 3)).toBe("");
  for (const character of ["é", "€", "𝔸"]) {
    const bytes = new TextEncoder().encode(character).length;
    expect(firstBytes(character.repeat(9), 2 * bytes)).toBe(character.repeat(2));
    expect(firstBytes(character.repeat(9), 3 * bytes - 1)).toBe(character.repeat(2));
    expect(firstBytes(character, 100)).toBe(character);
  }
});
