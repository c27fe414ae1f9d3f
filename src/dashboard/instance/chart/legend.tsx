import { instanceWords } from "../words.ts";
import type { Pane } from "./panes.ts";
import type { Past } from "./past.ts";

/** What the lines and the bands mean, of those that are there. */
export function Legend({ past, panes }: { past: Past; panes: readonly Pane[] }) {
  const { lines, standings, chart } = instanceWords.value;
  const named = panes
    .filter(({ lines: each, name }) => each.length > 1 || name === "cost")
    .flatMap((pane) => pane.lines);
  const bands = new Set(past.bands.map(({ standing }) => standing));
  const hasThreshold = panes.some(({ threshold }) => threshold !== null);
  return (
    <ul class="legend chart-legend">
      {named.map(({ name }) => (
        <li key={name}>
          <span class={`swatch line ${name}`} /> {lines[name]}
        </li>
      ))}
      {hasThreshold && (
        <li>
          <span class="swatch line threshold" /> {chart.threshold}
        </li>
      )}
      {[...bands].map((standing) => (
        <li key={standing}>
          <span class={`swatch band ${standing}`} /> {standings[standing]}
        </li>
      ))}
      {past.events.length > 0 && (
        <li>
          <span class="swatch mark" /> {chart.events}
        </li>
      )}
    </ul>
  );
}
