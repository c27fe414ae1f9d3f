import { ApiError, notFound, unavailable, unreadable } from "../../http/errors.ts";
import { type Absent, isReadable, type Unavailable, type Unreadable } from "../../instance/outcomes.ts";
import type { Refusal } from "../../lifecycle/rules/refusals.ts";

/** How the refusals of an instance's actor are answered. */

/** The error for a command that the actor did not carry out. */
export function refusalError(
  outcome: Absent | Unavailable | { readonly outcome: "refused"; readonly refusal: Refusal },
): ApiError {
  switch (outcome.outcome) {
    case "refused":
      return new ApiError(outcome.refusal.code, outcome.refusal.said ?? outcome.refusal.message);
    case "unknown":
      return notFound();
    case "unreadable":
      return unreadable();
    case "unavailable":
      return unavailable(60);
  }
}

/** The actor's view of its instance. Throws 404 when it knows of none, and 503 when it cannot read what is stored. */
export function viewOrThrow<T extends object>(view: T | Unreadable | null): Exclude<T, Unreadable> {
  if (view === null) throw notFound();
  if (!isReadable(view)) throw unreadable();
  return view;
}
