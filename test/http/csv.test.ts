import { describe, expect, it } from "vitest";
import { csvOf } from "../../src/http/csv.ts";

describe("a table as CSV", () => {
  it("has a line for each row, and quotes what would end a cell", () => {
    expect(
      csvOf([
        ["key", "cost"],
        ["a,b", 1.5],
        ['say "hi"', -0.25],
        ["two\nlines", null],
      ]),
    ).toBe('key,cost\r\n"a,b",1.5\r\n"say ""hi""",-0.25\r\n"two\nlines",\r\n');
  });

  it("has no formula for a spreadsheet to reckon", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"]) expect(csvOf([[text]])).toBe(`'${text}\r\n`);
    expect(csvOf([['=HYPERLINK("https://x","y")']])).toBe('"\'=HYPERLINK(""https://x"",""y"")"\r\n');
    expect(csvOf([["\r=1"]])).toBe('"\'\r=1"\r\n');
    expect(csvOf([["1-1", "a=b", ""]])).toBe("1-1,a=b,\r\n");
  });
});
