/** Where a page ended: the next one holds what lies before it. */
export interface Position {
  readonly at: number;
  readonly tie: string;
}

export interface Page<T> {
  readonly entries: readonly T[];
  /** Null on the last page. */
  readonly next: Position | null;
}

/** A page of at most `limit`. Whoever looked for one more has found whether there is another page. */
export function pageOf<T>(found: readonly T[], limit: number, positionOf: (last: T) => Position): Page<T> {
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  return { entries, next: found.length > limit && last !== undefined ? positionOf(last) : null };
}
