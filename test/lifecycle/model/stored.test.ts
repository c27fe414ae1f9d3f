import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  jsonText,
  openEnum,
  readableRows,
  storedOverridesSchema,
} from "../../../src/lifecycle/model/stored.ts";

describe("what is stored", () => {
  it("as a word of a list that grows is any word, and nothing else", () => {
    const schema = openEnum<"a" | "b">();
    for (const value of ["a", "c", ""]) expect(schema.safeParse(value)).toMatchObject({ data: value });
    for (const value of [1, null, undefined, {}]) {
      const read = schema.safeParse(value);
      expect(read.success).toBe(false);
      expect(read.error?.issues[0]?.message).toBe("expected a word");
    }
  });

  it("as JSON is read by its schema, and text that is none is refused, not thrown", () => {
    const schema = jsonText(z.object({ a: z.number() }));
    expect(schema.parse('{"a":1}')).toEqual({ a: 1 });
    expect(schema.safeParse('{"a":"1"}').success).toBe(false);
    const read = schema.safeParse("no JSON");
    expect(read.success).toBe(false);
    expect(read.error?.issues.map((issue) => issue.message)).toEqual(["expected JSON"]);
    expect(schema.safeParse(7).success).toBe(false);
  });

  it("as rows is every row that can be read, whatever the others hold", () => {
    expect(readableRows(z.object({ a: z.number() }), [{ a: 1 }, { a: "x" }, null, { a: 2, b: 3 }])).toEqual([
      { a: 1 },
      { a: 2 },
    ]);
    expect(readableRows(z.string(), [])).toEqual([]);
  });

  it("as overrides is what is known and good of them, field by field", () => {
    expect(
      storedOverridesSchema.parse({
        heartbeat_interval_seconds: 30,
        keep_alive_minutes: 0,
        idle: { threshold_percent: 10, metric: "npu", mood: 1, warn_after_seconds: 200 },
        orphan: { delete_after_days: null, enabled: "yes" },
        guard: 7,
        weather: { rain: true },
      }),
    ).toEqual({
      heartbeat_interval_seconds: 30,
      idle: { threshold_percent: 10, warn_after_seconds: 200 },
      orphan: { delete_after_days: null },
    });
    expect(storedOverridesSchema.parse({})).toEqual({});
    expect(storedOverridesSchema.parse({ idle: { mood: 1 } })).toEqual({ idle: {} });
    for (const value of [null, [], "x", 1])
      expect(storedOverridesSchema.safeParse(value).success).toBe(false);
  });

  it("as overrides keeps the name of a time zone that this runtime does not know, beside its windows alone", () => {
    const windows = [{ days: ["sun"], from: "02:00", to: "04:00" }];
    const stored = {
      schedule: { timezone: "Mars/Olympus_Mons", awake: windows, outside: "hibernate" },
      maintenance: { timezone: 7, windows },
    };
    expect(storedOverridesSchema.parse(stored)).toEqual({
      schedule: stored.schedule,
      maintenance: { windows },
    });
    expect(storedOverridesSchema.parse({ schedule: 7 })).toEqual({});
  });

  it("under the name of what every object has is no field", () => {
    const stored = Object.create({ keep_alive_minutes: 5 });
    expect(storedOverridesSchema.safeParse(stored).data ?? {}).toEqual({});
  });
});
