import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../../../src/lifecycle/decide.ts";
import type { InstanceEvent } from "../../../src/lifecycle/model/instance-event.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import { type InstanceState, newState } from "../../../src/lifecycle/model/state.ts";
import { DAY_MS, MINUTE_MS } from "../../../src/lifecycle/model/time.ts";
import { actionOf } from "../../../src/lifecycle/rules/order.ts";

const ACTIVE = compilePolicy(DEFAULT_POLICY);
const SUSPENDED = compilePolicy(DEFAULT_POLICY, 1, true);
const START = Date.UTC(2030, 0, 7);

/** What may reach an instance whose user is suspended: heartbeats are refused before. */
const reaches = fc.constantFrom<InstanceEvent>(
  { type: "alarm", dueAt: START },
  { type: "cleanup" },
  { type: "hibernate.requested" },
  { type: "wake.requested" },
  { type: "keep_alive", durationMs: MINUTE_MS },
  { type: "guard.permitted", step: "hibernate", openedAt: null },
  { type: "guard.permitted", step: "force_hibernate", openedAt: null },
  { type: "guard.permitted", step: "delete", openedAt: null },
);

/** A life of busy and idle beats, and of silence, before the suspension. */
const before = fc.array(
  fc.record({
    afterMs: fc.constantFrom(MINUTE_MS, 10 * MINUTE_MS, 3 * 60 * MINUTE_MS, 8 * DAY_MS),
    event: fc.constantFrom<InstanceEvent>(
      { type: "heartbeat", report: { gpu_utilization: 1 } },
      { type: "heartbeat", report: { gpu_utilization: 90 } },
      { type: "alarm", dueAt: START },
      { type: "cleanup" },
      { type: "guard.permitted", step: "hibernate", openedAt: null },
      { type: "guard.permitted", step: "force_hibernate", openedAt: null },
      { type: "guard.permitted", step: "delete", openedAt: null },
    ),
  }),
  { maxLength: 12 },
);

function ordersIn({ outbox }: InstanceState): number {
  return outbox.filter(({ effect }) => effect.type === "action").length;
}

describe("an instance whose user is suspended", () => {
  it.each(["vast", "agent", "none"] as const)("orders nothing, whatever happens (%s)", (provider) => {
    const profile = { name: "rig", provider, providerRef: null, hourlyCost: 1, hibernatedHourlyCost: 0 };
    fc.assert(
      fc.property(before, fc.array(reaches, { minLength: 1, maxLength: 10 }), (past, events) => {
        let now = START;
        let state = newState({ ...profile, registeredAt: START }, 1);
        for (const { afterMs, event } of past) {
          now += afterMs;
          const due = event.type === "alarm" ? { ...event, dueAt: now } : event;
          state = decide(state, due, ACTIVE, now).state;
        }
        state = decide(state, { type: "policy.changed", former: ACTIVE }, SUSPENDED, now).state;
        // What nobody had accepted is called off, or will be once the try on its way has failed.
        expect(actionOf(state)?.handover.state).not.toBe("waiting");
        const orders = ordersIn(state);
        for (const event of events) {
          now += DAY_MS;
          const due = event.type === "alarm" ? { ...event, dueAt: now } : event;
          state = decide(state, due, SUSPENDED, now).state;
          expect(ordersIn(state)).toBe(orders);
        }
        // Resumed: nothing is overdue at once.
        const resumed = decide(state, { type: "policy.changed", former: SUSPENDED }, ACTIVE, now).state;
        const alarmed = decide(resumed, { type: "alarm", dueAt: now }, ACTIVE, now).state;
        expect(ordersIn(alarmed)).toBe(orders);
        const later = decide(alarmed, { type: "alarm", dueAt: now + MINUTE_MS }, ACTIVE, now + MINUTE_MS);
        expect(ordersIn(later.state)).toBe(orders);
      }),
      { numRuns: 500 },
    );
  });
});
