import type { Span } from "../../replay/story.ts";

/** So many times a guard closed and opened are read at most: the newest. */
const TURNS_AT_MOST = 1000;

/** When the user's outage guard was closed, as far as the fleet's own events still tell; oldest first. */
export function guardClosedIn(sql: SqlStorage, { from, to }: Span): Span[] {
  const turns = sql
    .exec<{ at: number; kind: string }>(
      `SELECT at, kind FROM events
       WHERE instance_id = '' AND kind IN ('guard_closed', 'guard_opened') ORDER BY number DESC LIMIT ?`,
      TURNS_AT_MOST,
    )
    .toArray()
    .sort((one, other) => one.at - other.at);
  const spans: Span[] = [];
  let closedAt: number | null = null;
  for (const { at, kind } of turns) {
    if (kind === "guard_closed") closedAt ??= at;
    else if (closedAt !== null) {
      spans.push({ from: closedAt, to: at });
      closedAt = null;
    }
  }
  if (closedAt !== null) spans.push({ from: closedAt, to });
  return spans
    .filter((span) => span.to > from && span.from < to)
    .map((span) => ({ from: Math.max(from, span.from), to: Math.min(to, span.to) }));
}
