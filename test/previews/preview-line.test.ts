import { describe, expect, it } from "vitest";
import { DEFAULT_POLICY, mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { lineOf } from "../../src/previews/preview-line.ts";
import { MOST_TURNS, TooManyTurns } from "../../src/replay/replay.ts";
import type { Story } from "../../src/replay/story.ts";
import { DAY } from "../world.ts";
import { readingAt } from "./past.ts";

const MINUTE = 60_000;
const DAYS = 2;

const IN_FORCE = { from: DAY, settings: DEFAULT_POLICY, suspended: false, unknownBecause: null };

/** Two days in which it works for an hour and is quiet for 25 minutes by turns, which pass `speed` times as fast. */
function storyAt(speed: number): Story {
  const real = Array.from({ length: DAYS * 24 * 60 }, (_, minute) =>
    readingAt({ from: 0, gpuAt: (at) => (at % 85 < 60 ? 90 : 0) }, minute),
  );
  const to = DAY + (DAYS * 24 * 60 * MINUTE) / speed;
  return {
    instanceId: "rig",
    profile: {
      name: "Rig",
      provider: "agent",
      providerRef: null,
      registeredAt: DAY,
      hourlyCost: speed,
      hibernatedHourlyCost: 0,
    },
    hasGpu: true,
    from: DAY,
    to,
    readings: real.map((reading) => ({ ...reading, at: DAY + reading.at / speed })),
    hours: [],
    events: [],
    policies: [IN_FORCE],
    guardClosed: [],
  };
}

const LEVELS = { userPolicy: {}, overrides: {} };
const ASKED = {
  policy: { idle: { warn_after_seconds: 300, hibernate_after_seconds: 900 } },
  instancePolicy: null,
  wantsProposal: true,
};

describe("what becomes of a past", () => {
  it("is the same for a simulation, in which all passes faster", () => {
    const slow = lineOf(storyAt(1), LEVELS, ASKED, 1);
    const fast = lineOf(storyAt(60), LEVELS, ASKED, 60);
    expect(slow.outcomes.candidate.hibernations).toBeGreaterThan(25);
    for (const of of ["candidate", "in_force", "thrifty", "balanced", "careful"] as const) {
      const [one, other] = [slow.outcomes[of], fast.outcomes[of]];
      expect(other.hibernations).toBe(one.hibernations);
      expect(other.interruptions).toBe(one.interruptions);
      expect(other.saved).toBeCloseTo(one.saved, 3);
    }
    const settingsOf = ({ frontier }: typeof slow) =>
      frontier.points.map((point) => [
        point.thresholdPercent,
        point.hibernateAfterMinutes,
        point.hibernations,
        point.interruptions,
      ]);
    expect(settingsOf(fast)).toEqual(settingsOf(slow));
    expect(fast.proposal?.says.code).toBe(slow.proposal?.says.code);
  });

  it("keeps the own overrides of an instance, unless others are tried in their place", () => {
    const own = { userPolicy: {}, overrides: { idle: { hibernate_after_seconds: 7200 } } };
    const kept = lineOf(storyAt(1), own, { ...ASKED, policy: {} }, 1);
    expect(kept.outcomes.candidate.hibernations).toBe(0);
    const replaced = lineOf(storyAt(1), own, { ...ASKED, instancePolicy: {} }, 1);
    expect(replaced.outcomes.candidate.hibernations).toBeGreaterThan(25);
  });

  it("leaves own overrides as they are by each preset too", () => {
    const settings = mergePolicy({}, { idle: { warn_after_seconds: 3600, hibernate_after_seconds: 7200 } });
    const story = { ...storyAt(1), policies: [{ ...IN_FORCE, settings }] };
    const own = { userPolicy: { mode: "observe" as const }, overrides: { idle: settings.idle } };
    const { outcomes } = lineOf(story, own, ASKED, 1);
    expect([outcomes.thrifty, outcomes.balanced].map(({ hibernations }) => hibernations)).toEqual([0, 0]);
    // Where others are tried in their place, a preset would be set there.
    const replaced = lineOf(story, own, { ...ASKED, instancePolicy: {} }, 1);
    expect(replaced.outcomes.thrifty.hibernations).toBeGreaterThan(25);
  });

  it.each([{ idle: { enabled: false } }, { mode: "observe" as const }])(
    "proposes nothing for what no policy of its user hibernates: %j",
    (overrides) => {
      const settings = mergePolicy({}, overrides);
      const story = { ...storyAt(1), policies: [{ ...IN_FORCE, settings }] };
      const { frontier, outcomes, proposal } = lineOf(story, { userPolicy: {}, overrides }, ASKED, 1);
      expect(new Set(frontier.points.map(({ saved }) => saved))).toEqual(new Set([0]));
      expect(outcomes.thrifty.hibernations).toBe(0);
      expect(proposal?.says.code).toBe("nothing_to_save");
    },
  );

  it("has nothing to propose where nobody asks", () => {
    const line = lineOf(storyAt(1), LEVELS, { ...ASKED, wantsProposal: false }, 1);
    expect([line.frontier.instances, line.proposal]).toEqual([0, null]);
  });

  it("is given up where something is decided with each of its heartbeats, by each policy that is tried", () => {
    // Every other one is said to have come late, so that no stretch of them can be passed over.
    const { readings, ...story } = storyAt(1);
    const levels = [0, 4, 7, 15, 30];
    const forged = Array.from({ length: 5000 }, (_, index) => ({
      ...readingAt({ from: 0, gpuAt: () => levels[Math.floor(index / 70) % levels.length] ?? 0 }, index),
      at: DAY + 5000 * index,
      isLate: index % 2 === 0,
    }));
    const policy = { ...DEFAULT_POLICY, heartbeat_interval_seconds: 5 };
    const policies = [{ from: DAY, settings: policy, suspended: false, unknownBecause: null }];
    const past = { ...story, readings: forged, policies, to: DAY + 25_000_000 };
    expect(() => lineOf(past, LEVELS, ASKED, 1, { left: 50_000 })).toThrow(TooManyTurns);
    const turns = { left: MOST_TURNS };
    lineOf({ ...story, readings }, LEVELS, ASKED, 1, turns);
    expect(MOST_TURNS - turns.left).toBeLessThan(20_000);
  });
});
