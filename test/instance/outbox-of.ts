import type { Effect, PendingEffect } from "../../src/lifecycle/model/effects.ts";
import { type Heartbeat, heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";

/** Effects for tests of the delivery. */

export const NOW = Date.UTC(2030, 0, 7);
export const MINUTE = 60_000;

export function heartbeat(sequence: number): Heartbeat {
  return heartbeatFrom({ gpu_utilization: 50 }, NOW + sequence, sequence);
}

const EFFECTS = {
  chunk: (id) => ({ type: "chunk", heartbeats: [heartbeat(id)] }),
  event: (id) => ({
    type: "event",
    event: { id: `e-${id}`, at: NOW, kind: "idle", severity: "info", message: "It idles", detail: {} },
  }),
  projection: () => ({ type: "projection" }),
  guard: () => ({ type: "guard", step: "hibernate" }),
  action: (id) => ({
    type: "action",
    order: {
      actionId: `a-${id}`,
      kind: "hibernate",
      reason: "silence",
      machine: { provider: "webhook", providerRef: null },
      sighted: null,
      isHibernated: false,
      snapshotFirst: false,
    },
  }),
  forget: () => ({ type: "forget" }),
} satisfies Record<Effect["type"], (id: number) => Effect>;

/** Effects of these types, with the ids 1, 2, 3 … */
export function outboxOf(...types: Effect["type"][]): PendingEffect[] {
  return types.map((type, index) => ({ id: index + 1, effect: EFFECTS[type](index + 1) }));
}
