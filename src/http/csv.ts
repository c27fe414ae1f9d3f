import { accepts } from "hono/accepts";
import type { ApiContext } from "./endpoint.ts";

/** Tables as CSV (RFC 4180), for spreadsheets. */

export type Cell = string | number | null;

const TYPE = "text/csv";

/** Whether the client would rather have CSV than JSON (RFC 9110, 12.5.1). */
export function prefersCsv(c: ApiContext): boolean {
  return (
    accepts(c, { header: "Accept", supports: ["application/json", TYPE], default: "application/json" }) ===
    TYPE
  );
}

export function answerCsv(c: ApiContext, fileName: string, rows: readonly (readonly Cell[])[]): Response {
  c.header("Content-Disposition", `attachment; filename="${fileName}"`);
  return c.body(csvOf(rows), 200, { "Content-Type": `${TYPE}; charset=utf-8` });
}

export function csvOf(rows: readonly (readonly Cell[])[]): string {
  return rows.map((cells) => `${cells.map(written).join(",")}\r\n`).join("");
}

function written(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A spreadsheet would reckon what begins so. */
const FORMULA = /^[=+\-@\t\r]/;

const QUOTED = /[",\r\n]/;
