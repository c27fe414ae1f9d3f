import type { Habit } from "../../alerts/cost-report.ts";
import type { CostTotals, Spent } from "../../lifecycle/model/ledger.ts";

/** What instances cost by that could be spared, from what each has cost in a month. */

/** What an instance has cost in a month. */
export interface InstanceCosts {
  readonly instanceId: string;
  readonly costs: CostTotals;
}

export type NamelessHabit = Omit<Habit, "name">;

const HABITS_TOLD = 3;

/** Less than this is not worth a word. */
const LEAST_DOLLARS = 0.01;

/** The costliest habits, dearest first. One instance may have several. */
export function costliestHabits(instances: readonly InstanceCosts[]): NamelessHabit[] {
  return instances
    .flatMap(habitsOf)
    .filter(({ spent }) => spent.dollars >= LEAST_DOLLARS)
    .sort((one, other) => other.spent.dollars - one.spent.dollars)
    .slice(0, HABITS_TOLD);
}

/** All that it has paid for without work: the sum of these is the sum of its idle, silent and hibernated time. */
function habitsOf({ instanceId, costs }: InstanceCosts): NamelessHabit[] {
  const { idle, silent, hibernated } = costs;
  const past = pastWarning(costs);
  const unwarned = { ms: idle.ms - past.ms, dollars: idle.dollars - past.dollars };
  return [
    { instanceId, habit: "idle_past_warning", spent: past },
    { instanceId, habit: "idle_unwarned", spent: unwarned },
    { instanceId, habit: "silent", spent: silent },
    { instanceId, habit: "hibernated", spent: hibernated },
  ];
}

/** What is wasted is wasted silent or idle past the warning, and all idle time costs the same. */
function pastWarning({ idle, silent, wasted }: CostTotals): Spent {
  const dollars = Math.min(idle.dollars, Math.max(0, wasted - silent.dollars));
  return { ms: dollars === 0 ? 0 : idle.ms * (dollars / idle.dollars), dollars };
}
