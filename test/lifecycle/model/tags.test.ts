import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasTags, listTags, MOST_TAGS, readTag, writeTag } from "../../../src/lifecycle/model/tags.ts";
import { tagSchema, tagsSchema } from "../../../src/lifecycle/model/tags-schema.ts";

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, "v"]));

const KEY_WORDS = /^a key must be 1 to 40 of/;
const VALUE_WORDS = /^a value must be at most 100 characters/;

/** What is wrong with it, each with its path. */
function issuesOf(tags: unknown): [string, string][] {
  const { error } = tagsSchema.safeParse(tags);
  return (error?.issues ?? []).map(({ path, message }) => [path.join("."), message]);
}

describe("tags", () => {
  it.each([
    {},
    { team: "vision", env: "prod" },
    { a: "" },
    { ["k".repeat(40)]: "v".repeat(100) },
    { "cost.center_1-b": "'; DROP TABLE instances; --", html: "<img src=x onerror=alert(1)>" },
    { city: "São Paulo", emoji: "👩🏽‍🚀".repeat(10), hundred: "🚀".repeat(100), rtl: "שלום" },
    { constructor: "x", tostring: "y", connection: "z", hibernated_cost: "1", tags: "{" },
    many(MOST_TAGS),
  ])("may be %j", (tags) => {
    expect(tagsSchema.parse(JSON.parse(JSON.stringify(tags)))).toEqual(tags);
  });

  it.each([
    ['{"__proto__":"x"}', "__proto__", KEY_WORDS],
    ['{"__proto__":{"admin":"yes"}}', "__proto__", KEY_WORDS],
    ['{"Team":"x"}', "Team", KEY_WORDS],
    ['{"1st":"x"}', "1st", KEY_WORDS],
    ['{"":"x"}', "", KEY_WORDS],
    ['{"a b":"x"}', "a b", KEY_WORDS],
    ['{"équipe":"x"}', "équipe", KEY_WORDS],
    ['{"a\\"b":"x"}', 'a"b', KEY_WORDS],
    ['{"a\\n":"x"}', "a\n", KEY_WORDS],
    [JSON.stringify({ ["k".repeat(41)]: "x" }), "k".repeat(41), KEY_WORDS],
    [JSON.stringify({ a: "v".repeat(101) }), "a", VALUE_WORDS],
    [JSON.stringify({ a: "v".repeat(1_000_000) }), "a", VALUE_WORDS],
    ['{"a":"x\\ny"}', "a", VALUE_WORDS],
    ['{"a":"\\u0000"}', "a", VALUE_WORDS],
    ['{"a":"\\u001b[31m"}', "a", VALUE_WORDS],
    ['{"a":"\\u0085"}', "a", VALUE_WORDS],
    ['{"a":"\\u2028"}', "a", VALUE_WORDS],
    ['{"a":"\\ud800"}', "a", VALUE_WORDS],
    ['{"a":1}', "a", /expected string/],
    ['{"a":null}', "a", /expected string/],
    ['{"a":{"b":"c"}}', "a", /expected string/],
    [JSON.stringify(many(21)), "", /^must be at most 20 tags$/],
    [JSON.stringify(many(10_000)), "", /^must be at most 20 tags$/],
    ["[]", "", /expected record/],
    ['"team:vision"', "", /expected record/],
  ])("may not be %.60s", (json, path, message) => {
    expect(issuesOf(JSON.parse(json))).toEqual([[path, expect.stringMatching(message)]]);
    expect(Object.prototype).not.toHaveProperty("admin");
  });

  it("are written as key:value and read again, whatever they hold", () => {
    const value = fc.string({ unit: "grapheme", maxLength: 40 });
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9_.-]{0,39}$/), value, (key, text) => {
        fc.pre(tagsSchema.safeParse({ [key]: text }).success);
        const tag = { key, value: text };
        expect(readTag(writeTag(tag))).toEqual(tag);
        expect(tagSchema.parse(writeTag(tag))).toEqual(tag);
      }),
    );
    for (const wrong of ["", "team", ":x", "Team:x", "__proto__:x", "a:\n", `a:${"v".repeat(101)}`]) {
      expect(tagSchema.safeParse(wrong).success).toBe(false);
    }
    expect(tagSchema.parse("url:http://x:80/")).toEqual({ key: "url", value: "http://x:80/" });
  });

  it("match where all that are wanted are there, and nothing that objects inherit", () => {
    const tags = { team: "vision", env: "prod" };
    const wanted = (...texts: string[]) => texts.map((text) => tagSchema.parse(text));
    expect(hasTags(tags, [])).toBe(true);
    expect(hasTags(tags, wanted("team:vision"))).toBe(true);
    expect(hasTags(tags, wanted("team:vision", "env:prod"))).toBe(true);
    expect(hasTags(tags, wanted("team:vision", "env:test"))).toBe(false);
    expect(hasTags(tags, wanted("team:Vision"))).toBe(false);
    expect(hasTags(tags, wanted("constructor:x"))).toBe(false);
    expect(hasTags(tags, listTags(tags))).toBe(true);
  });
});
