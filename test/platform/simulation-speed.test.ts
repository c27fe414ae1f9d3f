import { describe, expect, it } from "vitest";
import { simulationSpeed } from "../../src/platform/simulation-speed.ts";

describe("the speed of a simulation", () => {
  it.each([
    ["60", 60],
    ["0.5", 0.5],
    ["1", 1],
    ["0", 1],
    ["-1", 1],
    ["Infinity", 1],
    ["fast", 1],
    ["", 1],
  ])("given as %j is %d", (setting, speed) => {
    expect(simulationSpeed({ SIMULATION_SPEED: setting })).toBe(speed);
  });
});
