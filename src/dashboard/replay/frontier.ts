import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { withValue } from "../settings/policy-values.ts";
import type { Point, SavingsMeasure } from "./answers.ts";

/** Savings against interruptions, in pixels from the upper left corner; and a pair as numbers of a policy. Pure. */

export const MARGIN = { left: 82, right: 18, top: 14, bottom: 42 };

const TICKS_AT_MOST = 5;

/** Ticks are not closer, in dollars or hours. */
const LEAST_SAVED = 0.001;

export interface Dot {
  readonly x: number;
  readonly y: number;
  /** All pairs that come to the same, those of the frontier first. */
  readonly pairs: readonly [Point, ...Point[]];
  readonly isFrontier: boolean;
  readonly isProposed: boolean;
}

export interface FrontierChart {
  readonly dots: readonly Dot[];
  /** The path through the dots of the frontier. */
  readonly line: string;
  readonly saved: readonly { readonly y: number; readonly amount: number }[];
  readonly interruptions: readonly { readonly x: number; readonly count: number }[];
  readonly baseline: number;
}

export function savedOf(point: Point, measure: SavingsMeasure): number {
  switch (measure) {
    case "dollars":
      return point.saved;
    case "hours":
      return point.hibernated_hours;
  }
}

export function frontierChart(
  points: readonly Point[],
  measure: SavingsMeasure,
  { width, height }: { readonly width: number; readonly height: number },
): FrontierChart {
  const baseline = height - MARGIN.bottom;
  const room = Math.max(1, width - MARGIN.left - MARGIN.right);
  const saved = scaleOf(Math.max(0, ...points.map((point) => savedOf(point, measure))), LEAST_SAVED);
  const interruptions = scaleOf(Math.max(0, ...points.map((point) => point.interruptions)), 1);
  const xOf = (count: number) => MARGIN.left + (count / interruptions.top) * room;
  const yOf = (amount: number) => baseline - (amount / saved.top) * (baseline - MARGIN.top);
  const dots = alikeOf(points, measure).map(
    (pairs): Dot => ({
      x: xOf(pairs[0].interruptions),
      y: yOf(savedOf(pairs[0], measure)),
      pairs,
      isFrontier: pairs.some(({ is_frontier }) => is_frontier),
      isProposed: pairs.some(({ is_proposed }) => is_proposed),
    }),
  );
  return {
    dots,
    line: dots
      .filter(({ isFrontier }) => isFrontier)
      .sort((one, other) => one.x - other.x || other.y - one.y)
      .map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
      .join(""),
    saved: saved.ticks.map((amount) => ({ y: yOf(amount), amount })),
    interruptions: interruptions.ticks.map((count) => ({ x: xOf(count), count })),
    baseline,
  };
}

function alikeOf(points: readonly Point[], measure: SavingsMeasure): Dot["pairs"][] {
  const dots = new Map<string, [Point, ...Point[]]>();
  for (const point of inOrder(points)) {
    const key = `${point.interruptions} ${savedOf(point, measure).toFixed(2)}`;
    const alike = dots.get(key);
    if (alike === undefined) dots.set(key, [point]);
    else alike.push(point);
  }
  return [...dots.values()];
}

/** What is proposed first, then the frontier, of it what saves most; of what saves alike, what interrupts least. */
export function inOrder(points: readonly Point[]): Point[] {
  return [...points].sort(
    (a, b) =>
      Number(b.is_proposed) - Number(a.is_proposed) ||
      Number(b.is_frontier) - Number(a.is_frontier) ||
      b.saved - a.saved ||
      b.hibernated_hours - a.hibernated_hours ||
      a.interruptions - b.interruptions ||
      a.hibernate_after_minutes - b.hibernate_after_minutes ||
      a.threshold_percent - b.threshold_percent,
  );
}

/** Ticks from 0 up to at least `most`, at 1, 2 or 5 times a power of ten apart, but not closer than `least`. */
function scaleOf(most: number, least: number): { readonly top: number; readonly ticks: readonly number[] } {
  const rough = most > 0 ? Math.max(most / TICKS_AT_MOST, least) : 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const count = Math.max(1, Math.ceil(most / step));
  // Without the tail of a sum of fractions.
  const at = (index: number) => Number((index * step).toPrecision(6));
  return { top: at(count), ticks: Array.from({ length: count + 1 }, (_, index) => at(index)) };
}

/** Its owner is warned after this share of the window, as in what was tried. */
const WARNING_SHARE = 0.6;

/** The overrides with the numbers of a pair. `effective`: what holds with these overrides, or held before. */
export function withPair(
  overrides: PolicyOverrides,
  {
    threshold_percent,
    hibernate_after_minutes,
  }: Pick<Point, "threshold_percent" | "hibernate_after_minutes">,
  effective: Pick<PolicySettings, "idle" | "heartbeat_interval_seconds">,
): PolicyOverrides {
  const hibernateSeconds = hibernate_after_minutes * 60;
  const interval = overrides.heartbeat_interval_seconds ?? effective.heartbeat_interval_seconds;
  const isOn = overrides.idle?.enabled ?? effective.idle.enabled;
  const values = {
    ...(isOn ? {} : { enabled: true }),
    threshold_percent,
    warn_after_seconds: Math.max(Math.round(WARNING_SHARE * hibernateSeconds), interval),
    hibernate_after_seconds: hibernateSeconds,
  };
  return Object.entries(values).reduce(
    (changed, [name, value]) => withValue(changed, ["idle", name], value),
    overrides,
  );
}
