import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Decision } from "../../src/lifecycle/decide.ts";
import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import type { HibernationRound, InstanceEvent } from "../../src/lifecycle/model/instance-event.ts";
import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import { DAYS } from "../../src/lifecycle/model/windows.ts";
import { isAwakeTime } from "../../src/lifecycle/rules/awake-hours.ts";
import { dueLook } from "../../src/lifecycle/rules/look.ts";
import { isInMaintenance } from "../../src/lifecycle/rules/maintenance.ts";
import { actionOf } from "../../src/lifecycle/rules/order.ts";
import { at, Timeline } from "./timeline.ts";

/** Random lives under policies with windows and limits. Each step is held against the invariants, as the actor holds it. */

const RUNS = Math.ceil(Number(process.env.PROPERTY_RUNS ?? 200) / 5);

vi.setConfig({ testTimeout: 3_600_000 });

/** Its alarm is never set to what is due already: it would fire again and again. */
class Life extends Timeline {
  override apply(event: InstanceEvent): Decision {
    const decision = super.apply(event);
    const { wakeAt } = decision;
    // Its shell looks at the machine at once.
    if (dueLook(this.state, this.policy, this.now) !== null) return decision;
    if (wakeAt !== null && !(wakeAt > this.now && Number.isFinite(wakeAt))) {
      throw new Error(`after ${event.type} at ${this.now} the alarm is set to ${wakeAt}`);
    }
    return decision;
  }
}

type Step =
  | { readonly type: "heartbeats"; readonly gpu: number | null; readonly minutes: number }
  | { readonly type: "wait"; readonly minutes: number }
  /** The service is away: its alarm comes late. */
  | { readonly type: "absence"; readonly minutes: number }
  | { readonly type: "guard"; readonly permitted: boolean }
  | { readonly type: "order"; readonly succeeds: boolean }
  | { readonly type: "policy"; readonly overrides: PolicyOverrides }
  /** Its provider is to take it back: so the machine says for a while. */
  | { readonly type: "notice"; readonly minutes: number }
  | {
      readonly type: "event";
      readonly event: "cleanup" | "keep_alive" | "hibernate" | "wake" | "all" | "idle";
    };

const NOTICE: HeartbeatReport = { gpu_utilization: 1, status: "reclaimed", reclaim: { by: "ec2" } };

const days = [...DAYS];

/** Many windows a day, so that each life meets some. */
const overridesOf: fc.Arbitrary<PolicyOverrides> = fc.record({
  mode: fc.oneof(
    { weight: 5, arbitrary: fc.constant("act" as const) },
    { weight: 1, arbitrary: fc.constant("observe" as const) },
  ),
  orphan: fc.record({ act_on_never_heard: fc.boolean() }),
  guard: fc.record({ enabled: fc.boolean() }),
  max_runtime_hours: fc.constantFrom(null, null, 0.5, 3),
  schedule: fc.record({
    timezone: fc.constantFrom("UTC", "Asia/Kathmandu"),
    awake: fc.subarray(
      [
        { days, from: "00:00", to: "01:00" },
        { days, from: "02:20", to: "03:05" },
        { days, from: "05:00", to: "12:00" },
        { days, from: "23:00", to: "23:40" },
      ],
      { minLength: 0 },
    ),
    outside: fc.constantFrom("hibernate" as const, "hibernate" as const, "idle_rules" as const),
    wake_at_start: fc.boolean(),
  }),
  maintenance: fc.record({
    windows: fc.subarray([
      { days, from: "00:10", to: "00:30" },
      { days, from: "01:30", to: "04:00" },
      { from: "2025-12-19T06:00:00Z", to: "2025-12-20T06:00:00Z" },
    ]),
  }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("heartbeats" as const),
      gpu: fc.constantFrom(1, 1, 90, 90, null),
      minutes: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 90 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      minutes: fc.oneof(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 300 }),
        fc.constant(11_000),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("absence" as const),
      minutes: fc.integer({ min: 1, max: 400 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("notice" as const),
      minutes: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 200 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("guard" as const),
      permitted: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant("order" as const),
      succeeds: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("event" as const),
      event: fc.constantFrom("cleanup", "keep_alive", "hibernate", "wake", "all", "idle"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("policy" as const), overrides: overridesOf }),
  },
);

/** At work beyond the end of some awake hours, stopped for it, and asleep until others begin. */
const night = fc.integer({ min: 60, max: 400 }).map((minutes): Step[] => [
  { type: "heartbeats", gpu: 90, minutes: 75 },
  { type: "order", succeeds: true },
  { type: "wait", minutes },
]);

const life = fc.record({
  provider: fc.constantFrom("agent" as const, "webhook" as const, "webhook" as const, "none" as const),
  hooks: fc.boolean(),
  overrides: overridesOf,
  steps: fc
    .array(fc.oneof({ weight: 8, arbitrary: step.map((one) => [one]) }, { weight: 2, arbitrary: night }), {
      minLength: 1,
      maxLength: 40,
    })
    .map((parts) => parts.flat()),
});

/** At work until it is stopped at the end of its awake hours, and woken as others begin: few random lives come to that. */
const STOPPED_AND_WOKEN = {
  provider: "webhook" as const,
  hooks: false,
  overrides: {
    schedule: {
      timezone: "UTC",
      awake: [
        { days, from: "00:00", to: "01:00" },
        { days, from: "05:00", to: "12:00" },
      ],
      outside: "hibernate" as const,
      wake_at_start: true,
    },
  },
  steps: [
    { type: "heartbeats" as const, gpu: 90, minutes: 75 },
    { type: "order" as const, succeeds: true },
    { type: "wait" as const, minutes: 300 },
  ],
};

function eventOf(name: Extract<Step, { type: "event" }>["event"], now: number): InstanceEvent {
  switch (name) {
    case "cleanup":
      return { type: "cleanup" };
    case "keep_alive":
      return { type: "keep_alive", durationMs: 20 * MINUTE_MS };
    case "hibernate":
      return { type: "hibernate.requested" };
    case "wake":
      return { type: "wake.requested" };
    case "all":
    case "idle":
      return { type: "hibernate.requested", round: roundOf(name === "idle", now) };
  }
}

function roundOf(onlyIdle: boolean, now: number): HibernationRound {
  return { by: "budget", askedAt: now, onlyIdle, status: null, keepAliveUpTo: 0 };
}

function take(line: Life, one: Step, hooks: boolean): void {
  switch (one.type) {
    case "heartbeats":
      for (let minute = 0; minute < one.minutes; minute++) {
        line.until(line.now + MINUTE_MS);
        line.heartbeat({ gpu_utilization: one.gpu, ...(hooks ? { hooks: ["prepare"] } : {}) });
        checkNow(line);
      }
      return;
    case "notice":
      for (let minute = 0; minute < one.minutes; minute++) {
        line.until(line.now + MINUTE_MS).heartbeat({ ...NOTICE, ...(hooks ? { hooks: ["prepare"] } : {}) });
      }
      return;
    case "wait":
      line.until(line.now + one.minutes * MINUTE_MS);
      return;
    case "absence": {
      line.now += one.minutes * MINUTE_MS;
      const dueAt = line.armedAt;
      if (dueAt === null || dueAt > line.now) return;
      line.armedAt = null;
      line.command({ type: "alarm", dueAt });
      return;
    }
    case "guard":
      line.answerGuard(one.permitted);
      return;
    case "order":
      if (actionOf(line.state) === null) return;
      if (one.succeeds) line.succeed();
      else line.fail();
      return;
    case "policy":
      line.changePolicy(one.overrides);
      return;
    case "event":
      line.command(eventOf(one.event, line.now));
  }
}

/** What is seen of it never fails, and holds. */
function checkNow(line: Life): void {
  const { lifecycle, health } = line.view;
  if (health === "idle") expect(isAwakeTime(line.policy, line.now)).toBe(false);
  if (lifecycle.blocked_by === "schedule") expect(isAwakeTime(line.policy, line.now)).toBe(true);
}

const OF_SILENCE = ["orphaned", "silent", "abandoned", "never_heard"];

describe("a random life under a policy with windows", () => {
  it("idles nothing away in awake hours, and moves nobody for silence in maintenance", () => {
    const seen = { planned: 0, woken: 0, failed: 0 };
    fc.assert(
      fc.property(life, ({ provider, hooks, overrides, steps }) => {
        const line = new Life({ provider, overrides });
        for (const one of steps) {
          const before = line.events.length;
          const { policy } = line;
          take(line, one, hooks);
          line.drain();
          if (one.type === "policy") continue;
          for (const { kind, at, detail } of line.events.slice(before)) {
            const isIdleStep =
              kind === "idle" ||
              (kind === "hibernating" && detail.rule === "idle" && detail.prepared == null);
            if (isIdleStep) expect(isAwakeTime(policy, at), `${kind} at ${at}`).toBe(false);
            // One that we have hibernated is told of by its own deadlines.
            const isOfSilence = OF_SILENCE.includes(kind) && line.view.hibernated_since === null;
            if (isOfSilence) expect(isInMaintenance(policy, at), `${kind} at ${at}`).toBe(false);
          }
        }
        checkStops(line);
        seen.planned += line.events.filter(
          ({ kind, detail }) => kind === "hibernating" && isPlanned(detail),
        ).length;
        seen.woken += line.events.filter(
          ({ kind, detail }) => kind === "waking" && detail.rule === "schedule",
        ).length;
        seen.failed += line.events.filter(
          ({ kind, detail }) => kind === "hibernate_failed" && detail.because === "schedule",
        ).length;
      }),
      { numRuns: RUNS, examples: [[STOPPED_AND_WOKEN]] },
    );
    // By the example at least.
    expect(seen.planned).toBeGreaterThan(0);
    expect(seen.failed + seen.woken).toBeGreaterThan(0);
  });
});

describe("whatever has happened to it, under a policy that acts", () => {
  /** Longer than any backoff, any keep-alive, and the life of a notice. */
  const LONG_MS = 8 * 60 * MINUTE_MS;

  function lived(steps: readonly Step[], overrides: PolicyOverrides, hooks: boolean): Life {
    const line = new Life({ overrides });
    for (const one of steps) take(line, one, hooks);
    if (actionOf(line.state) !== null) line.fail();
    line.changePolicy({ guard: { enabled: false } });
    return line;
  }

  it.each([
    { said: "nothing else", report: { gpu_utilization: 1 } },
    { said: "that it is to be taken back", report: NOTICE },
    { said: "that it has hooks", report: { gpu_utilization: 1, hooks: ["prepare" as const] } },
  ])("a machine that idles on, and says $said, is hibernated", ({ report }) => {
    fc.assert(
      fc.property(life, ({ hooks, overrides, steps }) => {
        const line = lived(steps, overrides, hooks);
        const before = line.orders.length;
        const until = line.now + LONG_MS;
        while (line.now < until && line.orders.length === before) {
          line.until(line.now + MINUTE_MS).heartbeat(report);
        }
        expect(line.orders.length).toBeGreaterThan(before);
      }),
      { numRuns: RUNS },
    );
  });

  it("a machine that falls silent is hibernated", () => {
    fc.assert(
      fc.property(life, ({ hooks, overrides, steps }) => {
        const line = lived(steps, overrides, hooks);
        for (let minute = 0; minute < 5; minute++) line.until(line.now + MINUTE_MS).heartbeat();
        const before = line.orders.length;
        line.until(line.now + LONG_MS);
        expect(line.orders.length).toBeGreaterThan(before);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("a machine that counts as running again", () => {
  it("is warned of a planned stop at that very moment, if its warning is due", () => {
    const awake = [
      { days, from: "00:00", to: "01:00" },
      { days, from: "02:20", to: "03:05" },
    ];
    const line = new Life({ overrides: { schedule: { awake, outside: "hibernate", wake_at_start: true } } });
    line.beatUntil(at("1:00:00"));
    line.succeed();
    line.until(at("2:50:00"));
    line.succeed();
    expect(line.events.slice(-2)).toMatchObject([
      { kind: "woken", at: at("2:50:00") },
      { kind: "stop_planned", at: at("2:50:00") },
    ]);
  });
});

function isPlanned({ rule }: { readonly [key: string]: unknown }): boolean {
  return rule === "schedule" || rule === "max_runtime_hours";
}

/** Each end of the awake hours stops an instance once, but for orders that failed, and a quarter of an hour after a warning. */
function checkStops(line: Life): void {
  const stops = new Map<unknown, number>();
  const warnedAt = new Map<unknown, number>();
  for (const { kind, at, detail } of line.events) {
    if (kind === "stop_planned") warnedAt.set(detail.because, at);
    if (kind === "kept_alive") warnedAt.clear();
    if (kind === "hibernate_failed" && detail.because === "schedule") stops.clear();
    if (kind === "hibernate_cancelled") stops.clear();
    if (kind !== "hibernating" || !isPlanned(detail)) continue;
    expect(at - (warnedAt.get(detail.because) ?? at)).toBeGreaterThanOrEqual(15 * MINUTE_MS);
    if (detail.rule !== "schedule") continue;
    const count = (stops.get(detail.ended_at) ?? 0) + 1;
    expect(count).toBe(1);
    stops.set(detail.ended_at, count);
  }
}
