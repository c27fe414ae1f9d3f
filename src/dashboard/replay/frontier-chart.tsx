import { duration, money, number, price } from "../format.ts";
import { useWidth } from "../parts/width.ts";
import { language } from "../words.ts";
import { hoursText, percentText } from "./amounts.ts";
import type { Point, SavingsMeasure } from "./answers.ts";
import { type Dot, frontierChart, MARGIN, savedOf } from "./frontier.ts";
import { replayWords } from "./words.ts";

/** Savings against interruptions. Each dot says what it shows when it is pointed at; the table beneath says the same to whoever can't. */

const HEIGHT = 260;
const RADIUS = 4.5;

export function FrontierChart({ points, measure }: { points: readonly Point[]; measure: SavingsMeasure }) {
  const [place, width] = useWidth();
  const { proposal } = replayWords.value;
  const { axes, legend } = proposal;
  const chart = frontierChart(points, measure, { width, height: HEIGHT });
  const { dots, baseline } = chart;
  const most =
    chart.dots.length === 0 ? 0 : Math.max(...dots.map(({ pairs: [pair] }) => savedOf(pair, measure)));
  const middle = (MARGIN.left + width - MARGIN.right) / 2;
  // What is drawn last lies on top.
  const upwards = [...dots].sort((one, other) => rank(one) - rank(other));
  return (
    <figure class="frontier" ref={place}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={proposal.chart(points.length, savedText(most, measure))}
      >
        {chart.saved.map(({ y, amount }) => (
          <g key={y} class="tick">
            <line x1={MARGIN.left - 6} x2={width} y1={y} y2={y} />
            <text x={MARGIN.left - 12} y={y + 4} text-anchor="end">
              {tickText(amount, measure)}
            </text>
          </g>
        ))}
        {chart.interruptions.map(({ x, count }) => (
          <text key={x} x={x} y={baseline + 18} text-anchor="middle">
            {number(count, language.value, 0)}
          </text>
        ))}
        <text x={middle} y={HEIGHT - 4} text-anchor="middle">
          {axes.interruptions}
        </text>
        <path class="line" d={chart.line} />
        {upwards.map((dot) => (
          <circle
            key={`${dot.x} ${dot.y}`}
            class={`dot ${kindOf(dot)}`}
            cx={dot.x}
            cy={dot.y}
            r={radiusOf(dot)}
          >
            <title>{dotText(dot, measure)}</title>
          </circle>
        ))}
      </svg>
      <figcaption>
        <ul class="legend">
          {dots.some(({ isProposed }) => isProposed) && (
            <li>
              <span class="swatch proposed" /> {legend.proposed}
            </li>
          )}
          <li>
            <span class="swatch on" /> {legend.frontier}
          </li>
          {dots.some(({ isFrontier }) => !isFrontier) && (
            <li>
              <span class="swatch other" /> {legend.other}
            </li>
          )}
        </ul>
      </figcaption>
    </figure>
  );
}

function rank({ isProposed, isFrontier }: Dot): number {
  return isProposed ? 2 : isFrontier ? 1 : 0;
}

function kindOf({ isProposed, isFrontier }: Dot): string {
  return isProposed ? "proposed" : isFrontier ? "on" : "other";
}

function radiusOf({ isProposed }: Dot): number {
  return isProposed ? RADIUS * 1.5 : RADIUS;
}

/** So many pairs of a dot are named. */
const NAMED = 6;

function dotText({ pairs }: Dot, measure: SavingsMeasure): string {
  const { axes } = replayWords.value.proposal;
  const [first] = pairs;
  return [
    `${axes[measure]}: ${savedText(savedOf(first, measure), measure)}`,
    `${axes.interruptions}: ${number(first.interruptions, language.value, 0)}`,
    ...pairs.slice(0, NAMED).map(pairText),
    ...(pairs.length > NAMED ? ["…"] : []),
  ].join("\n");
}

export function pairText({
  threshold_percent,
  hibernate_after_minutes,
}: Pick<Point, "threshold_percent" | "hibernate_after_minutes">): string {
  return replayWords.value.proposal.pair(
    percentText(threshold_percent),
    duration(hibernate_after_minutes * 60),
  );
}

export function savedText(amount: number, measure: SavingsMeasure): string {
  return measure === "dollars" ? price(amount, language.value) : hoursText(amount);
}

function tickText(amount: number, measure: SavingsMeasure): string {
  if (measure === "hours") return `${number(amount, language.value)} h`;
  return amount >= 10 || amount === 0 ? money(amount, language.value, 0) : price(amount, language.value);
}
