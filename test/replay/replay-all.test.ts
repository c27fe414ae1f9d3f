import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { breachesOf } from "../../src/lifecycle/invariants.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../../src/lifecycle/model/history-event.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/lifecycle/model/time.ts";
import { actualOf } from "../../src/replay/actual.ts";
import { replay, type Witness } from "../../src/replay/replay.ts";
import type { Story } from "../../src/replay/story.ts";
import { type Deed, live, minute, readingsOf, storyOf } from "./stories.ts";

/** What holds of every replay. */

/** By which the two ways of counting may differ: a few heartbeats, at the ends of what they took the machine to do. */
const WITHIN_MS = 3 * MINUTE_MS;

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);

vi.setConfig({ testTimeout: 3_600_000 });

const shown: fc.Arbitrary<HeartbeatReport | null> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(0, 1, 2, 4, 7, 60, 100).map((gpu_utilization) => ({ gpu_utilization })),
  },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant({ cpu_utilization: 2 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<HeartbeatReport[]>(
      { gpu_utilization: 0, gpu_utilization_max: 8, vram_used_gb: 20 },
      { gpu_utilization: 0, sources: [{ name: "ssh_connections", value: 1 }] },
      { gpu_utilization: 0, sources: [{ name: "work_vllm", value: null }] },
      {
        gpu_utilization: 1,
        sources: [
          { name: "cpu_cores", value: 0.7 },
          { name: "own", value: 0 },
        ],
      },
      { gpu_utilization: 1, activity: { ssh_sessions: 2 } },
      { gpus: [{ index: 0, utilization: null }] },
    ),
  },
);

/** Minutes on end that look the same, or go to and fro. */
const stretches = fc.array(
  fc.record({
    minutes: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 150 })),
    by: fc.tuple(shown, shown),
    everyOther: fc.boolean(),
  }),
  { minLength: 1, maxLength: 14 },
);

const deeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.oneof(
    fc.record({
      at: fc.nat(700),
      does: fc.constant("keep alive" as const),
      minutes: fc.integer({ min: 1, max: 90 }),
    }),
    fc.record({ at: fc.nat(700), does: fc.constantFrom("hibernate" as const, "wake" as const) }),
  ),
  { maxLength: 4 },
);

const overrides: fc.Arbitrary<PolicyOverrides> = fc.record({
  mode: fc.constantFrom("act" as const, "act" as const, "observe" as const),
  idle: fc.record({
    enabled: fc.constantFrom(true, true, true, false),
    metric: fc.constantFrom("gpu" as const, "auto" as const),
    threshold_percent: fc.constantFrom(3, 5, 10),
    warn_after_seconds: fc.constantFrom(180, 600),
    hibernate_after_seconds: fc.constantFrom(300, 900, 1800).map((seconds) => Math.max(seconds, 660)),
    respect_activity: fc.boolean(),
  }),
  schedule: fc.constantFrom(undefined, undefined, {
    timezone: "Europe/Berlin",
    awake: [{ days: ["fri" as const], from: "04:00", to: "07:30" }],
    outside: "hibernate" as const,
    wake_at_start: true,
  }),
  max_runtime_hours: fc.constantFrom(null, null, 3),
});

/** Stretches of minutes that are otherwise in the history: of which only hours are kept, which came late, in which the guard was closed. */
const gaps = fc.record({
  hours: fc.nat(3),
  late: fc.record({ from: fc.nat(600), minutes: fc.nat(90) }),
  guard: fc.record({ from: fc.nat(600), minutes: fc.nat(200) }),
});

const lives = fc.record({ stretches, deeds, inForce: overrides, hasHooks: fc.boolean() });

function lived({
  hasHooks,
  stretches: told,
  deeds: done,
  inForce,
}: {
  stretches: readonly {
    minutes: number;
    by: readonly [HeartbeatReport | null, HeartbeatReport | null];
    everyOther: boolean;
  }[];
  deeds: readonly Deed[];
  inForce: PolicyOverrides;
  hasHooks: boolean;
}): Story {
  const shows = told.flatMap(({ minutes, by, everyOther }) =>
    Array.from({ length: minutes }, (_, index) => by[everyOther ? index % 2 : 0] ?? null),
  );
  const hooks: Pick<HeartbeatReport, "hooks"> = hasHooks ? { hooks: ["prepare"] } : {};
  return live(
    shows.length,
    inForce,
    (minute) => {
      const report = shows[minute] ?? null;
      return report === null ? null : { ...report, ...hooks };
    },
    done,
  );
}

/** The same story as it would be kept with such gaps. */
function withGaps(
  story: Story,
  { hours, late, guard }: typeof gaps extends fc.Arbitrary<infer T> ? T : never,
): Story {
  const isLate = (at: number) => at >= minute(late.from) && at < minute(late.from + late.minutes);
  const kept = story.readings.filter(({ at }) => at >= minute(60 * hours));
  return {
    ...story,
    readings: kept.map((reading) =>
      isLate(reading.at) ? { ...reading, use: undefined, isLate: true } : reading,
    ),
    hours: Array.from({ length: hours }, (_, hour) => ({
      at: minute(60 * hour),
      heartbeats: 60,
      workHeartbeats: [0, 5, null][hour] ?? null,
      gpuMaxPercent: [0, 70, 2][hour] ?? null,
    })),
    guardClosed: [{ from: minute(guard.from), to: minute(guard.from + guard.minutes) }],
  };
}

function replayed(story: Story, candidate: PolicyOverrides, witness: Witness = {}) {
  const events: HistoryEvent[] = [];
  const result = replay(
    story,
    compilePolicy(mergePolicy(candidate)),
    {},
    { ...witness, see: (event) => events.push(event) },
  );
  return { result, events };
}

/** Without the numbers of effects, of which those that only tell the registry take some. */
function told({ events }: { readonly events: readonly HistoryEvent[] }) {
  return events.map(({ at, kind, message, detail: { action_id: _, preparation_id: __, ...detail } }) => ({
    at,
    kind,
    message,
    detail,
  }));
}

function isHeardAt({ readings }: Story, moment: number): boolean {
  return readings.some(({ at }) => at === moment);
}

describe("a replay", () => {
  it("tells the same whether stretches are passed over or each reading is fed", () => {
    fc.assert(
      fc.property(lives, gaps, overrides, (life, gap, candidate) => {
        const story = withGaps(lived(life), gap);
        const fast = replayed(story, candidate);
        const slow = replayed(story, candidate, { feedsAll: true });
        expect(told(fast)).toEqual(told(slow));
        const { workingMs, idleMs, silentMs, hibernatedMs, hibernations, regrets, interruptions } =
          fast.result.outcome;
        expect(slow.result.outcome).toMatchObject({
          workingMs,
          idleMs,
          silentMs,
          hibernatedMs,
          hibernations,
          regrets,
          interruptions,
        });
        expect(fast.result.interruptions).toEqual(slow.result.interruptions);
        for (const figure of ["cost", "wasted", "saved"] as const) {
          expect(fast.result.outcome[figure]).toBeCloseTo(slow.result.outcome[figure], 6);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("breaks no invariant, and accounts for all its time", () => {
    fc.assert(
      fc.property(lives, gaps, overrides, (life, gap, candidate) => {
        const story = withGaps(lived(life), gap);
        const watch: Witness["watch"] = (before, after, event, policy, now) => {
          expect(breachesOf(before, after, now, { event, policy })).toEqual([]);
        };
        const { result } = replayed(story, candidate, { watch });
        const { outcome } = result;
        const all = outcome.workingMs + outcome.idleMs + outcome.silentMs + outcome.hibernatedMs;
        if (outcome.deletions === 0) expect(all).toBe(story.to - story.from);
        expect(outcome.saved).toBeLessThanOrEqual(0.39 * (outcome.hibernatedMs / 3_600_000) + 1e-9);
        expect(outcome.wasted).toBeLessThanOrEqual(outcome.cost + 1e-9);
        expect(outcome.workCutMs).toBeLessThanOrEqual(outcome.delayedMs + SECOND_MS);
      }),
      { numRuns: RUNS },
    );
  });

  it("of the policy in force is what really happened, where nobody acted and nothing failed", () => {
    fc.assert(
      fc.property(lives, (life) => {
        const story = lived({ ...life, deeds: [], hasHooks: false });
        // A wake after which nothing is heard has failed.
        fc.pre(story.events.every(({ at, kind }) => kind !== "waking" || isHeardAt(story, at)));
        const { outcome } = replayed(story, life.inForce).result;
        const actual = actualOf(story).outcome;
        const { hibernations, deletions, interruptions, regrets } = actual;
        expect(outcome).toMatchObject({ hibernations, deletions, interruptions, regrets });
        for (const part of ["workingMs", "idleMs", "silentMs", "hibernatedMs", "unpricedMs"] as const) {
          expect(Math.abs(outcome[part] - actual[part]), part).toBeLessThanOrEqual(WITHIN_MS);
        }
        for (const figure of ["cost", "wasted", "saved"] as const) {
          expect(Math.abs(outcome[figure] - actual[figure]), figure).toBeLessThanOrEqual(
            0.4 * (WITHIN_MS / HOUR_MS) + 1e-9,
          );
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("of a policy that never stops has no hibernation, and so no interruption and no saving", () => {
    fc.assert(
      fc.property(stretches, overrides, (told, candidate) => {
        const readings = told.flatMap(({ minutes, by }, index) =>
          readingsOf(150 * index, 150 * index + minutes, { gpuPercent: by[0]?.gpu_utilization ?? 0 }),
        );
        const story = storyOf(150 * told.length, readings);
        const { outcome } = replayed(story, { ...candidate, mode: "observe" }).result;
        expect(outcome).toMatchObject({
          hibernations: 0,
          hibernatedMs: 0,
          interruptions: 0,
          regrets: 0,
          saved: 0,
        });
      }),
      { numRuns: RUNS },
    );
  });
});
