import { useId } from "preact/hooks";
import { dayText, money, price } from "../format.ts";
import { useWidth } from "../parts/width.ts";
import { language, words } from "../words.ts";
import { amountOf, type KeyedRow } from "./answers.ts";
import { type Bar, chartOf, MARGIN, usesOf } from "./bars.ts";

/** Days as stacked bars. Each says what it shows when it is pointed at; the table beneath says the same to whoever can't. */

const HEIGHT = 240;

/** `isSmall`: in passing, where the page of costs has it whole. */
export function BarsChart({
  days,
  rows,
  height = HEIGHT,
  isSmall = false,
}: {
  days: readonly string[];
  rows: readonly KeyedRow[];
  height?: number;
  isSmall?: boolean;
}) {
  const [place, width] = useWidth();
  const hatch = useId();
  const { costs } = words.value;
  const { bars, ticks, labels, baseline } = chartOf(days, rows, { width, height });
  const shown = rows.filter(({ key }) => days.includes(key));
  const dollars = (amount: number) => price(amount, language.value);
  return (
    <figure class={isSmall ? "bars small" : "bars"} ref={place}>
      <svg width={width} height={height} role="img" aria-label={summary(days, shown)}>
        <defs>
          <pattern
            id={hatch}
            width="5"
            height="5"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect class="hatch" width="2" height="5" />
          </pattern>
        </defs>
        {ticks.map((tick) => (
          <g key={tick.y} class="tick">
            <line x1={MARGIN.left - 6} x2={width} y1={tick.y} y2={tick.y} />
            <text x={MARGIN.left - 12} y={tick.y + 4} text-anchor="end">
              {tickText(tick.dollars)}
            </text>
          </g>
        ))}
        {bars.map((bar) => (
          <g key={bar.day} class="bar-of-day">
            <title>{barText(bar)}</title>
            <rect class="slot" x={bar.slot.x} y={0} width={bar.slot.width} height={baseline} />
            {bar.pieces.map(({ use, y, height }) => (
              <rect key={use} class={`use ${use}`} x={bar.x} y={y} width={bar.width} height={height} />
            ))}
            {bar.wasted !== null && (
              <rect
                x={bar.x}
                y={bar.wasted.y}
                width={bar.width}
                height={bar.wasted.height}
                fill={`url(#${hatch})`}
              />
            )}
            {bar.saved !== null && <rect class="saved" {...bar.saved} />}
          </g>
        ))}
        {labels.map(({ x, day }) => (
          <text key={day} class="day" x={x} y={height - 6} text-anchor="middle">
            {dayText(day, language.value)}
          </text>
        ))}
      </svg>
      <figcaption>
        <ul class="legend">
          {usesOf(shown).map((use) => (
            <li key={use}>
              <span class={`swatch use ${use}`} /> {costs.uses[use]}
            </li>
          ))}
          {shown.some(({ wasted }) => wasted !== null && wasted > 0) && (
            <li>
              <span class="swatch hatched" /> {costs.ofItWasted}
            </li>
          )}
          {shown.some(({ saved }) => saved > 0) && (
            <li>
              <span class="swatch saved" /> {costs.saved}
            </li>
          )}
        </ul>
      </figcaption>
    </figure>
  );

  function barText({ day, row }: Bar): string {
    const name = dayText(day, language.value);
    if (row === null) return `${name}: ${costs.nothingKnown}`;
    const parts = usesOf([row]).map((use) => `${costs.uses[use]} ${dollars(row.cost_by_use[use])}`);
    return [
      `${name}: ${amountText(row)}`,
      ...parts,
      ...(row.wasted === null || row.wasted === 0 ? [] : [`${costs.ofItWasted} ${dollars(row.wasted)}`]),
      ...(row.saved === 0 ? [] : [`${costs.saved} ${dollars(row.saved)}`]),
    ].join("\n");
  }

  function summary(all: readonly string[], known: readonly KeyedRow[]): string {
    const sum = (of: (row: KeyedRow) => number) => dollars(known.reduce((total, row) => total + of(row), 0));
    return (isSmall ? costs.smallBarsSummary : costs.barsSummary)(
      dayText(all[0] ?? "", language.value),
      dayText(all.at(-1) ?? "", language.value),
      sum(({ cost }) => cost),
      sum(({ wasted }) => wasted ?? 0),
      sum(({ saved }) => saved),
    );
  }
}

/** What a row has cost, in words: a price that nobody knows is not nothing. */
export function amountText(row: Pick<KeyedRow, "cost" | "unpriced_hours">): string {
  const { dollars, isMore } = amountOf(row);
  const { costs } = words.value;
  if (dollars === null) return costs.notKnown;
  const text = price(dollars, language.value);
  return isMore ? costs.orMore(text) : text;
}

function tickText(dollars: number): string {
  return dollars >= 10 || dollars === 0 ? money(dollars, language.value, 0) : price(dollars, language.value);
}
