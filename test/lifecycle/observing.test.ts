import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { HibernationRound, InstanceEvent } from "../../src/lifecycle/model/instance-event.ts";
import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { actionOf } from "../../src/lifecycle/rules/order.ts";
import { START, Timeline } from "./timeline.ts";

/** Random lives, each lived twice: by a policy that acts, and by the same one that only observes. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);

vi.setConfig({ testTimeout: 3_600_000 });

type Step =
  | { readonly type: "heartbeats"; readonly gpu: number | null; readonly minutes: number }
  | { readonly type: "wait"; readonly minutes: number }
  | { readonly type: "guard"; readonly permitted: boolean }
  | { readonly type: "event"; readonly event: "cleanup" | "keep_alive" | "all" | "idle" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("heartbeats" as const),
      gpu: fc.constantFrom(1, 1, 1, 90, null),
      minutes: fc.integer({ min: 1, max: 9 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      minutes: fc.oneof(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 200 }),
        fc.constant(8 * 24 * 60),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("guard" as const),
      permitted: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("event" as const),
      event: fc.constantFrom("cleanup", "keep_alive", "all", "idle"),
    }),
  },
);

const life = fc.record({
  provider: fc.constantFrom("agent" as const, "webhook" as const),
  overrides: fc.record<PolicyOverrides>({
    guard: fc.record({ enabled: fc.boolean() }),
    orphan: fc.record({ act_on_never_heard: fc.boolean() }),
  }),
  steps: fc.array(step, { minLength: 1, maxLength: 30 }),
});

function eventOf(name: Extract<Step, { type: "event" }>["event"], now: number): InstanceEvent {
  switch (name) {
    case "cleanup":
      return { type: "cleanup" };
    case "keep_alive":
      return { type: "keep_alive", durationMs: 20 * 60_000 };
    case "all":
    case "idle":
      return { type: "hibernate.requested", round: round("budget", name === "idle", now) };
  }
}

function round(by: HibernationRound["by"], onlyIdle: boolean, now: number): HibernationRound {
  return { by, askedAt: now, onlyIdle, status: null, keepAliveUpTo: 0 };
}

/** Takes the step, beat by beat. Says whether to go on after each beat. */
function take(line: Timeline, one: Step): void {
  switch (one.type) {
    case "heartbeats":
      for (let minute = 0; minute < one.minutes; minute++) {
        line.until(line.now + 60_000);
        line.heartbeat({ gpu_utilization: one.gpu });
      }
      return;
    case "wait":
      line.until(line.now + one.minutes * 60_000);
      return;
    case "guard":
      line.answerGuard(one.permitted);
      return;
    case "event":
      line.command(eventOf(one.event, line.now));
  }
}

/** When the policy first placed an order; null while it has not. An order may be over by the end of a step. */
function firstOrderAt(line: Timeline): number | null {
  const kinds = ["hibernating", "deleting"];
  return line.events.find(({ kind }) => kinds.includes(kind))?.at ?? null;
}

function firstWouldAt(line: Timeline): number | null {
  const would = line.events.find(
    ({ kind, detail }) => kind.startsWith("would_") && detail.mode === "observe",
  );
  return would?.at ?? null;
}

describe("a random life under a policy that observes", () => {
  it("is told of an order at the very moment at which a policy that acts places its first one", () => {
    let ordered = 0;
    fc.assert(
      fc.property(life, ({ provider, overrides, steps }) => {
        const acting = new Timeline({ provider, overrides });
        const observing = new Timeline({ provider, overrides: { ...overrides, mode: "observe" } });
        for (const one of steps) {
          take(acting, one);
          take(observing, one);
          const at = firstOrderAt(acting);
          expect(firstWouldAt(observing)).toBe(at);
          if (at !== null) {
            ordered += 1;
            return;
          }
          // Up to then both lives are the same, but for what their owners read.
          const { outbox: _, ...acted } = acting.state;
          const { outbox: __, ...observed } = observing.state;
          expect(observed).toEqual(acted);
        }
      }),
      { numRuns: RUNS },
    );
    // Else nothing was compared.
    expect(ordered).toBeGreaterThan(RUNS / 10);
  });

  it("sees no order but a person's, and no agent is told of any other", () => {
    const ask = fc.record({ type: fc.constant("asked" as const), wake: fc.boolean() });
    const withPersons = fc.record({
      provider: fc.constantFrom("agent" as const, "webhook" as const, "lambda" as const),
      steps: fc.array(fc.oneof({ weight: 12, arbitrary: step }, ask), { minLength: 1, maxLength: 40 }),
    });
    fc.assert(
      fc.property(withPersons, ({ provider, steps }) => {
        const line = new Timeline({
          provider,
          overrides: { mode: "observe", orphan: { delete_while_running: true } },
        });
        let asks = 0;
        // A wake is under way until its machine is heard.
        const asked = new Set<string>();
        for (const one of steps) {
          if (one.type === "asked") {
            const event = { type: one.wake ? "wake.requested" : "hibernate.requested" } as const;
            // What breaks an invariant throws: so does an order that nobody has asked for.
            if (line.command(event) === null) asks += 1;
            const order = actionOf(line.state);
            if (order !== null) {
              asked.add(order.id);
              line.succeed();
            }
            continue;
          }
          take(line, one);
          const order = actionOf(line.state);
          expect(order === null || asked.has(order.id)).toBe(true);
        }
        expect(line.orders.length).toBeLessThanOrEqual(asks);
        expect(line.state.profile.registeredAt).toBe(START);
      }),
      { numRuns: RUNS },
    );
  });
});
