import { differenceText, hoursText, valueText } from "./amounts.ts";
import type { Result } from "./answers.ts";
import { type Cell, type Row, rowsOf } from "./comparing.ts";
import { replayWords } from "./words.ts";

/** What each policy came to, beside what really happened. */
export function ResultsTable({ results }: { results: readonly Result[] }) {
  const { results: heading, measure, measures, compared, notes, unpriced } = replayWords.value;
  const mostUnpriced = Math.max(0, ...results.map(({ unpriced_hours }) => unpriced_hours));
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard */}
      <section class="scrolled across" aria-label={heading} tabIndex={0}>
        <table class="lines compared">
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">{measure}</span>
              </th>
              {results.map(({ of }) => (
                <th key={of} scope="col" class={of}>
                  {compared[of]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rowsOf(results).map((row) => (
              <tr key={row.measure}>
                <th scope="row">{measures[row.measure]}</th>
                {row.cells.map((cell) => (
                  <Compared key={cell.of} cell={cell} unit={row.unit} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="faint note">{notes}</p>
      {mostUnpriced > 0 && <p class="remark">{unpriced(hoursText(mostUnpriced))}</p>}
    </>
  );
}

function Compared({ cell, unit }: { cell: Cell; unit: Row["unit"] }) {
  const difference = differenceText(cell.difference, unit);
  return (
    <td class={`figure ${cell.of}`}>
      {valueText(cell, unit)}
      {difference !== null && <span class={`change ${cell.difference?.is}`}>{difference}</span>}
    </td>
  );
}
