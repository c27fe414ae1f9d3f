import { hourlySaving } from "../lifecycle/model/counters.ts";
import type { Usage, Use } from "../lifecycle/model/ledger.ts";
import type { Phase } from "../lifecycle/model/phase.ts";
import type { Profile } from "../lifecycle/model/state.ts";

/** What a machine did, as far as costs go. */
export interface Doing {
  readonly use: Use;
  readonly isWasted: boolean;
  /** It is off, and is not being woken. */
  readonly isSaving: boolean;
}

export const WORKING: Doing = { use: "working", isWasted: false, isSaving: false };
export const IDLE: Doing = { use: "idle", isWasted: false, isSaving: false };
export const SILENT: Doing = { use: "silent", isWasted: true, isSaving: false };
export const ASLEEP: Doing = { use: "hibernated", isWasted: false, isSaving: true };
export const WAKING: Doing = { use: "hibernated", isWasted: false, isSaving: false };
/** Its first heartbeat is awaited. */
const AWAITED: Doing = { use: "silent", isWasted: false, isSaving: false };

/** Null where there is no machine any more. */
export function doingOf(phase: Phase): Doing | null {
  switch (phase.status) {
    case "pending":
      return phase.orphan === undefined ? AWAITED : SILENT;
    case "running":
      return phase.idle === null ? WORKING : { ...IDLE, isWasted: phase.idle.warnedAt !== null };
    case "orphaned":
      return SILENT;
    case "hibernating":
      return doingOf(phase.before);
    case "hibernated":
      return ASLEEP;
    case "waking":
      return phase.confirmedAt === null ? WAKING : WORKING;
    case "deleting":
      return phase.hibernated === null ? SILENT : ASLEEP;
    case "deleted":
      return null;
  }
}

/** What that costs by the prices of its profile. */
export function usageOf({ use, isWasted, isSaving }: Doing, profile: Profile): Usage {
  if (use !== "hibernated") return { use, isWasted, hourlyCost: profile.hourlyCost, hourlySaving: 0 };
  return {
    use,
    isWasted,
    hourlyCost: profile.hibernatedHourlyCost,
    hourlySaving: isSaving ? hourlySaving(profile) : 0,
  };
}
