import { TREND_SLOTS, type Trend } from "../../lifecycle/model/trend.ts";
import { words } from "../words.ts";

const WIDTH = 120;
const HEIGHT = 28;

/** GPU utilization of the last hour; a gap is a gap. */
export function Sparkline({ trend, current }: { trend: Trend; current: number | null }) {
  const reported = trend.filter((percent) => percent !== null);
  if (reported.length === 0) return <span class="faint">{words.value.noGpu}</span>;
  const step = WIDTH / (TREND_SLOTS - 1);
  const first = TREND_SLOTS - trend.length;
  const point = (percent: number, slot: number) =>
    `${((first + slot) * step).toFixed(1)} ${(HEIGHT - 1 - (percent / 100) * (HEIGHT - 2)).toFixed(1)}`;
  const path = trend
    .map((percent, slot) => {
      if (percent === null) return "";
      const before = trend[slot - 1];
      const after = trend[slot + 1];
      // One reading between two gaps is a dot.
      if (before == null && after == null) return `M${point(percent, slot)}h0.1`;
      return `${before == null ? "M" : "L"}${point(percent, slot)}`;
    })
    .join("");
  return (
    <span class="sparkline">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={words.value.gpuTrend(current, Math.max(...reported))}
        preserveAspectRatio="none"
      >
        <path d={path} />
      </svg>
      <span class="figure">{current === null ? "–" : `${Math.round(current)}%`}</span>
    </span>
  );
}
