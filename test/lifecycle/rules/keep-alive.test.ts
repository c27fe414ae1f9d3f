import { describe, expect, it } from "vitest";
import { at, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const IDLE = { gpu_utilization: 2 };

describe("a keep-alive", () => {
  it("that is shorter never cuts a longer one", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "keep_alive", durationMs: 60 * MINUTE });
    line.until(at("10:00"));
    line.command({ type: "keep_alive", durationMs: MINUTE });
    expect(line.view.keep_alive_until).toBe("2025-12-19T01:00:00Z");
    expect(line.events.at(-1)).toMatchObject({
      kind: "kept_alive",
      message: "Kept alive by hand for 50min",
      detail: { keep_alive_until: "2025-12-19T01:00:00Z" },
    });
    line.until(at("1:04:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("1:05:00"));
    expect(line.view.status).toBe("orphaned");
  });

  it("that is longer than the former lasts from now", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "keep_alive", durationMs: 10 * MINUTE });
    line.until(at("5:00"));
    line.command({ type: "keep_alive", durationMs: 10 * MINUTE });
    expect(line.view.keep_alive_until).toBe("2025-12-19T00:15:00Z");
    line.until(at("14:59.999"));
    expect(line.view).toMatchObject({ keep_alive_until: "2025-12-19T00:15:00Z", health: "healthy" });
    line.until(at("15:00"));
    expect(line.view.keep_alive_until).toBeNull();
  });

  it("of an instance that was never heard watches it from then on", () => {
    const line = new Timeline();
    line.command({ type: "keep_alive", durationMs: 10 * MINUTE });
    expect(line.view).toMatchObject({ status: "running", health: "healthy" });
    line.until(at("14:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("15:00"));
    expect(line.view).toMatchObject({ status: "orphaned", alert: "No heartbeat ever. May be stuck." });
    expect(line.events.at(-1)).toMatchObject({
      kind: "orphaned",
      message: "Instance Rig may be stuck: no heartbeat for 5 minutes",
      detail: { last_heartbeat: null, keep_alive_until: "2025-12-19T00:10:00Z" },
    });
  });

  it("ends an idle run of which the owner was warned, and says why", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    line.command({ type: "keep_alive", durationMs: MINUTE });
    expect(line.events.slice(-2)).toMatchObject([
      {
        kind: "busy",
        message: "No longer idle (kept alive by hand)",
        detail: { idle_since: "2025-12-19T00:00:00Z" },
      },
      { kind: "kept_alive", message: "Kept alive by hand for 1min" },
    ]);
    expect(line.view.health).toBe("healthy");
  });

  it("recovers an orphan, and counts no heartbeat as missed before it ends", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("10:00"));
    line.command({ type: "keep_alive", durationMs: 60 * MINUTE });
    expect(line.events.slice(-2)).toMatchObject([
      {
        kind: "recovered",
        message: "Recovered: kept alive by hand after 5 minutes as an orphan",
        detail: { orphaned_since: "2025-12-19T00:05:00Z", step: "orphaned", flapping: false },
      },
      { kind: "kept_alive" },
    ]);
    expect(line.view.missed_heartbeats).toBe(9);
    line.beatUntil(at("20:00"));
    expect(line.view.missed_heartbeats).toBe(9);
    line.until(at("1:15:00"));
    expect(line.view.missed_heartbeats).toBe(9 + 4);
  });

  it("of an instance that wakes lets the wake go on", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.succeed();
    line.command({ type: "wake.requested" });
    line.accept();
    expect(line.command({ type: "keep_alive", durationMs: 60 * MINUTE })).toBeNull();
    expect(line.view.status).toBe("waking");
    line.until(line.now + MINUTE).heartbeat();
    expect(line.view.status).toBe("running");
  });

  it("of a hibernation that the owner asked for calls it off while nobody has accepted it", () => {
    const line = new Timeline();
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    expect(line.command({ type: "keep_alive", durationMs: MINUTE })).toBeNull();
    expect(line.view.status).toBe("running");
    expect(line.kinds.slice(-2)).toEqual(["hibernate_cancelled", "kept_alive"]);
  });

  it("is refused for what is deleted, or is past recall, with the reason", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.accept();
    expect(line.command({ type: "keep_alive", durationMs: MINUTE })).toEqual({
      code: "hibernating",
      message: "The instance is already being hibernated",
    });
    line.succeed();
    line.until(at("168:05:00")).command({ type: "cleanup" });
    line.permit();
    line.accept();
    expect(line.command({ type: "keep_alive", durationMs: MINUTE })).toEqual({
      code: "busy",
      message: "The instance is already being deleted",
    });
    line.command({ type: "action.gone", actionId: line.actionId });
    const { state } = line;
    expect(line.command({ type: "keep_alive", durationMs: MINUTE })).toEqual({
      code: "deleted",
      message: "The instance is deleted",
    });
    expect(line.state).toEqual(state);
  });
});
