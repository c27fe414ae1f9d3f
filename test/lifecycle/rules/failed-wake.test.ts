import { describe, expect, it } from "vitest";
import { machineOf } from "../../../src/lifecycle/model/state.ts";
import { startToCancel } from "../../../src/lifecycle/rules/look.ts";
import { explain } from "../../../src/lifecycle/views/explanation.ts";
import { at, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Hibernated for its owner, and woken an hour later: its start has failed. */
function failed(failure: { notCancelled?: string } = {}, provider: "webhook" | "vast" = "webhook"): Timeline {
  const line = new Timeline({ provider, profile: { providerRef: provider === "vast" ? "28864630" : null } });
  line.heartbeat();
  line.command({ type: "hibernate.requested" });
  line.accept();
  line.succeed();
  line.until(at("1:00:00"));
  line.command({ type: "wake.requested" });
  line.accept();
  line.until(at("1:30:00"));
  const { actionId } = line;
  line.command({ type: "action.failed", actionId, because: "no capacity", ...failure });
  return line;
}

/** Hibernated for its owner, and woken an hour later: no try was made yet. */
function wakeOrdered(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.command({ type: "hibernate.requested" });
  line.accept();
  line.succeed();
  line.until(at("1:00:00")).command({ type: "wake.requested" });
  return line;
}

const savedMs = (line: Timeline) => line.state.counters.saved.totalMs;
const alertsAfter = (line: Timeline, moment: number) =>
  line.events.filter(({ at: when, severity }) => when >= moment && severity !== "info");

describe("a wake whose start was cancelled for good", () => {
  it("leaves a hibernated instance that says why, and at which nobody looks", () => {
    const line = failed();
    line.until(at("1:30:00") + 3 * DAY);
    expect(line.looks).toEqual([]);
    expect(line.view).toMatchObject({
      status: "hibernated",
      lifecycle: {
        because: "Hibernated since 2025-12-19T01:30:00Z: its wake failed then (no capacity)",
      },
      wake_failed: { at: "2025-12-19T01:30:00Z", because: "no capacity", may_start: false },
    });
    expect(alertsAfter(line, at("1:30:00"))).toMatchObject([{ kind: "wake_failed", severity: "critical" }]);
  });

  it("tells its owner, once, what can be done at its provider, and the view offers the same", () => {
    const line = failed({}, "vast");
    expect(line.events.at(-1)?.message).toBe(
      "Could not wake: no capacity. You can (1) wake it again later; (2) rent another machine with the same template; (3) copy its data while it is stopped",
    );
    expect(line.view.wake_failed?.ways_on).toEqual([
      {
        way: "wait",
        how: "wake it again later",
        request: { method: "POST", path: "/api/agent/instances/28864630/wake" },
        command: null,
        page: null,
      },
      {
        way: "recreate",
        how: "rent another machine with the same template",
        request: null,
        command: null,
        page: "https://cloud.vast.ai/instances/",
      },
      {
        way: "fetch_data",
        how: "copy its data while it is stopped",
        request: null,
        command: "vastai copy C.28864630:/workspace/ local:./28864630/",
        page: "https://cloud.vast.ai/instances/",
      },
    ]);
  });

  it("is forgotten with the next wake", () => {
    const line = failed();
    line.command({ type: "wake.requested" });
    expect(line.view.wake_failed).toBeNull();
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "running", wake_failed: null });
  });
});

describe("a wake of which nobody knows whether its start was cancelled", () => {
  it("saves nothing, and its start is cancelled and its machine looked at until it is known", () => {
    const line = failed({ notCancelled: "it did not answer" });
    const saved = savedMs(line);
    line.shows = { shows: "unknown", because: "it does not answer", isPassing: true };
    expect(startToCancel(line.state)?.actionId).toMatch(/^wake-/);
    line.until(at("1:30:00") + DAY);
    const gaps = line.looks.map((time, index) => time - (line.looks[index - 1] ?? at("1:30:00")));
    expect(gaps.slice(0, 5)).toEqual([5, 10, 20, 40, 60].map((minutes) => minutes * MINUTE));
    expect(Math.max(...gaps)).toBe(HOUR);
    expect(savedMs(line)).toBe(saved);
    expect(line.view.wake_failed).toMatchObject({ may_start: true });
    expect(explain(line.state, line.policy, line.now).because).toContain("nobody knows whether");
    // Its owner was told so with the wake.
    expect(alertsAfter(line, at("1:30:00"))).toHaveLength(1);
    line.until(at("1:30:00") + 30 * DAY);
    expect((line.looks.at(-1) ?? 0) - (line.looks.at(-2) ?? 0)).toBe(DAY);
  });

  it("has failed for good once its machine is stopped", () => {
    const line = failed({ notCancelled: "it did not answer" });
    line.shows = { shows: "stopped", hourlyCost: 0.02 };
    line.until(at("1:35:00"));
    expect(startToCancel(line.state)).toBeNull();
    expect(line.view).toMatchObject({
      status: "hibernated",
      wake_failed: { may_start: false },
    });
    const saved = savedMs(line);
    line.until(at("2:35:00")).command({ type: "wake.requested" });
    expect(savedMs(line) - saved).toBe(HOUR);
  });

  it("and whose machine is found running, is watched, and its owner told", () => {
    const line = failed({ notCancelled: "it did not answer" });
    line.shows = { shows: "running" };
    line.until(at("1:35:00"));
    expect(line.view).toMatchObject({ status: "pending", health: "unhealthy", wake_failed: null });
    expect(alertsAfter(line, at("1:35:00"))).toMatchObject([
      {
        kind: "found_running",
        severity: "critical",
        message:
          "Its wake had failed, and webhook shows it running. Its start came through after all; it costs money and sends no heartbeat",
      },
    ]);
    line.until(at("1:35:00") + 30 * DAY).command({ type: "cleanup" });
    expect(line.orders).toEqual(["hibernate", "wake"]);
  });

  it.each([
    ["a stop of which it is known is the end of both", {}, false],
    ["one that was never taken ends nothing", { isRefused: true, notCancelled: "503" }, true],
  ])("and that is woken again in vain: %s", (_, failure, mayStart) => {
    const line = failed({ notCancelled: "it did not answer" });
    line.command({ type: "wake.requested" });
    const { actionId } = line;
    line.command({ type: "action.tried", actionId });
    line.command({ type: "action.failed", actionId, because: "no capacity", ...failure });
    expect(line.view.wake_failed?.may_start).toBe(mayStart);
  });

  it("is woken by its first heartbeat", () => {
    const line = failed({ notCancelled: "it did not answer" });
    line.until(at("1:40:00")).heartbeat();
    expect(line.view).toMatchObject({ status: "running", wake_failed: null });
    expect(startToCancel(line.state)).toBeNull();
  });

  it("is still cancelled once its state is of a former moment", () => {
    const line = failed({ notCancelled: "it did not answer" });
    line.command({ type: "resumed", origin: "restore", knownUntil: null });
    expect(startToCancel(line.state)).not.toBeNull();
  });

  it("is cancelled no more once its state is of another service", () => {
    const line = failed({ notCancelled: "it did not answer" });
    line.command({ type: "resumed", origin: "import", knownUntil: null });
    expect(startToCancel(line.state)).toBeNull();
    const machine = machineOf(line.state.profile);
    line.command({ type: "looked", machine, answer: { shows: "running" }, sighted: null });
    expect(line.events.at(-1)?.message).toContain("before a restore or an import");
  });

  it.each([
    { mayStart: false, events: [] },
    { mayStart: true, events: ["action.tried", "action.refused"] },
  ] as const)("and whose carrier is never heard of again: %o", ({ mayStart, events }) => {
    const line = wakeOrdered();
    for (const type of events) line.command({ type, actionId: line.actionId });
    line.until(at("3:00:00"));
    expect(line.view).toMatchObject({ status: "hibernated", wake_failed: { may_start: mayStart } });
  });

  it.each([
    ["its only try was refused for good", 1, true, false],
    ["a try before may have arrived", 2, true, true],
    ["its only try was not answered", 1, false, true],
    ["no try was ever made", 0, false, false],
  ])("and of which %s", (_, tries, isRefused, mayStart) => {
    const line = wakeOrdered();
    const { actionId } = line;
    for (let count = 0; count < tries; count++) {
      line.command({ type: "action.tried", actionId });
      line.command({ type: "action.refused", actionId });
    }
    line.command({ type: "action.failed", actionId, because: "no", isRefused, notCancelled: "503" });
    expect(line.view.wake_failed).toMatchObject({ because: "no", may_start: mayStart });
    expect(line.events.at(-1)?.message.includes("It may still start, because 503")).toBe(mayStart);
  });
});
