import type { Cell } from "../../http/csv.ts";
import { USES } from "../../lifecycle/model/ledger.ts";
import type { Asked } from "./query.ts";
import type { CostRow } from "./rows.ts";

/** Rows of costs as a table with a head. The first column is called by what it is. */
export function tableOf(asked: Asked, rows: readonly CostRow[]): Cell[][] {
  return [
    [
      asked.by === "tag" ? asked.tag : asked.by,
      "cost",
      "wasted",
      "saved",
      ...USES.map((use) => `hours_${use}`),
      ...USES.map((use) => `cost_${use}`),
      "reported",
      "unpriced_hours",
    ],
    ...rows.map((row) => [
      row.key,
      row.cost,
      row.wasted,
      row.saved,
      ...USES.map((use) => row.hours[use]),
      ...USES.map((use) => row.cost_by_use[use]),
      row.reported,
      row.unpriced_hours,
    ]),
  ];
}
