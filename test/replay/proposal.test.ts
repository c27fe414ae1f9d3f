import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { DAY_MS, HOUR_MS } from "../../src/lifecycle/model/time.ts";
import { THRESHOLDS_PERCENT, WINDOWS_MINUTES } from "../../src/replay/frontier.ts";
import { type Proposal, proposalOf } from "../../src/replay/proposal.ts";
import {
  addFrontiers,
  type Frontier,
  NO_FRONTIER,
  type ProposalPoint,
  presentSetting,
} from "../../src/replay/proposal-points.ts";
import { proposalInEnglish } from "../../src/replay/say-proposal.ts";

/** What a proposal is made of, without replays. */

const settings = THRESHOLDS_PERCENT.flatMap((thresholdPercent) =>
  WINDOWS_MINUTES.map((hibernateAfterMinutes) => ({ thresholdPercent, hibernateAfterMinutes })),
);

const cameTo: fc.Arbitrary<Omit<ProposalPoint, "thresholdPercent" | "hibernateAfterMinutes">> = fc.record({
  saved: fc.integer({ min: 0, max: 40 }),
  hibernatedMs: fc.integer({ min: 0, max: 40 }).map((hours) => hours * HOUR_MS),
  hibernations: fc.nat(20),
  interruptions: fc.nat(4),
  delayedMs: fc.nat(40 * 60_000),
  workCutMs: fc.integer({ min: 0, max: 3 }).map((hours) => hours * HOUR_MS),
});

const frontiers: fc.Arbitrary<Frontier> = fc
  .tuple(...settings.map((setting) => cameTo.map((rest) => ({ ...setting, ...rest }))))
  .map((points) => ({ points, instances: 1, knownMs: 7 * DAY_MS }));

/** A point that saves `saved` dollars and interrupts so often. */
function point(hibernateAfterMinutes: number, saved: number, interruptions = 0): ProposalPoint {
  return {
    thresholdPercent: 5,
    hibernateAfterMinutes,
    saved,
    hibernatedMs: saved * HOUR_MS,
    hibernations: 1,
    interruptions,
    delayedMs: interruptions * 600_000,
    workCutMs: interruptions * HOUR_MS,
  };
}

function proposed(points: readonly ProposalPoint[], present: Parameters<typeof proposalOf>[1] = null) {
  return proposalOf({ points, instances: 1, knownMs: DAY_MS }, present);
}

function english(proposal: Proposal | null): string {
  return proposal === null ? "" : proposalInEnglish(proposal.says);
}

describe("a proposal", () => {
  it("has no point on its frontier that another dominates, and leaves out none that nobody dominates", () => {
    fc.assert(
      fc.property(frontiers, (frontier) => {
        const { points } = proposalOf(frontier) ?? expect.unreachable();
        const frontierOnly = points.filter(({ isOnFrontier }) => isOnFrontier);
        for (const one of frontierOnly) {
          for (const other of points) {
            const isBetter =
              other.sharePercent >= one.sharePercent &&
              other.interruptions <= one.interruptions &&
              (other.sharePercent > one.sharePercent || other.interruptions < one.interruptions);
            expect(isBetter).toBe(false);
          }
        }
        for (const one of points.filter(({ isOnFrontier }) => !isOnFrontier)) {
          expect(
            frontierOnly.some(
              (other) => other.sharePercent >= one.sharePercent && other.interruptions <= one.interruptions,
            ),
          ).toBe(true);
        }
        expect(new Set(frontierOnly.map(({ sharePercent }) => sharePercent)).size).toBe(frontierOnly.length);
      }),
    );
  });

  it("interrupts nobody, and nothing else that interrupts nobody saves more", () => {
    fc.assert(
      fc.property(frontiers, (frontier) => {
        const { points, proposed } = proposalOf(frontier) ?? expect.unreachable();
        const gentle = points.filter(({ interruptions }) => interruptions === 0);
        expect(proposed?.interruptions ?? 0).toBe(0);
        expect(proposed?.isOnFrontier ?? true).toBe(true);
        const most = Math.max(0, ...gentle.map(({ sharePercent }) => sharePercent));
        expect(proposed?.sharePercent ?? 0).toBe(most);
      }),
    );
  });

  it("is the same for the same days told twice, and for its instances in any order", () => {
    fc.assert(
      fc.property(frontiers, frontiers, frontiers, (a, b, c) => {
        const sum = (...all: readonly Frontier[]) => all.reduce(addFrontiers, NO_FRONTIER);
        const chosen = (frontier: Frontier) => {
          const { proposed, trade, says } = proposalOf(frontier) ?? expect.unreachable();
          const setting = (of: typeof proposed) => [of?.thresholdPercent, of?.hibernateAfterMinutes];
          return [setting(proposed), setting(trade), says.code];
        };
        expect(proposalOf(sum(a, b, c))).toEqual(proposalOf(sum(c, a, b)));
        expect(chosen(sum(a, b, a, b))).toEqual(chosen(sum(a, b)));
      }),
    );
  });

  it("prefers the more careful of settings that save as good as the same", () => {
    const all = proposed([point(5, 100), point(10, 99.9), point(15, 99.6), point(20, 98)]);
    expect(all?.proposed).toMatchObject({ hibernateAfterMinutes: 15, sharePercent: 100 });
  });

  it("says which setting would have kept how much", () => {
    expect(english(proposed([point(5, 100, 3), point(20, 94), point(60, 50)]))).toBe(
      "With idle 20 min at 5 % you would have kept 94 % of the savings ($94.00) and interrupted nobody.",
    );
  });

  it("names what more would cost where the gentle settings save less than half", () => {
    const all = proposed([point(5, 100, 7), point(10, 80, 3), point(60, 20)]);
    expect(all?.proposed?.hibernateAfterMinutes).toBe(60);
    expect(all?.trade?.hibernateAfterMinutes).toBe(10);
    expect(english(all)).toBe(
      "With idle 60 min at 5 % you would have interrupted nobody, but kept only 20 % of the savings ($20.00). " +
        "Idle 10 min at 5 % would have kept 80 % of the savings ($80.00) and interrupted work 3 times, 3 h of it while the machine was off.",
    );
  });

  it("proposes nothing where each setting that saves interrupts, and names the gentlest", () => {
    const all = proposed([point(5, 100, 7), point(10, 80, 1), point(60, 0)]);
    expect(all?.proposed).toBeNull();
    expect(english(all)).toContain("interrupted work once");
  });

  it("tells how much work is cut as exactly as the setting itself does", () => {
    const cut = (workCutMs: number) => proposed([{ ...point(10, 80, 2), workCutMs }, point(60, 0)]);
    expect(cut(27 * 60_000)?.says.parameters).toMatchObject({ work_cut_hours: 0.45 });
    expect(english(cut(27 * 60_000))).toContain("work 2 times, 27 min of it while");
    expect(english(cut(60_000))).toContain("work 2 times, 1 min of it while");
    expect(english(cut(29_000))).toMatch(/work 2 times\.$/);
    expect(english(cut(90.04 * 60_000))).toContain("1.5 h of it");
  });

  it("says so where the setting in force is as good", () => {
    const present = { thresholdPercent: 5, hibernateAfterMinutes: 10 };
    expect(english(proposed([point(5, 100, 3), point(10, 94), point(60, 50)], present))).toBe(
      "What is in force, idle 10 min at 5 %, keeps 94 % of the savings ($94.00) and interrupts nobody.",
    );
  });

  it("says of no policy that it keeps savings where it hibernates nothing for idleness, or something else was tried", () => {
    const idle = { threshold_percent: 5, hibernate_after_seconds: 600 };
    const present = { thresholdPercent: 5, hibernateAfterMinutes: 10 };
    const inForce = mergePolicy({ idle });
    const observes = mergePolicy({ idle, mode: "observe" });
    const isOff = mergePolicy({ idle: { ...idle, enabled: false } });
    const deaf = mergePolicy({ idle: { ...idle, respect_activity: false } });
    expect(presentSetting(inForce, mergePolicy({}))).toEqual(present);
    expect(presentSetting(inForce, observes)).toEqual(present);
    expect(presentSetting(observes, inForce)).toBeNull();
    expect(presentSetting(isOff, inForce)).toBeNull();
    expect(presentSetting(deaf, inForce)).toBeNull();
    expect(presentSetting(inForce, mergePolicy({ max_runtime_hours: 4 }))).toBeNull();
  });

  it("says so where nothing differs, and where nothing is saved", () => {
    expect(proposed([point(5, 9), point(10, 9)])?.says.code).toBe("alike");
    expect(proposed([point(5, 0), point(10, 0)])?.says.code).toBe("nothing_to_save");
  });

  it("goes by hours where nobody knows a price", () => {
    const unpriced = [point(5, 10, 1), point(20, 8)].map((each) => ({ ...each, saved: 0 }));
    const all = proposed(unpriced);
    expect(all?.measure).toBe("hours");
    expect(english(all)).toBe(
      "With idle 20 min at 5 % you would have kept 80 % of the savings (8 h of hibernation) and interrupted nobody.",
    );
  });

  it("is none where less than a day is known", () => {
    expect(proposalOf({ points: [point(5, 1)], instances: 1, knownMs: DAY_MS - 1 })).toBeNull();
    expect(proposalOf(NO_FRONTIER)).toBeNull();
  });

  it("leaves out what was not tried on each instance", () => {
    const one: Frontier = { points: [point(5, 1), point(10, 1)], instances: 1, knownMs: DAY_MS };
    const other: Frontier = { points: [point(10, 2)], instances: 2, knownMs: 2 * DAY_MS };
    expect(addFrontiers(one, other)).toMatchObject({
      points: [{ hibernateAfterMinutes: 10, saved: 3 }],
      instances: 3,
      knownMs: 2 * DAY_MS,
    });
  });
});
