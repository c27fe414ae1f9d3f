import { fieldLabel, spoken } from "../settings/policy-field.tsx";
import { differenceText, valueText } from "./amounts.ts";
import type { KeptPreview } from "./answers.ts";
import { areAlike, policyDifferences, rowsOfTwo, triedAt } from "./two.ts";
import { replayWords } from "./words.ts";

/** What two previews came to, and where their policies differ. */
export function TwoCompared({ first, second }: { first: KeptPreview; second: KeptPreview }) {
  const { kept, measure, measures } = replayWords.value;
  return (
    <>
      <h4>{kept.comparison}</h4>
      {!areAlike(first, second) && <p class="remark">{kept.unlike}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard */}
      <section class="scrolled across" aria-label={kept.comparison} tabIndex={0}>
        <table class="lines compared">
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">{measure}</span>
              </th>
              <th scope="col">{kept.letters.first}</th>
              <th scope="col">{kept.letters.second}</th>
              <th scope="col">{kept.change}</th>
            </tr>
          </thead>
          <tbody>
            {rowsOfTwo(first, second).map((row) => (
              <tr key={row.measure}>
                <th scope="row">{measures[row.measure]}</th>
                <td class="figure">{valueText(row.first, row.unit)}</td>
                <td class="figure">{valueText(row.second, row.unit)}</td>
                <td class="figure">
                  <span class={`change ${row.difference?.is ?? "neither"}`}>
                    {differenceText(row.difference, row.unit) ?? "–"}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Policies first={first} second={second} />
    </>
  );
}

function Policies({ first, second }: { first: KeptPreview; second: KeptPreview }) {
  const { kept } = replayWords.value;
  const differences = policyDifferences(first, second);
  if (differences.length === 0) return <p>{kept.alike}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled must be reached by keyboard
    <section class="scrolled across" aria-label={kept.policies} tabIndex={0}>
      <table class="lines compared">
        <thead>
          <tr>
            <th scope="col">{kept.policies}</th>
            <th scope="col">{kept.letters.first}</th>
            <th scope="col">{kept.letters.second}</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ field: { path, kind }, ...values }) => {
            const timezone = [...path.slice(0, -1), "timezone"];
            return (
              <tr key={path.join(".")}>
                <th scope="row">
                  {path.map((_, index) => fieldLabel(path.slice(0, index + 1))).join(" – ")}
                </th>
                <td>{spoken(values.first, kind, String(triedAt(first, timezone) ?? "UTC"))}</td>
                <td>{spoken(values.second, kind, String(triedAt(second, timezone) ?? "UTC"))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
