import type { Hibernations } from "../../alerts/cost-report.ts";
import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { startOfUtcMonth } from "../../lifecycle/model/time.ts";

/** How often instances were hibernated in each month, and how often one was woken within ten minutes. */

export interface CountedMonth extends Hibernations {
  /** Its first instant. */
  readonly month: number;
}

export interface CountedMonths {
  /** What happened before this was not counted by months; null: nobody has counted yet. */
  readonly since: number | null;
  /** Oldest first. */
  readonly months: readonly CountedMonth[];
}

export const NO_MONTHS: CountedMonths = { since: null, months: [] };

/** As many as days of costs are kept. */
const KEPT_MONTHS = 14;

/** Counts from now on, if that has not begun. Where nothing was counted before, nothing is missing. */
export function countMonthsFrom(counted: CountedMonths, isFirst: boolean, now: number): CountedMonths {
  return counted.since === null ? { ...counted, since: isFirst ? 0 : now } : counted;
}

/** Which of the counts an event adds to; null: neither. */
export function countedAs({ kind, detail }: HistoryEvent): keyof Hibernations | null {
  if (kind === "hibernated") return "hibernations";
  const isRegret = (kind === "waking" || kind === "woken") && detail.regretted === true;
  return isRegret ? "regretted" : null;
}

/** Counts it for the month in which it happened. */
export function countInMonth(
  { since, months }: CountedMonths,
  what: keyof Hibernations,
  at: number,
): CountedMonths {
  const month = startOfUtcMonth(at);
  const before = months.find((each) => each.month === month) ?? { month, hibernations: 0, regretted: 0 };
  const others = months.filter((each) => each.month !== month);
  const all = [...others, { ...before, [what]: before[what] + 1 }];
  return { since, months: all.sort((one, other) => one.month - other.month).slice(-KEPT_MONTHS) };
}

/** Of a month; null where not all of it was counted, or it is forgotten. */
export function hibernationsIn({ since, months }: CountedMonths, month: number): Hibernations | null {
  const [oldest] = months;
  const isForgotten = months.length === KEPT_MONTHS && oldest !== undefined && month < oldest.month;
  if (since === null || since > month || isForgotten) return null;
  const found = months.find((each) => each.month === month);
  return { hibernations: found?.hibernations ?? 0, regretted: found?.regretted ?? 0 };
}
