import { USES, type Use } from "../../lifecycle/model/ledger.ts";
import type { KeyedRow } from "./answers.ts";

/** The costs of days as stacked bars, in pixels from the upper left corner. Pure. */

export interface Piece {
  readonly y: number;
  readonly height: number;
}

export interface Bar {
  readonly day: string;
  /** Null where nothing is known of the day. */
  readonly row: KeyedRow | null;
  /** The whole width that belongs to the day. */
  readonly slot: { readonly x: number; readonly width: number };
  readonly x: number;
  readonly width: number;
  readonly pieces: readonly (Piece & { readonly use: Use })[];
  /** The upper part of the stack that was wasted. */
  readonly wasted: Piece | null;
  /** Beside the stack. */
  readonly saved: (Piece & { readonly x: number; readonly width: number }) | null;
}

export interface Chart {
  readonly bars: readonly Bar[];
  readonly ticks: readonly { readonly y: number; readonly dollars: number }[];
  /** Days that are named below, where each begins. */
  readonly labels: readonly { readonly x: number; readonly day: string }[];
  readonly baseline: number;
}

/** What can be wasted lies on top, so that what was wasted is one piece. */
const UPWARDS = ["hibernated", "working", "idle", "silent"] as const satisfies readonly Use[];

/** To the left there is room for amounts like "US$ 12.500". */
export const MARGIN = { left: 82, right: 6, top: 8, bottom: 22 };

/** Of a day's width. */
const STACK_SHARE = 0.62;
const SAVED_SHARE = 0.2;

const LABELS_APART = 78;
const HALF_A_LABEL = 31;
const TICKS_AT_MOST = 5;
const TICKS_APART = 26;

export function chartOf(
  days: readonly string[],
  rows: readonly KeyedRow[],
  { width, height }: { readonly width: number; readonly height: number },
): Chart {
  const baseline = height - MARGIN.bottom;
  const known = new Map(rows.map((row) => [row.key, row]));
  const most = Math.max(0, ...rows.flatMap(({ cost, saved }) => [cost, saved]));
  const step = niceStep(most / Math.min(TICKS_AT_MOST, Math.max(1, Math.floor(height / TICKS_APART))));
  const top = Math.max(step, Math.ceil(most / step) * step);
  const heightOf = (dollars: number) => (dollars / top) * (baseline - MARGIN.top);
  const slotWidth = Math.max(1, width - MARGIN.left - MARGIN.right) / Math.max(1, days.length);
  const bars = days.map((day, index): Bar => {
    const row = known.get(day) ?? null;
    const slot = { x: MARGIN.left + index * slotWidth, width: slotWidth };
    const x = slot.x + slotWidth * 0.08;
    const stackWidth = slotWidth * STACK_SHARE;
    const pieces = row === null ? [] : stack(row, baseline, heightOf);
    const saved = row?.saved ?? 0;
    return {
      day,
      row,
      slot,
      x,
      width: stackWidth,
      pieces,
      wasted: wastedPart(row?.wasted ?? 0, pieces, heightOf),
      saved:
        saved > 0
          ? {
              x: x + stackWidth + Math.min(1, slotWidth * 0.05),
              width: slotWidth * SAVED_SHARE,
              y: baseline - heightOf(saved),
              height: heightOf(saved),
            }
          : null,
    };
  });
  const count = Math.round(top / step);
  return {
    bars,
    ticks: Array.from({ length: count + 1 }, (_, index) => ({
      y: baseline - heightOf(index * step),
      // Without the tail of a sum of fractions.
      dollars: Number((index * step).toPrecision(6)),
    })),
    labels: labelsOf(bars, slotWidth, width),
    baseline,
  };
}

function stack(row: KeyedRow, baseline: number, heightOf: (dollars: number) => number): Bar["pieces"] {
  let y = baseline;
  return UPWARDS.flatMap((use) => {
    const dollars = row.cost_by_use[use];
    if (dollars <= 0) return [];
    const height = heightOf(dollars);
    y -= height;
    return [{ use, y, height }];
  });
}

/** Never more than the stack: what is wasted was spent. */
function wastedPart(
  dollars: number,
  pieces: Bar["pieces"],
  heightOf: (dollars: number) => number,
): Piece | null {
  const whole = pieces.reduce((sum, { height }) => sum + height, 0);
  const height = Math.min(heightOf(dollars), whole);
  const y = pieces.at(-1)?.y;
  return y === undefined || height <= 0 ? null : { y, height };
}

/** 1, 2 or 5 times a power of ten, at least as large. */
function niceStep(least: number): number {
  if (least <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

/** As many as find room, counted back from the last day. */
function labelsOf(bars: readonly Bar[], slotWidth: number, width: number): Chart["labels"] {
  const every = Math.max(1, Math.ceil(LABELS_APART / slotWidth));
  return bars
    .filter((_, index) => (bars.length - 1 - index) % every === 0)
    .map(({ day, slot }) => ({ day, x: Math.min(slot.x + slot.width / 2, width - HALF_A_LABEL) }));
}

/** The uses that the legend must name, in the order of the stack. */
export function usesOf(rows: readonly KeyedRow[]): Use[] {
  return USES.filter((use) => rows.some(({ cost_by_use }) => cost_by_use[use] > 0));
}
