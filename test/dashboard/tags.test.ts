import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { queryOf } from "../../src/dashboard/address.ts";
import {
  isAmong,
  linesOf,
  listAddress,
  tagsIn,
  tagsInQuery,
  toggled,
} from "../../src/dashboard/fleet/tags.ts";
import { tagsSchema } from "../../src/lifecycle/model/tags-schema.ts";

const team = { key: "team", value: "vision" };
const env = { key: "env", value: "prod" };

describe("the address of the list", () => {
  it("keeps the chosen tags, whatever their values hold", () => {
    expect(listAddress([])).toBe("#/");
    const hostile = { key: "note", value: "a/b?c=d&e#f %2F <script> \u{1f680}" };
    const address = listAddress([team, hostile]);
    expect(address).toMatch(/^#\/\?tag=team%3Avision&tag=note%3A[^/?#<]*$/);
    expect(tagsInQuery(queryOf(address))).toEqual([team, hostile]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        fc.pre(value.isWellFormed());
        expect(tagsInQuery(queryOf(listAddress([{ key: "k", value }])))).toEqual([{ key: "k", value }]);
      }),
    );
  });

  it("keeps what else the list is narrowed to", () => {
    const query = new URLSearchParams("group=idle&tag=env%3Aprod");
    expect(listAddress([team], query)).toBe("#/?group=idle&tag=team%3Avision");
    expect(listAddress([], query)).toBe("#/?group=idle");
  });

  it("names none where what it says is no tag", () => {
    for (const query of ["", "tag=", "tag=team", "other=team:vision", "tag=%E0%A4%A"]) {
      expect(tagsInQuery(new URLSearchParams(query))).toEqual([]);
    }
  });

  it("takes a tag in, out again, and in the place of another of its key", () => {
    expect(toggled([], team)).toEqual([team]);
    expect(toggled([team], env)).toEqual([team, env]);
    expect(toggled([team, env], team)).toEqual([env]);
    expect(toggled([team, env], { key: "team", value: "speech" })).toEqual([
      env,
      { key: "team", value: "speech" },
    ]);
    expect(isAmong([team], { key: "team", value: "speech" })).toBe(false);
  });
});

describe("tags as they are entered", () => {
  it("are one a line, and come back as they were", () => {
    const tags = { team: "vision", url: "http://x:80/", spot: "" };
    expect(linesOf(tags)).toBe("team:vision\nurl:http://x:80/\nspot:");
    expect(tagsIn(linesOf(tags))).toEqual(tags);
    expect(tagsIn(" team : vision \r\n\n  spot\n")).toEqual({ team: "vision", spot: "" });
    expect(tagsIn("")).toEqual({});
  });

  it("reach the service as they are, which refuses what is none", () => {
    const entered = JSON.parse(JSON.stringify(tagsIn("__proto__:x")));
    expect(Object.keys(entered)).toEqual(["__proto__"]);
    expect(tagsSchema.safeParse(entered).success).toBe(false);
  });
});
