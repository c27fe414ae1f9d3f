import { addHibernation, type Costs, hourlySaving } from "../model/counters.ts";
import type { Heartbeat } from "../model/heartbeat.ts";
import { hibernatedCost } from "../model/hibernated-cost.ts";
import { addTime, addTo, type Ledger, NO_COSTS, newLedger, type Usage } from "../model/ledger.ts";
import { addReport, learntHourlyCost } from "../model/ledger-report.ts";
import { type Awake, type Hibernated, hibernationOf, type Phase, savedUntil } from "../model/phase.ts";
import type { InstanceState } from "../model/state.ts";
import { SECOND_MS, startOfUtcDay, utcDay } from "../model/time.ts";

/** What an instance costs, at any moment. Its phase says what its machine does, and so what that costs. */

export const RATE_SOURCES = ["registered", "learnt", "provider", "unknown", "none"] as const;

/** An hourly price, and where it comes from. */
export type Rate =
  | { readonly source: "registered" | "learnt" | "provider"; readonly hourlyCost: number }
  | { readonly source: "unknown"; readonly hourlyCost: null }
  /** Nothing bills: the machine is gone. */
  | { readonly source: "none"; readonly hourlyCost: 0 };

type Priced = Pick<InstanceState, "profile" | "listedHourlyCost">;

/** What the machine costs while it runs: as its owner says, else as its provider lists it, else as its reports grow. */
export function awakeRate(
  { profile: { hourlyCost }, listedHourlyCost }: Priced,
  ledger: Ledger | null,
): Rate {
  if (hourlyCost !== null) return { source: "registered", hourlyCost };
  if (listedHourlyCost !== undefined) return { source: "provider", hourlyCost: listedHourlyCost };
  const learnt = ledger === null ? null : learntHourlyCost(ledger);
  return learnt === null ? UNKNOWN : { source: "learnt", hourlyCost: learnt };
}

const UNKNOWN: Rate = { source: "unknown", hourlyCost: null };

/** What the machine costs now, whatever it does. */
export function rateOf(state: InstanceState, ledger: Ledger): Rate {
  const usage = usageOf(state, ledger);
  if (usage === null) return { source: "none", hourlyCost: 0 };
  if (usage.use !== "hibernated") return awakeRate(state, ledger);
  const { source } = hibernatedCost(state);
  return usage.hourlyCost === null || source === "unknown"
    ? UNKNOWN
    : { source, hourlyCost: usage.hourlyCost };
}

/** The ledger of an instance, with all time up to `now` put down. */
export function ledgerAt(state: InstanceState, now: number): Ledger {
  const ledger = state.ledger ?? startLedger(state, now);
  const usage = usageOf(state, ledger);
  return usage === null ? { ...ledger, until: Math.max(ledger.until, now) } : addTime(ledger, usage, now);
}

/**
 * The state, with all time up to `now` put down. Only here is what a hibernation saves added to the ledger and the counters. Nobody
 * knows whether it lasted beyond `lastedUntil`, so it saves until then. What is saved is never taken back.
 */
export function putTimeDown(state: InstanceState, now: number, lastedUntil = now): InstanceState {
  const hibernated = hibernationOf(state.phase);
  const ledger = state.ledger ?? startLedger(state, now);
  const usage = usageOf(state, ledger);
  if (hibernated === null || usage === null) return { ...state, ledger: ledgerAt(state, now) };
  const from = unsavedFrom(state, hibernated);
  const until = Math.max(from, Math.min(lastedUntil, now));
  const { counters } = state;
  const saved = isSaving(hibernated)
    ? addHibernation(counters.saved, usage.hourlySaving, from, until)
    : counters.saved;
  return {
    ...state,
    ledger: addTime(addTime(ledger, usage, until), NOBODY_KNOWS, now),
    counters: { ...counters, saved },
    phase: savedUntil(state.phase, now),
  };
}

/** From when on the savings are not in the counters yet. */
export function unsavedFrom({ ledger }: InstanceState, hibernated: Hibernated): number {
  return ledger?.until ?? hibernated.unsavedFrom;
}

/** Whether its saving is certain. */
export function isSaving({ openLook }: Hibernated): boolean {
  return openLook === undefined;
}

/** By what costs a hibernation saves. */
export function savingCosts(state: InstanceState, ledger: Ledger | null): Costs {
  return {
    hourlyCost: awakeRate(state, ledger).hourlyCost,
    hibernatedHourlyCost: hibernatedCost(state).hourly,
  };
}

/** A former release has counted what was reported today. The rest is not known, and counts from now on. */
function startLedger({ counters: { cost } }: InstanceState, now: number): Ledger {
  const ledger = newLedger(now);
  const reported: Ledger["reported"] =
    cost.accumulated === null ? null : { at: now, accumulated: cost.accumulated };
  if (cost.day !== utcDay(now)) return { ...ledger, reported };
  const today = { ...NO_COSTS, working: { ms: 0, dollars: cost.today }, reported: cost.today };
  return { ...addTo(ledger, startOfUtcDay(now), today), reported };
}

/** A heartbeat says what its machine has cost since it started. */
export function reportCosts(ledger: Ledger, { at, costAccumulated, uptimeSeconds }: Heartbeat): Ledger {
  if (costAccumulated === null) return ledger;
  return addReport(ledger, {
    at,
    accumulated: costAccumulated,
    uptimeMs: uptimeSeconds === null ? null : uptimeSeconds * SECOND_MS,
  });
}

/** What the machine does now; null once there is none. */
export function usageOf(state: InstanceState, ledger: Ledger): Usage | null {
  const { hourlyCost } = awakeRate(state, ledger);
  const use = useOf(state.phase);
  switch (use.use) {
    case "working":
    case "idle":
    case "silent":
      return { ...use, hourlyCost, hourlySaving: 0 };
    case "hibernated": {
      if (!use.isCertain) return NOBODY_KNOWS;
      const costs = savingCosts(state, ledger);
      return {
        ...ASLEEP,
        hourlyCost: costs.hibernatedHourlyCost,
        hourlySaving: use.isEnding ? 0 : hourlySaving(costs),
      };
    }
    case "none":
      return null;
  }
}

const ASLEEP = { use: "hibernated", isWasted: false } as const;

/** It counts as hibernated, and may run. */
const NOBODY_KNOWS: Usage = { ...ASLEEP, hourlyCost: null, hourlySaving: 0 };

type Using =
  | { readonly use: "working" | "idle" | "silent"; readonly isWasted: boolean }
  /**
   * It is not certain after a restore, an import, or a wake that failed. One that is ending still costs as little, but saves
   * nothing: its machine may run at any moment.
   */
  | { readonly use: "hibernated"; readonly isCertain: boolean; readonly isEnding: boolean }
  | { readonly use: "none" };

function useOf(phase: Phase): Using {
  switch (phase.status) {
    case "pending":
    case "running":
    case "orphaned":
      return awakeUse(phase);
    case "hibernating":
      return awakeUse(phase.before);
    case "hibernated":
      return { use: "hibernated", isCertain: isSaving(phase), isEnding: false };
    case "waking":
      // A start may wait in a queue for hours, which costs nothing more.
      return phase.confirmedAt === null
        ? { use: "hibernated", isCertain: phase.openLook === undefined, isEnding: true }
        : { use: "working", isWasted: false };
    case "deleting":
      return phase.hibernated === null ? { use: "silent", isWasted: true } : useOf(phase.hibernated);
    case "deleted":
      return { use: "none" };
  }
}

/** Wasted is what was paid for a machine that is idle past the warning, orphaned, or was never heard. */
function awakeUse(phase: Awake): Using {
  switch (phase.status) {
    case "pending":
      return { use: "silent", isWasted: phase.orphan !== undefined };
    case "running":
      return phase.idle === null
        ? { use: "working", isWasted: false }
        : { use: "idle", isWasted: phase.idle.warnedAt !== null };
    case "orphaned":
      return { use: "silent", isWasted: true };
  }
}
