import { describe, expect, it } from "vitest";
import type { Heartbeat } from "../../src/lifecycle/model/heartbeat.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import { actualOf } from "../../src/replay/actual.ts";
import type { Outcome } from "../../src/replay/outcome.ts";
import { replay } from "../../src/replay/replay.ts";
import type { PastEvent, Story } from "../../src/replay/story.ts";
import { minute, readingAt, readingsOf, storyOf } from "./stories.ts";

/** Stories whose outcomes were worked out by hand. The machine costs $0.40 an hour, and $0.01 hibernated. */

function replayed(story: Story, overrides: PolicyOverrides = {}) {
  return replay(story, compilePolicy(mergePolicy(overrides)));
}

/** Times in minutes. */
function minutesOf({ workingMs, idleMs, silentMs, hibernatedMs }: Outcome) {
  return [workingMs, idleMs, silentMs, hibernatedMs].map((ms) => ms / MINUTE_MS);
}

function event(minutes: number, kind: string, detail: PastEvent["detail"] = {}): PastEvent {
  return { id: `e${minutes}-${kind}`, at: minute(minutes), kind, detail };
}

/** Works for an hour, is idle for four, works for another. */
const pausing = [...readingsOf(0, 60, 90), ...readingsOf(60, 300, 0), ...readingsOf(300, 360, 90)];

describe("an interruption", () => {
  it("is told with its time, its evidence, its delay and the work that is cut", () => {
    const { outcome, interruptions, basis } = replayed(storyOf(360, pausing));
    // Idle from 60 and hibernated at 65. Work comes at 300 and has the machine back at 310.
    expect(interruptions).toEqual([
      {
        hibernatedAt: minute(65),
        at: minute(300),
        evidence: "GPU at 90%",
        delayedMs: 10 * MINUTE_MS,
        workCutMs: 10 * MINUTE_MS,
      },
    ]);
    expect(minutesOf(outcome)).toEqual([110, 5, 0, 245]);
    expect(outcome).toMatchObject({ hibernations: 1, regrets: 0, interruptions: 1, deletions: 0 });
    // From the order to the word to wake it saves; after that it costs as little, and saves nothing.
    expect(outcome.saved).toBeCloseTo((235 / 60) * 0.39, 9);
    expect(outcome.cost).toBeCloseTo((115 / 60) * 0.4 + (245 / 60) * 0.01, 9);
    expect(outcome.wasted).toBeCloseTo((2 / 60) * 0.4, 9);
    expect(basis).toEqual({ readings: 360, coarseMs: 0, assumedIdleMs: 0, readingsWithoutUse: 360 });
  });

  it("takes as long as the wakes of this machine took", () => {
    const slow = [
      event(-300, "hibernated", { reason: "idle" }),
      event(-200, "waking", { action_id: "wake-1" }),
      event(-196, "woken"),
    ];
    const { interruptions } = replayed(storyOf(360, pausing, { events: slow }));
    expect(interruptions).toMatchObject([{ delayedMs: 4 * MINUTE_MS, workCutMs: 4 * MINUTE_MS }]);
  });

  it("takes ten minutes where it only ever came back by itself", () => {
    const byHand = [event(-300, "hibernated", { reason: "idle" }), event(-200, "woken")];
    const { interruptions } = replayed(storyOf(360, pausing, { events: byHand }));
    expect(interruptions).toMatchObject([{ delayedMs: 10 * MINUTE_MS, workCutMs: 10 * MINUTE_MS }]);
  });

  it("lasts as long where nobody but its owner can start the machine", () => {
    const story = storyOf(360, pausing, { profile: { provider: "agent" } });
    const { outcome, interruptions } = replayed(story);
    expect(interruptions).toMatchObject([
      { at: minute(300), delayedMs: 10 * MINUTE_MS, workCutMs: 10 * MINUTE_MS },
    ]);
    expect(outcome).toMatchObject({ delayedMs: 10 * MINUTE_MS, interruptions: 1 });
  });

  it("cuts only what is work: the rest of the time until it is back is delay alone", () => {
    const blink = [
      ...readingsOf(0, 60, 90),
      ...readingsOf(60, 200, 0),
      readingAt(200, 50),
      ...readingsOf(201, 360, 0),
    ];
    const { outcome } = replayed(storyOf(360, blink));
    expect(outcome).toMatchObject({ interruptions: 1, delayedMs: 10 * MINUTE_MS, workCutMs: MINUTE_MS });
    // It is back at 210, idle still, and hibernated again five minutes after.
    expect(outcome.hibernations).toBe(2);
  });

  it("is none where the candidate waits for longer than the pause lasts", () => {
    const patient = { idle: { warn_after_seconds: 7200, hibernate_after_seconds: 18_000 } };
    const { outcome } = replayed(storyOf(360, pausing), patient);
    expect(minutesOf(outcome)).toEqual([120, 240, 0, 0]);
    expect(outcome).toMatchObject({ hibernations: 0, interruptions: 0, saved: 0 });
    expect(outcome.wasted).toBeCloseTo((120 / 60) * 0.4, 9);
  });

  it("counts as regretted where the work comes soon after", () => {
    const lunch = [...readingsOf(0, 60, 90), ...readingsOf(60, 70, 0), ...readingsOf(70, 120, 90)];
    expect(replayed(storyOf(120, lunch)).outcome).toMatchObject({
      hibernations: 1,
      regrets: 1,
      interruptions: 1,
    });
  });

  it("is found by any policy in the same work, whatever that policy takes for idle", () => {
    // At 4 % a server answers now and then: idle by a threshold of 5, and work all the same.
    const server = [...readingsOf(0, 60, 90), ...readingsOf(60, 240, 4)];
    const { outcome, interruptions } = replayed(storyOf(240, server), { idle: { threshold_percent: 5 } });
    expect(interruptions[0]).toMatchObject({
      hibernatedAt: minute(65),
      at: minute(66),
      evidence: "GPU at 4%",
    });
    expect(outcome.interruptions).toBe(11);
    expect(replayed(storyOf(240, server), { idle: { threshold_percent: 3 } }).outcome).toMatchObject({
      hibernations: 0,
      interruptions: 0,
    });
  });

  it("lasts to the end where the machine is not back by then", () => {
    const late = [...readingsOf(0, 60, 90), ...readingsOf(60, 296, 0), ...readingsOf(296, 300, 90)];
    expect(replayed(storyOf(300, late)).interruptions).toMatchObject([
      { at: minute(296), delayedMs: 4 * MINUTE_MS, workCutMs: 4 * MINUTE_MS },
    ]);
  });

  it("is kept fifty times at most, the longest, and counted always", () => {
    const nervous: Heartbeat[] = [];
    for (let round = 0; round < 80; round++) {
      const from = 30 * round;
      nervous.push(
        ...readingsOf(from, from + 1 + (round % 3), 90),
        ...readingsOf(from + 1 + (round % 3), from + 30, 0),
      );
    }
    const { outcome, interruptions } = replayed(storyOf(2400, nervous));
    expect(outcome.interruptions).toBe(79);
    expect(interruptions).toHaveLength(50);
    expect(interruptions.filter(({ workCutMs }) => workCutMs === 3 * MINUTE_MS)).toHaveLength(26);
  });
});

describe("the machine", () => {
  it("is silent where it was, and hibernated for that", () => {
    const { outcome } = replayed(storyOf(120, readingsOf(0, 31, 90)));
    // Heard last at 30, an orphan at 35, hibernated at 60.
    expect(minutesOf(outcome)).toEqual([35, 0, 25, 60]);
    expect(outcome.wasted).toBeCloseTo((25 / 60) * 0.4, 9);
  });

  it("is left alone by a guard that was closed, until that opens and silence counts anew", () => {
    const held = storyOf(180, readingsOf(0, 31, 90), { guardClosed: [{ from: minute(50), to: minute(90) }] });
    const { outcome } = replayed(held);
    // The question is put at 60, answered no until 90, and silence counts from 90: hibernated at 120.
    expect(minutesOf(outcome)).toEqual([35, 0, 85, 60]);
  });

  it("is deleted by the first cleanup once its silence has lasted for the days of the policy", () => {
    const { outcome } = replayed(storyOf(3 * 1440, readingsOf(0, 31, 90)), {
      orphan: { delete_after_days: 1 },
    });
    // An orphan since 00:35, so the cleanup of the next day at 03:17 deletes it: what comes after costs nothing.
    expect(outcome.deletions).toBe(1);
    expect(minutesOf(outcome)).toEqual([35, 0, 25, 1440 + 197 - 60]);
  });

  it("is kept alive when people kept it alive", () => {
    const kept = [event(62, "kept_alive", { keep_alive_until: new Date(minute(122)).toISOString() })];
    const { outcome } = replayed(storyOf(360, pausing, { events: kept }));
    // The run counts from 122 on.
    expect(outcome).toMatchObject({ hibernations: 1, interruptions: 1 });
    expect(outcome.hibernatedMs).toBe((310 - 127) * MINUTE_MS);
  });

  it("is off while a person had it off, and back when the person had it back, which interrupts nothing", () => {
    const events = [
      event(60, "hibernating", { rule: "owner" }),
      event(61, "hibernated", { reason: "owner" }),
      event(290, "waking"),
      event(295, "woken"),
    ];
    const readings = [...readingsOf(0, 60, 90), ...readingsOf(295, 360, 90)];
    const { outcome } = replayed(storyOf(360, readings, { events }), { idle: { enabled: false } });
    expect(outcome).toMatchObject({ hibernations: 1, interruptions: 0, regrets: 0 });
    expect(minutesOf(outcome)).toEqual([125, 0, 0, 235]);
  });

  it("goes off when a person wants it off, whatever it still does then", () => {
    const events = [
      event(100, "hibernating", { rule: "owner" }),
      event(103, "hibernated", { reason: "owner" }),
      event(290, "waking"),
      event(295, "woken"),
    ];
    const readings = [...readingsOf(0, 105, 90), ...readingsOf(295, 360, 90)];
    const story = storyOf(360, readings, { events });
    const { outcome } = replayed(story, { idle: { enabled: false } });
    expect(outcome).toMatchObject({ hibernations: 1, interruptions: 0 });
    expect(minutesOf(outcome)).toEqual([165, 0, 0, 195]);
    expect(minutesOf(actualOf(story).outcome)).toEqual([168, 0, 0, 192]);
  });

  it("is gone while its provider had it no more, and another one from when one took its place", () => {
    const events = [
      event(60, "gone"),
      event(100, "changed", { provider_ref: "other", moved: true }),
      event(110, "first_heartbeat"),
    ];
    const readings = [
      ...readingsOf(0, 30, 90),
      ...readingsOf(30, 60, 0),
      ...readingsOf(110, 170, 90),
      ...readingsOf(170, 300, 0),
    ];
    const story = storyOf(300, readings, { events });
    const { outcome } = replayed(story);
    expect(outcome).toMatchObject({ hibernations: 2, interruptions: 0, regrets: 0 });
    expect(minutesOf(outcome)).toEqual([30 + 60, 5 + 5, 10, 25 + 125]);
    // One that was on is as much gone.
    expect(minutesOf(replayed(story, { idle: { enabled: false } }).outcome)).toEqual([60 + 190, 0, 10, 0]);
    expect(minutesOf(actualOf(story).outcome)).toEqual([30 + 60, 30 + 130, 10, 0]);
  });

  it("beats on where its provider was wrong that it had it no more", () => {
    const events = [event(60, "gone"), event(110, "woken")];
    const readings = [...readingsOf(0, 60, 90), ...readingsOf(110, 300, 90)];
    const story = storyOf(300, readings, { events });
    const { outcome } = replayed(story);
    expect(outcome).toMatchObject({ hibernations: 0, interruptions: 0 });
    expect(minutesOf(outcome)).toEqual([60 + 190, 0, 0, 0]);
    expect(minutesOf(actualOf(story).outcome)).toEqual([60 + 190, 0, 0, 0]);
  });

  it("is taken to have idled on where it really was off, and that is said", () => {
    const events = [
      event(63, "idle"),
      event(65, "hibernating", { rule: "idle" }),
      event(65, "hibernated", { reason: "idle" }),
      event(290, "waking"),
      event(300, "woken"),
    ];
    const readings = [...readingsOf(0, 60, 90), ...readingsOf(60, 65, 0), ...readingsOf(300, 360, 90)];
    const story = storyOf(360, readings, { events });
    const { outcome, basis } = replayed(story, {
      idle: { warn_after_seconds: 7200, hibernate_after_seconds: 18_000 },
    });
    expect(minutesOf(outcome)).toEqual([120, 240, 0, 0]);
    expect(basis.assumedIdleMs).toBe((300 - 65) * MINUTE_MS - MINUTE_MS);
    const actual = actualOf(story);
    expect(minutesOf(actual.outcome)).toEqual([120, 5, 0, 235]);
    expect(actual.outcome).toMatchObject({ hibernations: 1, interruptions: 0, regrets: 0 });
    expect(actual.outcome.saved).toBeCloseTo((225 / 60) * 0.39, 9);
  });

  it("wakes by the candidate's own schedule", () => {
    const schedule = {
      timezone: "UTC",
      awake: [{ days: ["fri" as const], from: "04:00", to: "05:00" }],
      outside: "idle_rules" as const,
      wake_at_start: true,
    };
    const { outcome } = replayed(storyOf(360, pausing), { schedule });
    // Hibernated at 65, woken at 240 and back at 250; awake until 300, when the work comes.
    expect(outcome).toMatchObject({ hibernations: 1, interruptions: 0 });
    expect(outcome.hibernatedMs).toBe((250 - 65) * MINUTE_MS);
  });

  it("is woken by its schedule before the work of the same moment comes", () => {
    const atOnce = [
      event(-300, "hibernated", { reason: "idle" }),
      event(-200, "waking"),
      event(-200, "woken"),
    ];
    const schedule = {
      timezone: "UTC",
      awake: [{ days: ["fri" as const], from: "05:00", to: "06:00" }],
      outside: "idle_rules" as const,
      wake_at_start: true,
    };
    const { outcome } = replayed(storyOf(360, pausing, { events: atOnce }), { schedule });
    expect(outcome).toMatchObject({ interruptions: 0, hibernatedMs: (300 - 65) * MINUTE_MS });
  });

  it("is hibernated once its hooks have run for as long as they last took", () => {
    const events = [
      event(-500, "preparing", { preparation_id: "p1", because: "idle" }),
      event(-497, "prepared", { preparation_id: "p1", prepare_seconds: 180 }),
      event(-497, "hibernating", { rule: "idle", preparation_id: "p1" }),
      event(-497, "hibernated", { reason: "idle" }),
      event(-400, "woken"),
    ];
    const { outcome } = replayed(storyOf(300, pausing.slice(0, 300), { events }));
    expect(outcome.hibernatedMs).toBe((300 - 68) * MINUTE_MS);
  });

  it("shows no work while it was being prepared for a hibernation that another policy ordered", () => {
    const saving = {
      gpuPercent: 80,
      use: { gpuMaxPercent: 95, sources: [], unread: [], preparation: "running" as const },
    };
    const readings = [
      ...readingsOf(0, 60, 90),
      ...readingsOf(60, 90, 0),
      ...readingsOf(90, 94, saving),
      ...readingsOf(94, 200, 0),
    ];
    const events = [event(89, "preparing", { rule: "idle" }), event(94, "preparation_cancelled")];
    const { outcome } = replayed(storyOf(200, readings, { events }));
    expect(outcome).toMatchObject({ hibernations: 1, interruptions: 0 });
  });

  it("is at work where it says that its hooks run, and nothing was prepared", () => {
    const lie = { gpuPercent: 80, status: "preparing" };
    const readings = [...readingsOf(0, 60, 90), ...readingsOf(60, 400, lie)];
    const events = [event(70, "preparing", { rule: "idle" }), event(71, "preparation_cancelled")];
    const { outcome } = replayed(storyOf(400, readings, { events }));
    expect(outcome.hibernations).toBe(0);
    expect(outcome.workingMs).toBeGreaterThan(397 * MINUTE_MS);
    const hidden = storyOf(400, [...readingsOf(0, 60, 0), ...readingsOf(60, 400, lie)]);
    expect(replayed(hidden).outcome).toMatchObject({ hibernations: 1, interruptions: 1 });
  });

  it("shows work by who was there while it was being prepared", () => {
    const use = { gpuMaxPercent: 80, sources: [1], unread: [], preparation: "running" as const };
    const readings = [
      ...readingsOf(0, 60, 90),
      ...readingsOf(60, 90, 0),
      ...readingsOf(90, 94, { gpuPercent: 80, use }),
      ...readingsOf(94, 200, 0),
    ];
    const events = [
      event(90, "preparing", { rule: "idle", preparation_id: "p1" }),
      event(94, "preparation_cancelled", { preparation_id: "p1" }),
    ];
    expect(replayed(storyOf(200, readings, { events })).interruptions).toMatchObject([
      { hibernatedAt: minute(65), at: minute(90), evidence: "in use: 1 ssh_connections" },
    ]);
  });

  it("beats as often as it did, also where the candidate would hear it more often", () => {
    const readings = readingsOf(0, 300, 0);
    const often = { heartbeat_interval_seconds: 10, orphan: { orphan_after_seconds: 30 } };
    const { outcome } = replayed(storyOf(300, readings), often);
    expect(minutesOf(outcome)).toEqual([0, 5, 0, 295]);
  });

  it("shows work by what came late, and is no more heard for it", () => {
    const late = readingsOf(40, 120, { gpuPercent: 95, isLate: true });
    const story = storyOf(240, [...readingsOf(0, 40, 90), ...late, ...readingsOf(120, 240, 90)]);
    const { outcome, interruptions } = replayed(story);
    // Heard last at 39 and hibernated at 69, while it worked: woken for that, it is not heard either.
    expect(interruptions).toMatchObject([
      { hibernatedAt: minute(69), at: minute(70), evidence: "GPU at 95%" },
      { hibernatedAt: minute(110), at: minute(111), evidence: "GPU at 95%" },
    ]);
    expect(outcome.hibernations).toBe(2);
  });

  it("ends an idle run by work that came late", () => {
    const late = readingsOf(63, 64, { gpuPercent: 95, isLate: true });
    const quiet = [...readingsOf(60, 63, 0), ...late, ...readingsOf(64, 100, 0)];
    const { outcome } = replayed(storyOf(100, [...readingsOf(0, 60, 90), ...quiet]));
    // It is idle anew from 64 on, and hibernated at 69.
    expect(outcome.hibernatedMs).toBe((100 - 69) * MINUTE_MS);
  });
});

describe("what only hours tell", () => {
  it("is work all through an hour with any, and idle for any without, and is said to be coarse", () => {
    const hours = [0, 1, 2].map((hour) => ({
      at: minute(60 * hour),
      heartbeats: 60,
      workHeartbeats: hour === 1 ? 1 : 0,
      gpuMaxPercent: hour === 1 ? 70 : 1,
    }));
    const { outcome, basis, interruptions } = replayed(storyOf(240, readingsOf(180, 240, 90), { hours }));
    expect(basis).toMatchObject({ coarseMs: 3 * HOUR_MS, readings: 60 });
    expect(interruptions).toMatchObject([
      { hibernatedAt: minute(5), at: minute(60), evidence: "an hour with work" },
      { hibernatedAt: minute(125), at: minute(180), evidence: "GPU at 90%" },
    ]);
    expect(outcome.workCutMs).toBe(20 * MINUTE_MS);
  });

  it("counts an hour of which nobody knows whether there was work as work", () => {
    const hours = [{ at: minute(0), heartbeats: 60, workHeartbeats: null, gpuMaxPercent: null }];
    expect(minutesOf(replayed(storyOf(60, [], { hours })).outcome)).toEqual([60, 0, 0, 0]);
  });
});

describe("prices", () => {
  it("that nobody knows leave their time unpriced, and claim no saving", () => {
    const { outcome } = replayed(
      storyOf(360, pausing, { profile: { hourlyCost: null, hibernatedHourlyCost: null } }),
    );
    expect(outcome).toMatchObject({ cost: 0, saved: 0, wasted: 0, unpricedMs: 360 * MINUTE_MS });
  });

  it("are those of the profile, whatever the machine has reported", () => {
    const reported = pausing.map((reading, index) => ({ ...reading, costAccumulated: index * 10 }));
    const plain = replayed(storyOf(360, pausing)).outcome;
    expect(replayed(storyOf(360, reported)).outcome).toEqual(plain);
  });
});
