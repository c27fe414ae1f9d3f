import { describe, expect, it } from "vitest";
import { at, Timeline } from "../timeline.ts";

const BUSY = { gpu_utilization: 90 };

describe("a last word", () => {
  it("of an instance that others hibernate means nothing", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("1:00")).heartbeat({ gpu_utilization: 90, status: "hibernating" });
    expect(line.view.status).toBe("running");
    expect(line.kinds).not.toContain("hibernating");
  });

  it("that is followed by heartbeats saves nothing, and the instance counts as running", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat(BUSY);
    for (let beat = 1; beat <= 60; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat(beat % 10 === 0 ? { ...BUSY, status: "hibernating" } : BUSY);
    }
    line.until(at("1:01:00")).heartbeat(BUSY);
    expect(line.view.status).toBe("running");
    expect(line.kinds).not.toContain("hibernated");
    expect(line.state.counters.saved.totalMs).toBe(0);
  });

  it("counts once it is followed by silence", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat(BUSY);
    line.until(at("1:00")).heartbeat({ ...BUSY, status: "hibernating" });
    line.until(at("2:59.999"));
    expect(line.view.status).toBe("hibernating");
    line.until(at("3:00"));
    expect(line.view.status).toBe("hibernated");
    expect(line.events.at(-1)?.message).toBe("Instance hibernated itself");
  });
});

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
