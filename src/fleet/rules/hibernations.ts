import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { countedAs, countInMonth, countMonthsFrom } from "./months.ts";
import type { FleetState } from "./state.ts";

/** How many hibernations a fleet has seen, and how many were regretted, by reason and by month. */

/** Counts a hibernation, or that one was regretted, if the event tells of either. */
export function countHibernation(state: FleetState, event: HistoryEvent): FleetState {
  const what = countedAs(event);
  if (what === null) return state;
  const reason = String(event.detail.reason);
  const before = state.hibernations[reason] ?? { hibernations: 0, regretted: 0 };
  return {
    ...state,
    hibernations: { ...state.hibernations, [reason]: { ...before, [what]: before[what] + 1 } },
    hibernationsByMonth: countInMonth(state.hibernationsByMonth, what, event.at),
  };
}

/** Hibernations are counted by months from now on, if they were not before. */
export function countFrom(state: FleetState, now: number): FleetState {
  const { hibernations, hibernationsByMonth } = state;
  const counted = countMonthsFrom(hibernationsByMonth, Object.keys(hibernations).length === 0, now);
  return counted === hibernationsByMonth ? state : { ...state, hibernationsByMonth: counted };
}
