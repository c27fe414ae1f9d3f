import { describe, expect, it } from "vitest";
import { newLedger } from "../../../src/lifecycle/model/ledger.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";
import { newState } from "../../../src/lifecycle/model/state.ts";

describe("a new instance", () => {
  it("is pending, and nothing is known of it", () => {
    const profile = {
      name: "Rig",
      provider: "webhook",
      providerRef: null,
      hourlyCost: null,
      hibernatedHourlyCost: null,
      registeredAt: 7,
    } as const;
    expect(newState(profile)).toEqual({
      profile,
      phase: { status: "pending", unheard: { because: "registered", from: profile.registeredAt } },
      clock: { lastHeartbeatAt: null, keepAliveUntil: null, graceUntil: null, countsFrom: null },
      counters: {
        totalHeartbeats: 0,
        firstHeartbeatAt: null,
        missed: 0,
        gapFrom: null,
        gpuPercentSum: 0,
        gpuHeartbeats: 0,
        cost: { accumulated: null, day: null, today: 0 },
        saved: { totalMs: 0, totalDollars: 0, monthStart: 0, monthMs: 0, monthDollars: 0 },
      },
      ledger: newLedger(7),
      recent: [],
      unflushed: 0,
      gpuTrend: [],
      outbox: [],
      nextEffectId: 7,
      flaps: { turns: [], told: false },
      agent: {
        bootId: null,
        sequence: null,
        gpus: [],
        hasGpu: false,
        rebootToldAt: null,
        lastWordAt: null,
        nextInHistory: 1,
      },
      sighted: null,
      reminders: { wouldHibernateAt: null, wouldDeleteAt: null },
    });
    expect(STATUSES).toHaveLength(8);
  });
});
