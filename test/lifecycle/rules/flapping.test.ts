import { describe, expect, it } from "vitest";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { at, Timeline } from "../timeline.ts";

describe("a flapping instance", () => {
  /** Heard every seven minutes, and silent for six of them. */
  function flap(turns: number): Timeline {
    const line = new Timeline({ provider: "agent" });
    for (let turn = 0; turn <= turns; turn++) {
      line.until(at("0:00") + turn * 7 * 60_000);
      line.heartbeat();
    }
    return line;
  }

  const told = (line: Timeline) => line.events.filter(isAlert).map((event) => event.kind);

  it("is told once as flapping at its fourth turn within an hour, and its turns no more", () => {
    expect(told(flap(3))).toEqual([
      "orphaned",
      "recovered",
      "orphaned",
      "recovered",
      "orphaned",
      "recovered",
    ]);
    const line = flap(6);
    expect(told(line).slice(6)).toEqual(["flapping"]);
    expect(line.kinds.filter((kind) => kind === "orphaned")).toHaveLength(6);
  });

  it("is told of again after an hour of calm", () => {
    const line = flap(5);
    line.beatUntil(line.now + 70 * 60_000);
    const before = told(line).length;
    line.until(line.now + 6 * 60_000);
    expect(told(line).slice(before)).toEqual(["orphaned"]);
  });
});
