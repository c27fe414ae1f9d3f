import { FleetAlerts } from "./alerts.ts";
import { CHANGED, READY } from "./keeper.ts";
import type { RoundEnd } from "./rules/hibernation-round.ts";
import type { Rounds } from "./rules/state.ts";
import { askRound } from "./tasks/hibernation-round.ts";
import { planRound, type RoundPlan, type RoundRequest } from "./views/round-plan.ts";

/** How far the last hibernation of many has come. */
export interface RoundProgress {
  readonly round: NonNullable<Rounds["kill_switch"]>;
  /** How many ended how; null: they are still to be asked, perhaps again. */
  readonly ends: readonly { readonly end: RoundEnd | null; readonly instances: number }[];
  /** Those that were not ordered to hibernate. */
  readonly left: readonly { readonly instanceId: string; readonly end: RoundEnd | null }[];
}

/** What is asked of many instances at once. */
export abstract class FleetRounds extends FleetAlerts {
  /** What would be done; with `isDryRun` false it is done, by the alarm. Null for a suspended user. */
  async hibernateAll(request: RoundRequest, isDryRun: boolean, limit: number): Promise<RoundPlan | null> {
    const fleet = await this[READY]();
    if (fleet.isSuspended) return null;
    const now = Date.now();
    if (isDryRun) return planRound(fleet, request, { at: now, now, limit });
    const plan = askRound(fleet, request, limit, now);
    this[CHANGED](fleet);
    return plan;
  }

  /** Null where nobody has asked for one. */
  async lastRound(by: keyof Rounds, limit: number): Promise<RoundProgress | null> {
    const { state, asked } = await this[READY]();
    const round = state.rounds[by];
    if (round === null) return null;
    return { round, ends: asked.countOf(round.askedAt), left: asked.notOrdered(round.askedAt, limit) };
  }
}
