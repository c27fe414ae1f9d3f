import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromSample, toSample } from "../../src/history/sample.ts";
import { type Heartbeat, type HeartbeatReport, heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";
import { idleRunOf, orphanOf } from "../../src/lifecycle/model/phase.ts";
import { compilePolicy, type Policy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import { MINUTE_MS, SECOND_MS } from "../../src/lifecycle/model/time.ts";
import type { Explanation } from "../../src/lifecycle/views/explained-step.ts";
import { liveView } from "../../src/lifecycle/views/instance-view.ts";
import type { PolicyInForce, Story } from "../../src/replay/story.ts";
import { type Why, whyAt } from "../../src/replay/why.ts";
import { START, Timeline } from "../lifecycle/timeline.ts";

/** How an instance stood is told from what is kept of it: its heartbeats and events, as the history has them. */

const compile = (inForce: PolicyInForce): Policy => compilePolicy(inForce.settings, 1, inForce.suspended);

interface Moment {
  readonly at: number;
  readonly state: InstanceState;
  readonly policy: Policy;
}

type Step =
  | { readonly does: "beat"; readonly minutes: number; readonly report: HeartbeatReport }
  | { readonly does: "wait"; readonly minutes: number }
  | { readonly does: "policy"; readonly overrides: PolicyOverrides }
  | { readonly does: "keep_alive" | "hibernate" | "wake" | "succeed" | "fail" | "permit" | "defer" };

const reports: fc.Arbitrary<HeartbeatReport> = fc.oneof(
  fc.constantFrom(0, 1, 4, 6, 97).map((gpu_utilization) => ({ gpu_utilization })),
  fc.constantFrom(0, 2).map((value) => ({
    gpu_utilization: 0,
    gpu_utilization_max: 1,
    sources: [{ name: "ssh_connections", value }],
  })),
  fc.constantFrom(null).map((value) => ({ gpu_utilization: 0, sources: [{ name: "cpu_cores", value }] })),
  fc.constant({ cpu_utilization: 3 }),
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("beat" as const),
      minutes: fc.integer({ min: 1, max: 12 }),
      report: reports,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 140 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("policy" as const),
      overrides: fc.constantFrom<PolicyOverrides>(
        {},
        { mode: "observe" },
        { idle: { enabled: false } },
        { idle: { warn_after_seconds: 600, hibernate_after_seconds: 900 } },
        { idle: { threshold_percent: 3 } },
        { idle: { respect_activity: false } },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom("keep_alive", "hibernate", "wake", "succeed", "succeed", "fail", "permit", "defer")
      .map((does): Step => ({ does })),
  },
);

/** Lives it, and looks at it now and then. */
function live(life: readonly Step[]): { story: Story; moments: readonly Moment[] } {
  const timeline = new Timeline({ provider: "webhook" });
  const readings: Heartbeat[] = [];
  const policies: PolicyInForce[] = [inForce(START, {})];
  const moments: Moment[] = [];
  const beat = (report: HeartbeatReport) => {
    timeline.heartbeat(report);
    const kept = timeline.state.recent.at(-1);
    if (kept !== undefined) readings.push(kept);
  };
  const look = () => {
    timeline.until(timeline.now + 500);
    moments.push({ at: timeline.now, state: timeline.state, policy: timeline.policy });
    timeline.until(timeline.now + 500);
  };
  timeline.drain();
  look();
  for (const step of life) {
    switch (step.does) {
      case "beat":
        for (let n = 0; n < step.minutes; n++) {
          timeline.until(timeline.now + MINUTE_MS - 2000);
          beat(step.report);
          look();
        }
        break;
      case "wait":
        timeline.until(timeline.now + step.minutes * MINUTE_MS);
        break;
      case "policy":
        // No alarm fires in the same millisecond.
        timeline.until(timeline.now + 137);
        timeline.changePolicy(step.overrides);
        policies.push(inForce(timeline.now, step.overrides));
        break;
      case "keep_alive":
        timeline.command({ type: "keep_alive", durationMs: 40 * MINUTE_MS });
        break;
      case "hibernate":
        timeline.command({ type: "hibernate.requested" });
        break;
      case "wake":
        timeline.command({ type: "wake.requested" });
        break;
      case "succeed":
        timeline.succeed();
        break;
      case "fail":
        timeline.fail();
        break;
      case "permit":
        timeline.answerGuard(true);
        break;
      case "defer":
        timeline.answerGuard(false);
        break;
    }
    look();
  }
  const { profile, agent } = timeline.state;
  const story: Story = {
    instanceId: "rig",
    profile,
    hasGpu: agent.hasGpu,
    from: START,
    to: timeline.now,
    readings: readings.flatMap((reading, index) => fromSample(toSample(reading), index + 1) ?? []),
    hours: [],
    events: timeline.events.map((event) => ({
      id: event.id,
      at: event.at,
      kind: event.kind,
      detail: event.detail ?? {},
    })),
    policies,
    guardClosed: [],
  };
  return { story, moments };
}

function inForce(from: number, overrides: PolicyOverrides): PolicyInForce {
  return { from, settings: mergePolicy(overrides), suspended: false, unknownBecause: null };
}

/** When the guard is asked again depends on when it answered, which is no event. Why a wake failed is in its event's message alone. */
function shown(status: string, idleSince: number | null, lifecycle: Explanation) {
  const because = lifecycle.because.replace(/: its wake failed then .*$/, "");
  return {
    status,
    // Events tell their moments to the second.
    idleSince: Math.floor((idleSince ?? 0) / SECOND_MS),
    lifecycle: {
      ...lifecycle,
      because,
      at: lifecycle.blocked_by === "guard" ? null : lifecycle.at,
      in_seconds: null,
    },
  };
}

function told({ status, idleSince, lifecycle }: Why) {
  return shown(status, idleSince, lifecycle);
}

function thought({ state, policy, at }: Moment) {
  const { lifecycle } = liveView("rig", state, policy, at);
  return shown(state.phase.status, idleRunOf(state.phase)?.since ?? null, lifecycle);
}

/** Its guard, asked a moment ago, has not answered: no event tells of that. */
function awaitsGuard({ phase }: InstanceState): boolean {
  return orphanOf(phase)?.guard?.heldSince === null;
}

describe("whyAt", () => {
  it("comes to what the instance itself thought at that moment", () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 14 }), (life) => {
        const { story, moments } = live(life);
        for (const moment of moments.filter(({ state }) => !awaitsGuard(state))) {
          const why = whyAt(story, moment.at, compile);
          expect(told(why)).toEqual(thought(moment));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the readings around a moment", () => {
  const heard = (minute: number, gpuPercent: number, more: Partial<Heartbeat> = {}): Heartbeat => ({
    ...heartbeatFrom({ gpu_utilization: gpuPercent, status: "running" }, START + minute * MINUTE_MS, minute),
    ...more,
  });
  const storyWith = (readings: readonly Heartbeat[], more: Partial<Story> = {}): Story => ({
    ...live([]).story,
    from: START,
    to: START + 200 * MINUTE_MS,
    hasGpu: true,
    readings,
    ...more,
  });
  const minutes = Array.from({ length: 150 }, (_, minute) => minute + 1);

  it("are bounded, and each is judged by the policy of its time", () => {
    const readings = minutes.map((minute) => heard(minute, 4));
    const policies = [
      inForce(START, { mode: "observe" }),
      inForce(START + 90 * MINUTE_MS, { mode: "observe", idle: { threshold_percent: 3 } }),
    ];
    const why = whyAt(storyWith(readings, { policies }), START + 95 * MINUTE_MS + 1, compile);
    expect(why.readings).toHaveLength(60);
    expect(why.readings[0]?.at).toBe(START + 56 * MINUTE_MS);
    expect(why.readings.filter(({ verdict }) => verdict === "quiet")).toHaveLength(34);
    expect(why).toMatchObject({
      verdict: "in_use",
      heard: { at: START + 95 * MINUTE_MS, thresholdPercent: 3 },
    });
  });

  it("show no use by what the hooks did while they prepared a hibernation for idleness", () => {
    const events = [
      { minute: 10, kind: "preparing", detail: { rule: "idle", preparation_id: "p1" } },
      { minute: 20, kind: "hibernating", detail: { rule: "idle", preparation_id: "p1" } },
    ].map(({ minute, ...event }) => ({ id: event.kind, at: START + minute * MINUTE_MS, ...event }));
    const saving = { status: "preparing" };
    const readings = [heard(9, 0), heard(12, 80, saving), heard(30, 80, saving), heard(31, 80)];
    const { readings: judged, heard: newest } = whyAt(
      storyWith(readings, { events }),
      START + 12 * MINUTE_MS,
      compile,
    );
    expect(judged.map(({ verdict }) => verdict)).toEqual(["quiet", "quiet", "active", "active"]);
    expect(newest).toMatchObject({ percent: 80, metric: "GPU", because: null, isPreparing: true });
  });

  it("tell late ones apart: they were not heard then", () => {
    const readings = [heard(1, 90), heard(2, 90, { isLate: true })];
    const why = whyAt(storyWith(readings), START + 150_000, compile);
    expect(why.heard?.at).toBe(START + MINUTE_MS);
    expect(why.readings.map(({ isLate }) => isLate)).toEqual([false, true]);
  });

  it("are the hour's sums where no single one is kept", () => {
    const hours = [{ at: START, heartbeats: 60, workHeartbeats: 12, gpuMaxPercent: 91 }];
    const why = whyAt(storyWith([], { hours }), START + 30 * MINUTE_MS, compile);
    expect(why).toMatchObject({ verdict: "not_kept", heard: null, readings: [], hour: hours[0] });
  });

  it("are not said to be missing where more happened than is looked at", () => {
    const story = storyWith([heard(100, 0)], { from: START + 100 * MINUTE_MS });
    expect(whyAt(story, START + 50 * MINUTE_MS, compile).verdict).toBe("not_kept");
  });

  it("may leave open how long it has been idle", () => {
    const readings = minutes.map((minute) => heard(minute, 0));
    const story = storyWith(readings, {
      profile: { ...live([]).story.profile, registeredAt: START - 90 * MINUTE_MS },
      events: [],
      policies: [inForce(START, { idle: { warn_after_seconds: 7200, hibernate_after_seconds: 14_400 } })],
    });
    expect(whyAt(story, START + 100 * MINUTE_MS, compile)).toMatchObject({ isIdleLonger: true });
  });
});
