import { expect, it } from "vitest";
import { at, Timeline } from "./timeline.ts";

it("an agent that restarts within sixteen beats under an unchanged boot id loses no heartbeat that was acknowledged", () => {
  const line = new Timeline();
  for (let beat = 0; beat < 20; beat += 1) {
    line.until(at(`${beat}:00`));
    line.heartbeat({ gpu_utilization: 50, boot_id: "kernel-1", sequence: 1 + (beat % 10) });
  }
  expect(line.state.counters.totalHeartbeats).toBe(20);
});
