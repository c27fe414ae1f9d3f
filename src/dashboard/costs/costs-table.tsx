import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { USES, type Use } from "../../lifecycle/model/ledger.ts";
import { number, price } from "../format.ts";
import { useGrowing } from "../parts/growing.ts";
import { language, words } from "../words.ts";
import { type CostRow, type KeyedRow, partOf, savedOf, wastedOf } from "./answers.ts";
import { amountText } from "./bars-chart.tsx";
import { type CostColumn, sortedRows } from "./sorted.ts";

const MONEY_COLUMNS = ["key", "cost", "wasted", "saved"] as const satisfies readonly CostColumn[];

/** Costs row by row, the dearest first, below their sum. */
export function CostsTable({
  rows,
  total,
  keyName,
  nameOf,
  first = "cost",
}: {
  rows: readonly KeyedRow[];
  total: CostRow;
  /** What the rows are of. */
  keyName: string;
  /** How a row is called. */
  nameOf: (key: string) => ComponentChildren;
  /** By which column the rows are sorted at first. */
  first?: CostColumn;
}) {
  const [sort, setSort] = useState({ column: first, isDescending: true });
  const { limit, end, isMore } = useGrowing(rows.length);
  const { costs, loading } = words.value;
  const names = { key: keyName, cost: costs.cost, wasted: costs.wasted, saved: costs.saved };
  return (
    <table class="fleet costs">
      <thead>
        <tr>
          {MONEY_COLUMNS.map((column) => (
            <th key={column} scope="col" aria-sort={ariaSort(sort, column)}>
              <button
                type="button"
                onClick={() =>
                  setSort({ column, isDescending: sort.column === column ? !sort.isDescending : true })
                }
              >
                {names[column]}
              </button>
            </th>
          ))}
          {USES.map((use) => (
            <th key={use} scope="col">
              {costs.uses[use]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody class="total">
        <tr>
          <th scope="row">{costs.total}</th>
          <Amounts row={total} />
        </tr>
      </tbody>
      <tbody>
        {sortedRows(rows, sort)
          .slice(0, limit)
          .map((row) => (
            <tr key={row.key}>
              <th scope="row">{nameOf(row.key)}</th>
              <Amounts row={row} />
            </tr>
          ))}
        {isMore && (
          <tr ref={end} class="more">
            <td colSpan={MONEY_COLUMNS.length + USES.length}>{loading}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Amounts({ row }: { row: CostRow }) {
  const { costs } = words.value;
  const wasted = wastedOf(row);
  const isWasted = wasted !== null && wasted > 0;
  return (
    <>
      <td data-label={costs.cost} class="figure">
        {amountText(row)}
      </td>
      <td data-label={costs.wasted} class={isWasted ? "figure dollars wasted" : "figure"}>
        {textOf(wasted)}
      </td>
      <td data-label={costs.saved} class="figure">
        {textOf(savedOf(row))}
      </td>
      {USES.map((use) => (
        <UseCell key={use} name={costs.uses[use]} row={row} use={use} />
      ))}
    </>
  );
}

function UseCell({ name, row, use }: { name: string; row: CostRow; use: Use }) {
  const hours = row.hours[use];
  if (hours === 0) return <td class="unused faint">–</td>;
  return (
    <td data-label={name} class="figure">
      {textOf(partOf(row.cost_by_use[use], hours, row))}
      <span class="id">{words.value.costs.hours(number(hours, language.value))}</span>
    </td>
  );
}

function textOf(dollars: number | null): string {
  return dollars === null ? words.value.costs.notKnown : price(dollars, language.value);
}

function ariaSort(sort: { column: CostColumn; isDescending: boolean }, column: CostColumn) {
  if (sort.column !== column) return undefined;
  return sort.isDescending ? "descending" : "ascending";
}
