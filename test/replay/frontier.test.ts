import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY, type PolicySettings } from "../../src/lifecycle/model/policy-settings.ts";
import {
  frontierOf,
  settingsAt,
  THRESHOLDS_PERCENT,
  type Tools,
  WINDOWS_MINUTES,
} from "../../src/replay/frontier.ts";
import { KNOWN_AT_LEAST_MS, proposalOf } from "../../src/replay/proposal.ts";
import { addFrontiers, type Frontier, NO_FRONTIER } from "../../src/replay/proposal-points.ts";
import { replay } from "../../src/replay/replay.ts";
import type { Story } from "../../src/replay/story.ts";
import {
  busy,
  dayOf,
  lowUse,
  nightlyJob,
  noise,
  onlyInterrupted,
  quietLunch,
  type Sign,
  unknownMachine,
  weekOf,
} from "./weeks.ts";

/** The real replay over weeks whose right setting is known. */

const compile = (settings: PolicySettings) => compilePolicy(settings);
const TOOLS: Tools = { compile, replay };

function frontier(story: Story): Frontier {
  return frontierOf(story, { settings: DEFAULT_POLICY }, TOOLS);
}

function pointAt(of: Frontier, thresholdPercent: number, hibernateAfterMinutes: number) {
  return of.points.find(
    (point) =>
      point.thresholdPercent === thresholdPercent && point.hibernateAfterMinutes === hibernateAfterMinutes,
  );
}

describe("the proposal for a machine whose right setting is known", () => {
  it("spares a job at 02:00 each night by the window that is longer than the quiet before it", () => {
    const tried = frontier(nightlyJob());
    const proposal = proposalOf(tried);
    expect(proposal?.proposed).toMatchObject({
      thresholdPercent: 3,
      hibernateAfterMinutes: 60,
      interruptions: 0,
    });
    expect(pointAt(tried, 5, 45)?.interruptions).toBe(7);
    expect(pointAt(tried, 5, 90)?.interruptions).toBe(0);
  });

  it("spares an inference server with a quiet lunch of fifty minutes", () => {
    const tried = frontier(quietLunch());
    expect(proposalOf(tried)?.proposed).toMatchObject({ thresholdPercent: 3, hibernateAfterMinutes: 60 });
    expect(pointAt(tried, 5, 45)?.interruptions).toBe(7);
    expect(pointAt(tried, 5, 60)?.interruptions).toBe(0);
  });

  it("takes noise at 2 % for idleness, and interrupts nobody", () => {
    const proposal = proposalOf(frontier(noise()));
    expect(proposal?.proposed).toMatchObject({ thresholdPercent: 3, interruptions: 0 });
    expect(proposal?.proposed?.sharePercent).toBeGreaterThanOrEqual(99);
  });

  it("takes low use at 4 % for use, by the threshold below it", () => {
    const tried = frontier(lowUse());
    expect(proposalOf(tried)?.proposed).toMatchObject({ thresholdPercent: 3, interruptions: 0 });
    expect(pointAt(tried, 5, 5)?.interruptions).toBeGreaterThan(0);
  });

  it("proposes nothing of a machine of which nothing is known", () => {
    expect(proposalOf(frontier(unknownMachine()))).toBeNull();
  });

  it("says so where each setting that saves interrupts", () => {
    const proposal = proposalOf(frontier(onlyInterrupted()));
    expect(proposal?.proposed).toBeNull();
    expect(proposal?.says.code).toBe("interrupts");
  });

  it("says so where nothing was ever idle", () => {
    expect(proposalOf(frontier(busy()))?.says.code).toBe("nothing_to_save");
  });
});

describe("the proposal for a fleet", () => {
  it("spares each of its machines, and is the same in any order", () => {
    const stories = [nightlyJob(), quietLunch(), lowUse(), noise()];
    const frontiers = stories.map(frontier);
    const together = frontiers.reduce(addFrontiers, NO_FRONTIER);
    const proposal = proposalOf(together);
    expect(proposal?.proposed).toMatchObject({
      thresholdPercent: 3,
      hibernateAfterMinutes: 60,
      interruptions: 0,
    });
    const other = frontiers.toReversed().reduce(addFrontiers, NO_FRONTIER);
    expect(proposalOf(other)?.proposed).toMatchObject({ thresholdPercent: 3, hibernateAfterMinutes: 60 });
  });
});

/** What a day is like at random: spells of some minutes, each at its own use, a few of them off or not to be read. */
const days: fc.Arbitrary<Story> = fc
  .array(
    fc.record({
      minutes: fc.integer({ min: 1, max: 140 }),
      gpu: fc.constantFrom(0, 0, 0, 2, 4, 4, 7, 12, 90),
      sign: fc.constantFrom<Sign>("none", "none", "none", "ssh", "unread", "preparing", "late", "silent"),
    }),
    { minLength: 6, maxLength: 30 },
  )
  .map(dayOf);

describe("the frontier of a day at random", () => {
  it("comes to the same as a replay of each setting", () => {
    fc.assert(
      fc.property(days, (story) => {
        for (const { thresholdPercent, hibernateAfterMinutes, ...cameTo } of frontier(story).points) {
          const settings = settingsAt({ settings: DEFAULT_POLICY }, thresholdPercent, hibernateAfterMinutes);
          const { outcome } = replay(story, compile(settings));
          expect(outcome).toMatchObject(cameTo);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("has a proposal that interrupts nobody, the same when the same days are told twice and in another order", () => {
    fc.assert(
      fc.property(days, days, (one, other) => {
        const [a, b] = [frontier(one), frontier(other)];
        const proposal = proposalOf({ ...addFrontiers(a, b), knownMs: KNOWN_AT_LEAST_MS });
        expect(proposal?.proposed?.interruptions ?? 0).toBe(0);
        const again = [b, a, b, a].reduce(addFrontiers, NO_FRONTIER);
        const twice = proposalOf({ ...again, knownMs: KNOWN_AT_LEAST_MS });
        expect(settingIn(twice)).toEqual(settingIn(proposal));
      }),
      { numRuns: 15 },
    );
  });
});

function settingIn(proposal: ReturnType<typeof proposalOf>) {
  const { thresholdPercent, hibernateAfterMinutes } = proposal?.proposed ?? {};
  return { code: proposal?.says.code, thresholdPercent, hibernateAfterMinutes };
}

describe("the frontier", () => {
  it("comes to the same as a replay of each setting", () => {
    for (const story of [nightlyJob(2), quietLunch(), lowUse(), busy(), onlyInterrupted()]) {
      for (const point of frontier(story).points) {
        const { thresholdPercent, hibernateAfterMinutes } = point;
        const { outcome } = replay(
          story,
          compile(settingsAt({ settings: DEFAULT_POLICY }, thresholdPercent, hibernateAfterMinutes)),
        );
        expect(point).toMatchObject({
          saved: outcome.saved,
          interruptions: outcome.interruptions,
          workCutMs: outcome.workCutMs,
        });
      }
    }
  });

  it("replays once what no reading tells apart", () => {
    const counted = (story: Story) => {
      let replays = 0;
      const counting: Tools["replay"] = (of, policy) => {
        replays += 1;
        return replay(of, policy);
      };
      frontierOf(story, { settings: DEFAULT_POLICY }, { compile, replay: counting });
      return replays;
    };
    expect(counted(busy())).toBe(1);
    expect(counted(noise())).toBe(WINDOWS_MINUTES.length);
    // A server that flickers by day: what lies between its thresholds never lasts.
    const flicker = (hour: number) => {
      if (hour < 8) return 0;
      return hour > 8.1 && hour < 23.9 && Math.floor(hour * 60) % 2 === 0 ? 4 : 90;
    };
    expect(counted(weekOf("flicker", { gpuAt: flicker, days: 2 }))).toBe(WINDOWS_MINUTES.length);
    expect(counted(lowUse())).toBeLessThanOrEqual(2 * WINDOWS_MINUTES.length);
  });

  it("leaves what the instance sets itself as it is", () => {
    const own = { threshold: true, window: true };
    const { points } = frontierOf(lowUse(), { settings: DEFAULT_POLICY, own }, TOOLS);
    expect(points).toHaveLength(THRESHOLDS_PERCENT.length * WINDOWS_MINUTES.length);
    expect(new Set(points.map(({ saved }) => saved)).size).toBe(1);
  });

  it("leaves out windows that no machine with such an interval can have", () => {
    const settings = { ...DEFAULT_POLICY, heartbeat_interval_seconds: 600 };
    const { points } = frontierOf(noise(), { settings }, TOOLS);
    expect(Math.min(...points.map(({ hibernateAfterMinutes }) => hibernateAfterMinutes))).toBe(15);
  });

  it("acts also where the policy only observes, or has idleness switched off", () => {
    const settings: PolicySettings = {
      ...DEFAULT_POLICY,
      mode: "observe",
      idle: { ...DEFAULT_POLICY.idle, enabled: false },
    };
    const { points } = frontierOf(noise(), { settings }, TOOLS);
    expect(points.every(({ saved }) => saved > 0)).toBe(true);
  });
});
