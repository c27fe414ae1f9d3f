import type { FieldValue } from "../policy-fields.ts";
import type { Path } from "../policy-values.ts";
import { SECONDS_IN } from "./durations.ts";

/** The steps of a policy on one axis of time, as they are drawn. Pure. */

export const LADDERS = {
  idle: ["warn", "hibernate"],
  silence: ["orphan", "hibernate", "force", "delete"],
} as const;

export type LadderName = keyof typeof LADDERS;
export type Rung = (typeof LADDERS)[LadderName][number];

/** The field of the policy that sets each rung, and the seconds in what it counts. */
export const RUNG_FIELDS: Readonly<
  Record<LadderName, Readonly<Partial<Record<Rung, { readonly path: Path; readonly seconds: number }>>>>
> = {
  idle: {
    warn: { path: ["idle", "warn_after_seconds"], seconds: 1 },
    hibernate: { path: ["idle", "hibernate_after_seconds"], seconds: 1 },
  },
  silence: {
    orphan: { path: ["orphan", "orphan_after_seconds"], seconds: 1 },
    hibernate: { path: ["orphan", "hibernate_after_seconds"], seconds: 1 },
    force: { path: ["orphan", "force_hibernate_after_seconds"], seconds: 1 },
    delete: { path: ["orphan", "delete_after_days"], seconds: SECONDS_IN.days },
  },
};

const SWITCHES: Readonly<Record<LadderName, Path>> = {
  idle: ["idle", "enabled"],
  silence: ["orphan", "enabled"],
};

export interface DrawnRung {
  readonly rung: Rung;
  /** Null: never. */
  readonly atSeconds: number | null;
  /** Whether it comes before the one ahead of it, which the service refuses. */
  readonly isTooSoon: boolean;
}

export interface Ladder {
  readonly name: LadderName;
  readonly isOn: boolean;
  readonly rungs: readonly DrawnRung[];
}

/** Both ladders as a policy has them; `at` tells what it says of a field. */
export function laddersOf(at: (path: Path) => FieldValue | undefined): Ladder[] {
  return (["idle", "silence"] as const).map((name) => {
    let beforeSeconds = 0;
    const rungs = LADDERS[name].map((rung): DrawnRung => {
      const field = RUNG_FIELDS[name][rung];
      const value = field === undefined ? undefined : at(field.path);
      if (field === undefined || typeof value !== "number") {
        return { rung, atSeconds: null, isTooSoon: false };
      }
      const atSeconds = value * field.seconds;
      const isTooSoon = atSeconds <= beforeSeconds;
      beforeSeconds = Math.max(beforeSeconds, atSeconds);
      return { rung, atSeconds, isTooSoon };
    });
    return { name, isOn: at(SWITCHES[name]) !== false, rungs };
  });
}

const TICKS_SECONDS = [
  1,
  10,
  SECONDS_IN.minutes,
  5 * SECONDS_IN.minutes,
  30 * SECONDS_IN.minutes,
  2 * SECONDS_IN.hours,
  12 * SECONDS_IN.hours,
  2 * SECONDS_IN.days,
  7 * SECONDS_IN.days,
  30 * SECONDS_IN.days,
  400 * SECONDS_IN.days,
];

export interface Axis {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly ticks: readonly number[];
}

/** From a minute to a week, and as much further as the rungs ask for. */
export function axisOf(ladders: readonly Ladder[]): Axis {
  const times = ladders.flatMap(({ rungs }) =>
    rungs.flatMap(({ atSeconds }) => (atSeconds === null ? [] : [atSeconds])),
  );
  const first = Math.min(SECONDS_IN.minutes, ...times.filter((seconds) => seconds > 0));
  const last = Math.max(7 * SECONDS_IN.days, ...times);
  const fromSeconds = TICKS_SECONDS.filter((tick) => tick <= first).at(-1) ?? 1;
  const toSeconds = TICKS_SECONDS.find((tick) => tick >= last) ?? last;
  const ticks = TICKS_SECONDS.filter((tick) => tick >= fromSeconds && tick <= toSeconds);
  return { fromSeconds, toSeconds, ticks };
}

/** From 0 to 1: minutes and days are seen on one axis only where it counts in powers. */
export function placeOn({ fromSeconds, toSeconds }: Axis, seconds: number): number {
  const place = Math.log(Math.max(seconds, fromSeconds) / fromSeconds) / Math.log(toSeconds / fromSeconds);
  return Math.min(1, place);
}

export interface Label {
  /** Where its mark is, in pixels. */
  readonly at: number;
  readonly width: number;
}

export interface PlacedLabel {
  readonly left: number;
  /** 0 is nearest to the line. */
  readonly row: number;
}

/**
 * Beside each other where there is room, else in rows, and never out of the picture. The last is nearest to the line: so the way
 * from an earlier mark up to its label crosses no other label.
 */
export function placeLabels(labels: readonly Label[], width: number, gap: number): PlacedLabel[] {
  const starts: number[] = [];
  return labels
    .toReversed()
    .map((label) => {
      const left = Math.max(0, Math.min(label.at - OVERHANG, width - label.width));
      const free = starts.findIndex((start) => left + label.width + gap <= start);
      const row = free === -1 ? starts.length : free;
      starts[row] = left;
      return { left, row };
    })
    .toReversed();
}

/** So much of a label stands before its mark, in pixels. */
const OVERHANG = 6;
