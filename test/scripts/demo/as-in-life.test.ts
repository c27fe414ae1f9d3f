import { describe, expect, it } from "vitest";
import { asInLife, spoken } from "../../../scripts/demo/as-in-life.ts";

describe("a message of a clock that runs sixty times as fast", () => {
  it.each([
    ["no heartbeat for 5 seconds", "no heartbeat for 5 min"],
    ["No heartbeat for 2 minutes. It is hibernated", "No heartbeat for 2 h. It is hibernated"],
    [
      "GPU <5% utilization for 3s. Hibernating in 2s.",
      "GPU <5% utilization for 3 min. Hibernating in 2 min.",
    ],
    ["Kept alive by hand for 1min", "Kept alive by hand for 1 h"],
    ["in 1min 43s", "in 1 h 43 min"],
    ["orphaned for 43 minutes", "orphaned for 1 d 19 h"],
    [
      "rig-5s costs $0.40 at 3 % since 2026-11-27T18:04:05Z",
      "rig-5s costs $0.40 at 3 % since 2026-11-27T18:04:05Z",
    ],
  ])("%s: %s", (message, told) => {
    expect(asInLife(message, 60)).toBe(told);
  });
});

it("a duration is told in the two largest units that it has", () => {
  expect([0, 59, 60, 3599, 3600, 3660, 90_000, 86_400].map(spoken)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "59 min",
    "1 h",
    "1 h 1 min",
    "1 d 1 h",
    "1 d",
  ]);
});
