import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { money, number } from "../format.ts";
import { language, words } from "../words.ts";
import { MEASURES, type Measure, RANGES, type Range, type Readings } from "./readings.ts";

/** The charts of an instance. The only module that knows of uPlot, loaded when a chart is first looked at. */

const HEIGHT = 150;

const UNITS: Record<Exclude<Measure, "cost">, string> = { gpu: "%", vram: " GB", cpu: "%", ram: " GB" };

export function Charts({ readings, range, nowMs }: { readings: Readings; range: Range; nowMs: number }) {
  const known = MEASURES.filter((measure) => readings[measure].some((value) => value !== null));
  if (known.length === 0) return <p class="faint">{words.value.noReadings}</p>;
  return (
    <div class="charts">
      {known.map((measure) => (
        <Chart key={measure} measure={measure} readings={readings} range={range} nowMs={nowMs} />
      ))}
    </div>
  );
}

function Chart(props: { measure: Measure; readings: Readings; range: Range; nowMs: number }) {
  const { measure, readings, range, nowMs } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const until = nowMs / 1000;
  const scale: [number, number] = [until - RANGES[range], until];
  const highest = measure === "gpu" ? readings.gpuHighest : [];
  const hasHighest = highest.some((value) => value !== null);
  const data: uPlot.AlignedData = hasHighest
    ? [readings.at, readings[measure], highest]
    : [readings.at, readings[measure]];
  const text = (value: number) =>
    measure === "cost" ? money(value, language.value) : `${number(value, language.value)}${UNITS[measure]}`;
  const values = readings[measure].filter((value) => value !== null);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(measure, element, text, hasHighest), data, element);
    };
    make();
    // A canvas does not follow the style sheet by itself.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      scheme.removeEventListener("change", make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [measure, hasHighest]);

  useEffect(() => {
    plot.current?.setData(data, false);
    plot.current?.setScale("x", { min: scale[0], max: scale[1] });
  });

  const name = words.value.chart[measure];
  const last = text(values.at(-1) ?? 0);
  return (
    <figure>
      <figcaption>
        {name} <span class="faint">{last}</span>
        {hasHighest && <span class="faint"> · {words.value.chartHighest}</span>}
      </figcaption>
      <div
        ref={place}
        class="plot"
        role="img"
        aria-label={words.value.chartSummary(
          name,
          last,
          text(Math.min(...values)),
          text(Math.max(...values)),
        )}
      />
    </figure>
  );
}

/** Times of day in the user's way, and the day where a new one begins or where only days matter. */
function timeTexts(splits: number[], step: number): string[] {
  const of = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language.value, options);
  const time = of({ hour: "2-digit", minute: "2-digit" });
  const day = of({ day: "numeric", month: "short" });
  return splits.map((seconds, index) => {
    const at = new Date(seconds * 1000);
    const midnight = at.getHours() === 0 && at.getMinutes() === 0;
    return midnight || (step >= 43_200 && index === 0) ? day.format(at) : time.format(at);
  });
}

function optionsOf(
  measure: Measure,
  element: HTMLElement,
  text: (value: number) => string,
  hasHighest: boolean,
): uPlot.Options {
  const style = getComputedStyle(element);
  const [line, grid, ink] = ["--accent", "--line", "--faint"].map((name) =>
    style.getPropertyValue(name).trim(),
  );
  const axis = {
    stroke: ink ?? "",
    grid: { stroke: grid ?? "", width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  const percent = measure === "gpu" || measure === "cpu";
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: "instance" }, y: false, drag: { x: false, y: false } },
    scales: {
      x: { time: true },
      y: {
        range: percent ? [0, 100] : (_, min, max) => [Math.min(0, min), max === min ? max + 1 : max * 1.05],
      },
    },
    axes: [
      { ...axis, size: 30, values: (_, splits, __, ___, step) => timeTexts(splits, step) },
      { ...axis, size: 56, values: (_, splits) => splits.map(text) },
    ],
    series: [
      {},
      {
        stroke: line ?? "",
        width: 1.5,
        fill: `color-mix(in srgb, ${line} 12%, transparent)`,
        points: { show: false },
      },
      ...(hasHighest ? [{ stroke: ink ?? "", width: 1, dash: [4, 3], points: { show: false } }] : []),
    ],
  };
}
