import { hourlySaving } from "../lifecycle/model/counters.ts";
import type { Use } from "../lifecycle/model/ledger.ts";
import type { Phase } from "../lifecycle/model/phase.ts";
import type { Profile } from "../lifecycle/model/state.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import type { Figures } from "./money.ts";

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
export const AWAITED: Doing = { use: "silent", isWasted: false, isSaving: false };

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

/** Time and dollars, added up as a ledger adds them up. */
export class Spending {
  readonly #profile: Profile;
  readonly #ms: Record<Use, number> = { working: 0, idle: 0, silent: 0, hibernated: 0 };
  #unpricedMs = 0;
  #cost = 0;
  #wasted = 0;
  #saved = 0;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  add({ use, isWasted, isSaving }: Doing, ms: number): void {
    const { hourlyCost, hibernatedHourlyCost } = this.#profile;
    const price = use === "hibernated" ? hibernatedHourlyCost : hourlyCost;
    const hours = ms / HOUR_MS;
    const dollars = (price ?? 0) * hours;
    this.#ms[use] += ms;
    this.#cost += dollars;
    if (price === null) this.#unpricedMs += ms;
    if (isWasted) this.#wasted += dollars;
    if (isSaving) this.#saved += hourlySaving(this.#profile) * hours;
  }

  get figures(): Figures {
    return {
      workingMs: this.#ms.working,
      idleMs: this.#ms.idle,
      silentMs: this.#ms.silent,
      hibernatedMs: this.#ms.hibernated,
      unpricedMs: this.#unpricedMs,
      cost: this.#cost,
      wasted: this.#wasted,
      saved: this.#saved,
    };
  }
}
