import type { ActionOrder, PendingEffect } from "../lifecycle/model/effects.ts";
import { costsInAll, dollarsOf, newLedger } from "../lifecycle/model/ledger.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { newState } from "../lifecycle/model/state.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { ledgerAt } from "../lifecycle/rules/costs.ts";
import { Line } from "./line.ts";
import { type Interruption, NOTHING, type Replayed } from "./outcome.ts";
import { reportOf } from "./report.ts";
import type { Story } from "./story.ts";
import { sayWork, showsWork } from "./work.ts";

export interface ReplayOptions {
  /** By which every duration of the policies was divided, as of those in force. */
  readonly speed?: number;
}

const WAKE_MS = 10 * MINUTE_MS;

/** What the candidate would have made of the story. */
export function replay(story: Story, candidate: Policy, _options: ReplayOptions = {}): Replayed {
  const orders: ActionOrder[] = [];
  let hibernations = 0;
  const see = (effects: readonly PendingEffect[]) => {
    for (const { effect } of effects) {
      if (effect.type === "action") orders.push(effect.order);
      if (effect.type === "event" && effect.event.kind === "hibernated") hibernations += 1;
    }
  };
  const begun = Math.max(story.from, story.profile.registeredAt);
  const state = newState({ ...story.profile, registeredAt: begun });
  const line = new Line({ ...state, ledger: newLedger(begun) }, candidate, begun, see);
  const interruptions: Interruption[] = [];
  let backAt: number | null = null;
  for (const reading of story.readings) {
    if (reading.isLate === true) continue;
    passTo(line, reading.at, orders);
    const { phase } = line.state;
    if (phase.status === "hibernated" && showsWork(reading, story.hasGpu)) {
      if (backAt === null) {
        backAt = reading.at + WAKE_MS;
        interruptions.push({
          hibernatedAt: phase.since,
          at: reading.at,
          evidence: sayWork(reading, story.hasGpu),
          delayedMs: WAKE_MS,
          workCutMs: WAKE_MS,
        });
      }
    }
    if (phase.status === "hibernated" && (backAt === null || reading.at < backAt)) continue;
    backAt = null;
    line.apply({ type: "heartbeat", report: reportOf(reading) }, reading.at);
    carryOut(line, orders);
  }
  passTo(line, story.to, orders);
  const totals = costsInAll(ledgerAt(line.state, story.to));
  return {
    outcome: {
      ...NOTHING,
      workingMs: totals.working.ms,
      idleMs: totals.idle.ms,
      silentMs: totals.silent.ms,
      hibernatedMs: totals.hibernated.ms,
      unpricedMs: totals.unpricedMs,
      cost: dollarsOf(totals),
      wasted: totals.wasted,
      saved: totals.saved,
      hibernations,
      interruptions: interruptions.length,
      delayedMs: interruptions.reduce((sum, { delayedMs }) => sum + delayedMs, 0),
      workCutMs: interruptions.reduce((sum, { workCutMs }) => sum + workCutMs, 0),
    },
    interruptions,
    basis: { readings: story.readings.length, coarseMs: 0, assumedIdleMs: 0, readingsWithoutUse: 0 },
  };
}

function passTo(line: Line, moment: number, orders: ActionOrder[]): void {
  while (line.wakeAt !== null && line.wakeAt < moment) {
    line.alarm(line.wakeAt);
    carryOut(line, orders);
  }
}

function carryOut(line: Line, orders: ActionOrder[]): void {
  for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
    const { actionId } = order;
    line.apply({ type: "action.tried", actionId }, line.now);
    line.apply({ type: "action.accepted", actionId }, line.now);
    line.apply({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "the replay" }, line.now);
  }
}
