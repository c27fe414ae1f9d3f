/** Ranges of UTC days, each by its name: `2026-11-27`. Pure. */

const DAY_MS = 86_400_000;

/** As many as the service answers for. */
const LONGEST_DAYS = 400;

export interface Days {
  readonly from: string;
  /** Itself included. */
  readonly to: string;
}

export const PRESETS = ["week", "thirty", "month", "lastMonth"] as const;

export type Preset = (typeof PRESETS)[number];

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The last so many days, today among them. */
export function lastDays(count: number, today: string): string[] {
  const last = Date.parse(today);
  return Array.from({ length: count }, (_, index) => dayOf(last - (count - 1 - index) * DAY_MS));
}

export function daysOf(preset: Preset, today: string): Days {
  switch (preset) {
    case "week":
      return { from: lastDays(7, today)[0] ?? today, to: today };
    case "thirty":
      return { from: lastDays(30, today)[0] ?? today, to: today };
    case "month":
      return { from: `${today.slice(0, 7)}-01`, to: today };
    case "lastMonth": {
      const to = dayOf(Date.parse(`${today.slice(0, 7)}-01`) - DAY_MS);
      return { from: `${to.slice(0, 7)}-01`, to };
    }
  }
}

/** The preset that names just these days. */
export function presetOf(days: Days, today: string): Preset | null {
  const isSame = (preset: Preset) => {
    const { from, to } = daysOf(preset, today);
    return from === days.from && to === days.to;
  };
  return PRESETS.find(isSame) ?? null;
}

/** What is wrong with a range that was entered. */
export function problemOf({ from, to }: Days): "missing" | "backwards" | "too long" | null {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(first) || Number.isNaN(last)) return "missing";
  if (first > last) return "backwards";
  return last - first >= LONGEST_DAYS * DAY_MS ? "too long" : null;
}
