/** Views of the list that somebody has given a name. Each is what follows the place in an address. Pure. */

export interface SavedView {
  readonly name: string;
  /** In the order of its names, so that one view has one address. */
  readonly query: string;
}

/** So many a browser keeps. */
export const MOST_VIEWS = 20;
export const LONGEST_NAME = 40;
const LONGEST_QUERY = 1000;

/** What a browser has kept. What is no view is left out. */
export function viewsIn(text: string | null): readonly SavedView[] {
  const kept = parsed(text ?? "[]");
  if (!Array.isArray(kept)) return [];
  return kept.filter(isView).slice(0, MOST_VIEWS);
}

function isView(kept: unknown): kept is SavedView {
  return (
    typeof kept === "object" &&
    kept !== null &&
    "name" in kept &&
    typeof kept.name === "string" &&
    kept.name !== "" &&
    kept.name.length <= LONGEST_NAME &&
    "query" in kept &&
    typeof kept.query === "string" &&
    kept.query.length <= LONGEST_QUERY
  );
}

/** What a view is known by: the same filters in another order are the same view. */
export function queryOfView(query: URLSearchParams): string {
  const sorted = new URLSearchParams(query);
  sorted.sort();
  return sorted.toString();
}

/** With one more, in the place of one of its name; null where it can't be kept. */
export function withView(
  views: readonly SavedView[],
  name: string,
  query: URLSearchParams,
): readonly SavedView[] | null {
  const view = { name: name.trim(), query: queryOfView(query) };
  const others = views.filter((each) => each.name !== view.name);
  return isView(view) && others.length < MOST_VIEWS ? [...others, view] : null;
}

export function withoutView(views: readonly SavedView[], name: string): readonly SavedView[] {
  return views.filter((each) => each.name !== name);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
