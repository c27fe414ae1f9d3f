import { describe, expect, it } from "vitest";
import { at, Timeline } from "./timeline.ts";

describe("last words", () => {
  it("sent in turn with ordinary heartbeats do not grow the history without time passing", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat();
    const before = line.events.length;
    for (let pair = 0; pair < 500; pair += 1) {
      line.now += 1;
      line.heartbeat({ gpu_utilization: 50, status: "hibernating" });
      line.now += 1;
      line.heartbeat({ gpu_utilization: 50 });
    }
    // A second has passed.
    expect(line.events.length - before).toBeLessThan(50);
  });

  it("that come after slow hooks are a last word, not a wake", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("5:00"), { gpu_utilization: 0 });
    expect(line.view.status).toBe("hibernating");
    // Told at 5:00. Five hooks of up to a minute each run before the machine says its last word and hibernates.
    line.until(at("9:30"));
    line.heartbeat({ gpu_utilization: 0, status: "hibernating" });
    line.until(at("3:00:00"));
    expect(line.kinds).not.toContain("woken");
    expect(line.kinds).not.toContain("orphaned");
    expect(line.view.status).toBe("hibernated");
  });
});
