import { describe, expect, it } from "vitest";
import { Timeline } from "./timeline.ts";

describe("a decision", () => {
  it("names the effects of its own event, and none that waited before", () => {
    const line = new Timeline();
    const { effects } = line.apply({ type: "token.rotated" });
    expect(effects.map(({ effect }) => effect.type)).toEqual(["event"]);
    expect(effects[0]?.effect).toMatchObject({ event: { kind: "token_rotated" } });
    expect(line.apply({ type: "alarm", dueAt: line.now }).effects).toEqual([]);
  });
});
