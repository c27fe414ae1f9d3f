import { expect, it } from "vitest";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { beginningOf } from "../../src/replay/beginning.ts";
import type { Story } from "../../src/replay/story.ts";
import { at, START, Timeline } from "../lifecycle/timeline.ts";

/** A story of this line's events that begins at `from`. */
function storyOf(line: Timeline, from: number): Story {
  line.drain();
  return {
    instanceId: "rig-1",
    profile: line.state.profile,
    hasGpu: true,
    from,
    to: line.now,
    readings: [],
    hours: [],
    events: line.events,
    policies: [{ from, settings: mergePolicy({}), suspended: false, unknownBecause: null }],
    guardClosed: [],
  };
}

const IDLE = { gpu_utilization: 1 };

const standings: readonly [string, (line: Timeline) => void, object][] = [
  ["never heard", () => {}, { phase: { status: "pending" } }],
  [
    "told of as never heard",
    (line) => line.until(at("40:00")),
    { phase: { status: "pending", orphan: { since: at("30:00") } } },
  ],
  ["running", (line) => line.beatUntil(at("10:00")), { phase: { status: "running", idle: null } }],
  [
    "idle and warned of",
    (line) => line.beatUntil(at("4:00"), IDLE),
    { phase: { status: "running", idle: { since: START, warnedAt: at("3:00") } } },
  ],
  [
    "an orphan",
    (line) => line.beatUntil(at("1:00")).until(at("7:00")),
    { phase: { status: "orphaned", orphan: { since: at("6:00"), clockFrom: at("1:00"), step: "orphaned" } } },
  ],
  [
    "an orphan that is to be hibernated",
    (line) => line.beatUntil(at("1:00")).until(at("32:00")).permit(),
    {
      phase: {
        status: "hibernating",
        reason: "silence",
        before: { status: "orphaned", orphan: { step: "hibernate" } },
      },
    },
  ],
  [
    "hibernated for its silence",
    (line) => {
      line.beatUntil(at("1:00")).until(at("32:00")).permit();
      line.succeed();
    },
    { phase: { status: "hibernated", reason: "silence", orphan: { since: at("6:00") } } },
  ],
  [
    "hibernated for idleness",
    (line) => {
      line.beatUntil(at("5:00"), IDLE).succeed();
    },
    { phase: { status: "hibernated", reason: "idle", orphan: null } },
  ],
  [
    "being woken",
    (line) => {
      line.beatUntil(at("5:00"), IDLE).succeed().until(at("9:00")).command({ type: "wake.requested" });
    },
    { phase: { status: "waking", reason: "idle" }, clock: { graceUntil: at("19:00") } },
  ],
  [
    "kept alive",
    (line) => {
      line.beatUntil(at("5:00")).command({ type: "keep_alive", durationMs: 3_600_000 });
    },
    { phase: { status: "running" }, clock: { keepAliveUntil: at("1:05:00") } },
  ],
];

it.each(standings)("knows by the events before of an instance that is %s", (_, live, expected) => {
  const line = new Timeline();
  live(line);
  const from = line.now + 1000;
  expect(beginningOf(storyOf(line, from)).state).toMatchObject(expected);
});

it("knows all of one that is registered within the story", () => {
  const line = new Timeline();
  line.beatUntil(at("2:00"));
  const beginning = beginningOf(storyOf(line, START - 1000));
  expect(beginning).toMatchObject({ at: START, unknown: [], state: { phase: { status: "pending" } } });
});

it("learns from a warning within the story since when it was idle before", () => {
  const line = new Timeline();
  line.beatUntil(at("6:00"), IDLE);
  const { state, unknown } = beginningOf(storyOf(line, at("1:30")));
  expect(state.phase).toMatchObject({ status: "running", idle: { since: START } });
  expect(unknown).toEqual(["last_heartbeat"]);
});

it("says what nobody knows", () => {
  const line = new Timeline();
  line.beatUntil(at("6:00"));
  expect(beginningOf(storyOf(line, at("3:00"))).unknown).toEqual(["idle_run", "last_heartbeat"]);
  const story = { ...storyOf(line, at("3:00")), events: [] };
  expect(beginningOf(story)).toMatchObject({
    state: { phase: { status: "running" } },
    unknown: ["standing", "idle_run", "last_heartbeat"],
  });
});

it("forgets what was before the instance was registered anew", () => {
  const line = new Timeline();
  line.beatUntil(at("1:00")).until(at("7:00"));
  line.apply({ type: "registered", sighted: null });
  line.drain();
  expect(beginningOf(storyOf(line, line.now + 1000)).state.phase).toMatchObject({ status: "pending" });
  expect(compilePolicy(mergePolicy({})).suspended).toBe(false);
});
