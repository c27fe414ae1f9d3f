import { type Ledger, timePutDown } from "../model/ledger.ts";
import { hibernationOf, idleRunOf, orphanOf } from "../model/phase.ts";
import {
  CHUNK_HEARTBEATS,
  type InstanceState,
  isSameMachine,
  machineOf,
  RECENT_HEARTBEATS,
} from "../model/state.ts";
import { actionOf } from "../rules/order.ts";

/** What holds of each state by itself, at `now`. */

/** `known` is a state whose numbers were checked before: what both share is not looked at again. */
type OfAState = (state: InstanceState, now: number, known: InstanceState | null) => boolean;

export const OF_A_STATE = [
  ["number_not_finite", (state, _, known) => areNumbersFinite(state, known)],
  ["counter_negative", ({ counters }) => areCountersPositive(counters)],
  [
    "unflushed_beyond_recent",
    ({ unflushed, recent }) =>
      unflushed >= 0 &&
      unflushed <= Math.min(recent.length, CHUNK_HEARTBEATS) &&
      recent.length <= Math.max(RECENT_HEARTBEATS, unflushed),
  ],
  ["heartbeats_out_of_order", areHeartbeatsNumbered],
  [
    "chunk_empty",
    ({ outbox }) => outbox.every(({ effect }) => effect.type !== "chunk" || effect.heartbeats.length > 0),
  ],
  ["effects_out_of_order", areEffectsNumbered],
  ["time_in_future", isPast],
  ["time_put_down_twice", ({ ledger }) => ledger === undefined || isLedgerInPlace(ledger)],
  ["idle_run_misplaced", isIdleRunInPlace],
  ["orphan_ahead_of_silence", isLadderBehindSilence],
  ["idle_hibernation_orphaned", isOnlySilenceOrphaned],
  ["order_of_wrong_kind", isOrderOfStatus],
  ["order_for_other_machine", isOrderForMachine],
] as const satisfies readonly (readonly [string, OfAState])[];

/** What the state shares with the known one is not looked at again: of a steady heartbeat that is most of it. */
function areNumbersFinite(state: InstanceState, known: InstanceState | null): boolean {
  return (
    isAllFinite(state.counters) &&
    isAllFinite(state.clock) &&
    isAllFinite(state.agent) &&
    isAllFinite(state.ledger) &&
    isAllFinite(state.toldCosts) &&
    (state.use === known?.use || isAllFinite(state.use)) &&
    areFinite(state.recent, known?.recent) &&
    areFinite(state.outbox, known?.outbox) &&
    areFinite(state.gpuTrend, known?.gpuTrend) &&
    areSingleNumbersFinite(state) &&
    isAllFinite(state.reclaimed) &&
    (state.lastPreparation === known?.lastPreparation || isAllFinite(state.lastPreparation)) &&
    (state.phase === known?.phase || isAllFinite(state.phase)) &&
    (state.profile === known?.profile || isAllFinite(state.profile)) &&
    (state.flaps === known?.flaps || isAllFinite(state.flaps)) &&
    (state.sighted === known?.sighted || isAllFinite(state.sighted)) &&
    (state.reminders === known?.reminders || isAllFinite(state.reminders)) &&
    (state.plannedStops === known?.plannedStops || isAllFinite(state.plannedStops))
  );
}

function areSingleNumbersFinite(state: InstanceState): boolean {
  const { unflushed, nextEffectId, stoppedHourlyCost = 0, meantToRunSince = 0, deadManActedAt = 0 } = state;
  const { runningSince = 0, windowsFrom = 0, noticedFrom = 0, noticeToldAt = 0, deadManToldAt = 0 } = state;
  const moments = meantToRunSince + deadManActedAt + runningSince + windowsFrom;
  const told = noticedFrom + noticeToldAt + deadManToldAt;
  return Number.isFinite(unflushed + nextEffectId + stoppedHourlyCost + moments + told);
}

function isAllFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isAllFinite);
  if (!isRecord(value)) return true;
  for (const key in value) if (!isAllFinite(value[key])) return false;
  return true;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A list that is full drops its oldest entry: what it shares with the known one has then moved by one. */
function areFinite(list: readonly unknown[], known: readonly unknown[] = []): boolean {
  if (list === known) return true;
  for (let index = 0; index < list.length; index++) {
    const one = list[index];
    if (one !== known[index] && one !== known[index + 1] && !isAllFinite(one)) return false;
  }
  return true;
}

function areCountersPositive({
  totalHeartbeats,
  missed,
  gpuPercentSum,
  gpuHeartbeats,
  cost,
  saved,
}: InstanceState["counters"]): boolean {
  return (
    missed >= 0 &&
    gpuPercentSum >= 0 &&
    gpuHeartbeats >= 0 &&
    gpuHeartbeats <= totalHeartbeats &&
    cost.today >= 0 &&
    saved.totalMs >= 0 &&
    saved.totalDollars >= 0 &&
    saved.monthMs >= 0 &&
    saved.monthDollars >= 0
  );
}

function areHeartbeatsNumbered({ recent, agent }: InstanceState): boolean {
  let last = 0;
  for (const { sequence } of recent) {
    if (sequence <= last) return false;
    last = sequence;
  }
  return last < agent.nextInHistory;
}

function areEffectsNumbered({ outbox, nextEffectId }: InstanceState): boolean {
  let last = Number.NEGATIVE_INFINITY;
  for (const { id } of outbox) {
    if (id <= last) return false;
    last = id;
  }
  return last < nextEffectId;
}

function isPast(state: InstanceState, now: number): boolean {
  const { phase, clock } = state;
  const action = actionOf(state);
  const hibernated = hibernationOf(state.phase);
  return (
    (clock.lastHeartbeatAt ?? now) <= now &&
    (orphanOf(phase)?.since ?? now) <= now &&
    (hibernated?.since ?? now) <= now &&
    (hibernated?.unsavedFrom ?? now) <= now &&
    (hibernated?.openLook?.failingSince ?? now) <= now &&
    (hibernated?.wakeFailed?.at ?? now) <= now &&
    (action?.orderedAt ?? now) <= now &&
    (action?.handover.state !== "accepted" || action.handover.at <= now) &&
    (phase.status !== "waking" || (phase.confirmedAt ?? now) <= now) &&
    (phase.status !== "deleted" || phase.at <= now)
  );
}

/** Open time comes in its order, and no more time is put down than has passed. */
function isLedgerInPlace(ledger: Ledger): boolean {
  let last = ledger.since;
  for (const { from, until } of ledger.open) {
    if (from < last || until <= from) return false;
    last = until;
  }
  return last <= ledger.until && timePutDown(ledger) <= ledger.until - ledger.since;
}

/** Under a keep-alive a run begins when that ends. */
function isIdleRunInPlace({ phase, profile, clock }: InstanceState, now: number): boolean {
  const run = idleRunOf(phase);
  if (run === null) return true;
  const { since, warnedAt } = run;
  return (
    since >= Math.min(profile.registeredAt, now) &&
    since <= Math.max(now, clock.keepAliveUntil ?? now) &&
    (warnedAt === null || (warnedAt >= since && warnedAt <= now))
  );
}

/** How long each step must wait is the policy's; none comes before its clock has begun to run. */
function isLadderBehindSilence({ phase }: InstanceState, now: number): boolean {
  const orphan = orphanOf(phase);
  return orphan === null || orphan.step === "orphaned" || orphan.clockFrom <= now;
}

function isOnlySilenceOrphaned(state: InstanceState): boolean {
  const hibernated = hibernationOf(state.phase);
  return hibernated === null || hibernated.orphan === null || hibernated.reason === "silence";
}

function isOrderOfStatus({ phase }: InstanceState): boolean {
  switch (phase.status) {
    case "hibernating":
      return phase.action.kind === "hibernate" || phase.action.kind === "force_hibernate";
    case "waking":
      return phase.action.kind === "wake";
    case "deleting":
      return phase.action.kind === "delete";
    case "pending":
    case "running":
    case "orphaned":
    case "hibernated":
    case "deleted":
      return true;
  }
}

function isOrderForMachine(state: InstanceState): boolean {
  const action = actionOf(state);
  return action === null || isSameMachine(action.machine, machineOf(state.profile));
}
