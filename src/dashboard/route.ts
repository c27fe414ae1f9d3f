import { batch, signal } from "@preact/signals";
import { queryOf, type Route, routeOf } from "./address.ts";

/** Where in the page the user is, by the address's fragment, so that no server need know. */
export const route = signal(routeOf(location.hash));

/** What the place shows: filters, the range of a chart, an open part. All that *Back* must bring back stands here. */
export const query = signal(queryOf(location.hash));

/**
 * Changes what the place shows; null takes a name out. `push` makes a step that *Back* undoes, `replace` does not: for what changes
 * while somebody types or drags.
 */
export function changeQuery(
  changes: Readonly<Record<string, string | readonly string[] | null>>,
  how: "push" | "replace" = "push",
): void {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    if (value === null) continue;
    for (const each of typeof value === "string" ? [value] : value) next.append(name, each);
  }
  if (next.toString() === query.value.toString()) return;
  const [path = ""] = location.hash.split("?");
  const address = `${path === "" ? "#/" : path}${next.size === 0 ? "" : `?${next}`}`;
  if (how === "push") history.pushState({ step: newStep() }, "", address);
  else history.replaceState(history.state, "", address);
  query.value = next;
}

let steps = 0;

/** The name of a new step of the browser's history. */
export function newStep(): string {
  steps += 1;
  return `${Date.now()}-${steps}`;
}

/** The name of the step of the browser's history at which the page is; empty for one that has none yet. */
export function stepNow(): string {
  const state: unknown = history.state;
  if (typeof state !== "object" || state === null || !("step" in state)) return "";
  return typeof state.step === "string" ? state.step : "";
}

let holdsPlace: (next: Route) => boolean = () => false;

/** Until its answer is called, `holds` says whether the page stays where it is; then it has put the address back. */
export function holdPlace(holds: (next: Route) => boolean): () => void {
  holdsPlace = holds;
  return () => {
    holdsPlace = () => false;
  };
}

/** The address has changed: by a link, by hand, or by *Back*. */
function follow(): void {
  const next = routeOf(location.hash);
  if (holdsPlace(next)) return;
  const { hash } = location;
  // At once: whoever follows both must not take the half of it for a step of its own.
  batch(() => {
    if (JSON.stringify(next) !== JSON.stringify(route.value)) route.value = next;
    if (queryOf(hash).toString() !== query.value.toString()) query.value = queryOf(hash);
  });
}

addEventListener("popstate", follow);
addEventListener("hashchange", follow);
