import { STATUSES } from "../../lifecycle/model/phase.ts";
import { GROUP_NAMES, isDescendingFirst, type Selection, SORT_KEYS, type SortKey } from "./select.ts";
import { tagsInQuery } from "./tags.ts";

/** What the list shows, as its address says it. What an address says wrongly is left out. Pure. */

export const COLUMNS = [
  "status",
  "next",
  "heartbeat",
  "gpu",
  "rate",
  "cost",
  "wasted",
  "provider",
] as const satisfies readonly SortKey[];

/** A column beside the instance's name, and what the list can be sorted by. */
export type Column = (typeof COLUMNS)[number];

const SHOWN_AT_FIRST: readonly Column[] = COLUMNS.filter((column) => column !== "provider");

export function selectionIn(query: URLSearchParams): Selection {
  return {
    group: oneOf(GROUP_NAMES, query.get("group")),
    status: oneOf(STATUSES, query.get("status")),
    connection: query.get("connection"),
    tags: tagsInQuery(query),
    search: query.get("search") ?? "",
    ...sortIn(query),
  };
}

function sortIn(query: URLSearchParams): Pick<Selection, "sort" | "descending"> {
  const given = query.get("sort") ?? "";
  const sort = oneOf(SORT_KEYS, given.replace(/^-/, ""));
  return sort === null || sort === "attention"
    ? { sort: "attention", descending: false }
    : { sort, descending: given.startsWith("-") };
}

/** How an address names an order; null for the one that needs no name. */
export function sortName(sort: SortKey, descending = isDescendingFirst(sort)): string | null {
  return sort === "attention" ? null : `${descending ? "-" : ""}${sort}`;
}

/** A column that is chosen again turns its order round, and the third time nothing is sorted by it any more. */
export function sortAfter({ sort, descending }: Selection, chosen: SortKey): string | null {
  if (sort !== chosen) return sortName(chosen);
  return descending === isDescendingFirst(chosen) ? sortName(chosen, !descending) : null;
}

/** In the order of the table. */
export function columnsIn(query: URLSearchParams): readonly Column[] {
  const named = query.get("columns");
  if (named === null) return SHOWN_AT_FIRST;
  const wanted = named.split(",");
  return COLUMNS.filter((column) => wanted.includes(column));
}

/** With this column too, or without it, as an address names them; null: as they are at first. */
export function columnsName(shown: readonly Column[], toggled: Column): string | null {
  const next = COLUMNS.filter((column) => shown.includes(column) !== (column === toggled));
  return next.join() === SHOWN_AT_FIRST.join() ? null : next.join();
}

/** An address of the list that differs from `query` in these. */
export function addressWith(
  query: URLSearchParams,
  changes: Readonly<Record<string, string | null>>,
): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return next.size === 0 ? "#/" : `#/?${next}`;
}

function oneOf<T extends string>(all: readonly T[], text: string | null): T | null {
  return all.find((each) => each === text) ?? null;
}
