import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Band, PastEvent } from "./bands.ts";
import { type Colours, coloursOf, type Tone } from "./colours.ts";
import { type Line, type LineName, type Pane, stacked } from "./panes.ts";
import { alone } from "./scale.ts";

/** One pane as uPlot draws it. The only module that knows of uPlot. */

export interface Scene {
  readonly bands: readonly Band[];
  readonly events: readonly PastEvent[];
  readonly fromMs: number;
  readonly toMs: number;
  /** The pane at which events have their marks. */
  readonly first: string;
}

export interface Handlers {
  /** Seconds since epoch; null: it has left. */
  onMoment(seconds: number | null): void;
  onChosen(seconds: number): void;
  onSpan(fromSeconds: number, toSeconds: number): void;
}

interface Texts {
  /** Null: none stands there. */
  readonly time: (splits: readonly (number | null)[], step: number) => (string | null)[];
  readonly value: (value: number) => string;
}

export const AXIS_WIDTH = 58;
const TIMES_HEIGHT = 26;
/** Above each pane stands its name. */
const NAME_HEIGHT = 20;
/** A time below the axis needs as much room as that, and at its end half of it. */
const TIME_WIDTH = 64;

/** In CSS pixels. */
export function heightOf(pane: Pane, isLast: boolean): number {
  return (pane.name === "gpu" ? 130 : 84) + NAME_HEIGHT - 8 + (isLast ? TIMES_HEIGHT : 0);
}

const TONES: Readonly<Record<LineName, Tone>> = {
  gpu: "accent",
  gpuHighest: "faint",
  vram: "accent",
  ram: "rest",
  cpu: "accent",
  reported: "good",
  priced: "good",
  working: "accent",
  idle: "warn",
  silent: "bad",
  hibernated: "rest",
};

const BAND_TONES: Readonly<Record<Band["standing"], Tone>> = {
  idle: "warn",
  silent: "bad",
  hibernated: "rest",
};

const EVENT_TONES: Readonly<Record<PastEvent["severity"], Tone>> = {
  info: "edge",
  warning: "warn",
  critical: "bad",
};

/** Fewer pixels than that are a click that trembled. */
const LEAST_DRAG = 6;

export function drawPane(
  element: HTMLElement,
  pane: Pane,
  scene: () => Scene,
  texts: Texts,
  isLast: boolean,
  handlers: Handlers,
): uPlot {
  const colours = coloursOf(element);
  const isBars = pane.name === "days";
  const lines = isBars ? stacked(pane.lines) : pane.lines;
  const axis = {
    stroke: colours.faint,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const plot = new uPlot(
    {
      width: element.clientWidth,
      height: heightOf(pane, isLast),
      padding: [NAME_HEIGHT, TIME_WIDTH / 4, isLast ? 0 : 6, 0],
      legend: { show: false },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      cursor: {
        sync: { key: "instance", setSeries: false },
        y: false,
        points: { size: 7 },
        drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG },
      },
      scales: { x: { time: true, auto: false }, y: { range: () => [0, pane.top] } },
      axes: [
        {
          ...axis,
          show: isLast,
          size: TIMES_HEIGHT,
          space: TIME_WIDTH,
          filter: (u, splits) => splits.map((each) => (hasRoom(u, each) ? each : null)),
          values: (_, splits, __, ___, step) => texts.time(splits, step),
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          splits: () => [0, pane.top / 2, pane.top],
          values: (_, splits) => splits.map(texts.value),
        },
      ],
      series: [{}, ...lines.map((line) => seriesOf(line, colours, isBars))],
      hooks: {
        drawClear: [(u) => drawBands(u, scene(), colours)],
        draw: [
          (u) => drawThreshold(u, pane.threshold, colours),
          (u) => drawEvents(u, scene(), colours, pane.name),
        ],
        setCursor: [
          (u) => {
            const { left, event } = u.cursor;
            // It also moves where the chart is scaled anew, or by the keyboard, which says itself where it stands.
            if (event === null || event === undefined) return;
            handlers.onMoment(left === undefined || left === null || left < 0 ? null : u.posToVal(left, "x"));
          },
        ],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width < LEAST_DRAG) return;
            handlers.onSpan(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    dataOf(pane),
    element,
  );
  listenForClicks(plot, handlers);
  rescale(plot, scene());
  return plot;
}

/** Whether its time does not stand out of the canvas. */
function hasRoom(u: uPlot, seconds: number): boolean {
  return u.valToPos(seconds, "x") <= u.over.clientWidth - TIME_WIDTH / 4;
}

export function dataOf(pane: Pane): uPlot.AlignedData {
  const lines = pane.name === "days" ? stacked(pane.lines) : pane.lines;
  return [[...pane.at], ...lines.map(({ values }) => [...values])];
}

export function rescale(plot: uPlot, { fromMs, toMs }: Scene): void {
  plot.setScale("x", { min: fromMs / 1000, max: toMs / 1000 });
}

function listenForClicks(plot: uPlot, { onChosen }: Handlers): void {
  let pressedAt: number | null = null;
  plot.over.addEventListener("mousedown", ({ clientX }) => {
    pressedAt = clientX;
  });
  plot.over.addEventListener("click", ({ clientX }) => {
    if (pressedAt === null || Math.abs(clientX - pressedAt) >= LEAST_DRAG) return;
    onChosen(plot.posToVal(clientX - plot.over.getBoundingClientRect().left, "x"));
  });
}

function seriesOf({ name }: Line, colours: Colours, isBar: boolean): uPlot.Series {
  const colour = colours[TONES[name]];
  if (isBar) {
    const paths = uPlot.paths.bars?.({ size: [0.7, 42] });
    return {
      stroke: colour,
      fill: colour,
      width: 0,
      points: { show: false },
      ...(paths === undefined ? {} : { paths }),
    };
  }
  const isHighest = name === "gpuHighest";
  return {
    stroke: colour,
    width: isHighest ? 1 : 1.5,
    ...(isHighest ? { dash: [4, 3] } : {}),
    ...(name === "ram" || isHighest ? {} : { fill: `color-mix(in srgb, ${colour} 12%, transparent)` }),
    // One that stands alone is no line: it is a dot.
    points: { show: true, size: 5, fill: colour, filter: (u, index) => alone([...(u.data[index] ?? [])]) },
  };
}

function drawBands(u: uPlot, { bands }: Scene, colours: Colours): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  for (const { from, to, standing } of bands) {
    const x = (ms: number) => Math.min(left + width, Math.max(left, u.valToPos(ms / 1000, "x", true)));
    const [start, end] = [x(from), x(to)];
    ctx.fillStyle = colours[BAND_TONES[standing]];
    ctx.globalAlpha = 0.13;
    ctx.fillRect(start, top, Math.max(1, end - start), height);
    ctx.globalAlpha = 1;
    ctx.fillRect(start, top, Math.max(1, end - start), 2 * devicePixelRatio);
  }
  ctx.restore();
}

function drawThreshold(u: uPlot, threshold: number | null, colours: Colours): void {
  if (threshold === null) return;
  const { ctx } = u;
  const { left, width } = u.bbox;
  const y = Math.round(u.valToPos(threshold, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = colours.bad;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(left + width, y);
  ctx.stroke();
  ctx.restore();
}

function drawEvents(u: uPlot, { events, first, fromMs, toMs }: Scene, colours: Colours, name: string): void {
  const { ctx } = u;
  const { top, height } = u.bbox;
  const size = 4 * devicePixelRatio;
  ctx.save();
  for (const { at, severity } of events) {
    const moment = Date.parse(at);
    if (moment < fromMs || moment > toMs) continue;
    const x = Math.round(u.valToPos(moment / 1000, "x", true)) + 0.5;
    ctx.strokeStyle = colours[EVENT_TONES[severity]];
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = 1;
    ctx.globalAlpha = severity === "info" ? 0.5 : 0.8;
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    if (name !== first) continue;
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(x - size, top - size);
    ctx.lineTo(x + size, top - size);
    ctx.lineTo(x, top + size);
    ctx.fill();
  }
  ctx.restore();
}
