import { expect, it } from "vitest";
import { COLUMNS, type Shown, screenOf } from "../../../scripts/demo/screen.ts";

const instance = (index: number) => ({
  instance_id: `rig-${index}`,
  name: `A machine with a name that is far too long ${index}`,
  status: "orphaned",
  health: "unhealthy",
  seconds_since_heartbeat: 7_777_777,
  gpu_utilization: 100,
  cost_today: 123.456,
  keep_alive_until: null,
  lifecycle: { next_step: "force_hibernate", in_seconds: 100_000, blocked_by: null },
});

const shown: Shown = {
  url: "http://127.0.0.1:8787",
  signInUrl: `http://127.0.0.1:8787/#/sign-in?link=${"x".repeat(43)}`,
  tokenFile: ".wrangler/demo/token",
  speed: 60,
  elapsedSeconds: 99,
  secondsLeft: 81,
  instances: Array.from({ length: 8 }, (_, index) => instance(index)),
  events: Array.from({ length: 30 }, (_, index) => ({
    id: String(index),
    at: "2025-12-19T03:25:45Z",
    instance_id: "rig-1",
    kind: "silent",
    severity: "critical",
    message: `No heartbeat for 5 seconds. ${"It goes on and on. ".repeat(10)}`,
  })),
  savedDollars: 0.013,
};

const plain = (_: unknown, text: string) => text;

it("the demo fits a terminal of 80 × 24, whatever it has to tell", () => {
  const lines = screenOf(shown, plain);
  expect(lines.length).toBeLessThanOrEqual(23);
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(COLUMNS);
});

it("the demo tells each duration and each dollar in the time that it plays", () => {
  const text = screenOf(shown, plain).join("\n");
  expect(text).toContain("a second is 1 min · 1 h 39 min so far · 81 s left");
  expect(text).toContain("No heartbeat for 5 min");
  expect(text).toContain("$0.78 saved by hibernating");
  expect(screenOf({ ...shown, secondsLeft: null }, plain)[0]).toContain("Ctrl-C ends it");
});

it("the demo counts down to no step that nobody can take", () => {
  const held = {
    ...instance(1),
    lifecycle: { next_step: "hibernate", in_seconds: 5, blocked_by: "no_provider" },
  };
  const text = screenOf({ ...shown, instances: [held] }, plain).join("\n");
  expect(text).toContain("nobody can stop it");
  expect(text).not.toContain("hibernate in");
});
