import { describe, expect, it } from "vitest";
import { at, Timeline } from "./timeline.ts";

/** Hibernated as its owner asked, then woken: the provider confirms that the machine runs. No agent beats. */
function woken(overrides = {}): Timeline {
  const line = new Timeline({ overrides });
  line.heartbeat();
  line.command({ type: "hibernate.requested" });
  line.accept();
  line.succeed();
  line.until(at("1:00:00"));
  line.command({ type: "wake.requested" });
  line.accept();
  line.succeed();
  return line;
}

describe("a wake that the provider confirmed, of a machine that sends no heartbeat", () => {
  it("under a keep-alive is not taken for a failed wake, nor the machine for hibernated", () => {
    const line = woken();
    expect(line.command({ type: "keep_alive", durationMs: 24 * 60 * 60_000 })).toBeNull();
    line.until(at("5:00:00"));
    expect(line.kinds).not.toContain("wake_failed");
    expect(line.view.status).not.toBe("hibernated");
  });

  it("is watched again once the keep-alive is over: its ladder comes to hibernate it", () => {
    const line = woken();
    line.command({ type: "keep_alive", durationMs: 3 * 60 * 60_000 });
    line.until(at("24:00:00"));
    expect(line.kinds).toContain("orphaned");
  });

  for (const overrides of [
    { orphan: { enabled: false } },
    {
      orphan: {
        orphan_after_seconds: 10_800,
        hibernate_after_seconds: 14_400,
        force_hibernate_after_seconds: 18_000,
      },
    },
  ]) {
    it(`with ${JSON.stringify(overrides)} is not taken for hibernated`, () => {
      const line = woken(overrides);
      line.until(at("3:30:00"));
      expect(line.view.status).not.toBe("hibernated");
    });
  }
});
