import { ask } from "../api.ts";
import { useRepeated } from "../poll.ts";
import type { CostsAnswer, KeyedRow } from "./answers.ts";

/** All rows of an answer that comes in pages. */
export interface Costs extends CostsAnswer {
  /** Whether there are more rows than were read. */
  readonly isCut: boolean;
}

/** Of a thousand rows each. */
const MAXIMUM_PAGES = 10;

const PAUSE_MS = 60_000;

/** What the service says of costs: `query` of its API, read again every minute. */
export function useCosts(query: string) {
  return useRepeated(
    query,
    () => () => readCosts(query),
    () => PAUSE_MS,
  );
}

async function readCosts(query: string): Promise<Costs> {
  const rows: KeyedRow[] = [];
  let page = await ask<CostsAnswer>("GET", `${COSTS}?${query}`);
  rows.push(...page.rows);
  for (let read = 1; read < MAXIMUM_PAGES && page.next_cursor !== null; read += 1) {
    page = await ask<CostsAnswer>("GET", `${COSTS}?${query}&cursor=${page.next_cursor}`);
    rows.push(...page.rows);
  }
  return { ...page, rows, isCut: page.next_cursor !== null };
}

export const COSTS = "/api/agent/costs";
