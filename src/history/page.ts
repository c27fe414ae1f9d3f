import type { z } from "zod";

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

/** A row, where it stands, and what it shows; null when that can't be read. */
interface PlacedRow<T> {
  readonly position: Position;
  readonly entry: T | null;
}

/** Rows as they were found. A position is a key, which is never empty: only what a row shows can be unreadable. */
export function placedRows<T extends z.ZodType>(
  schema: T,
  position: z.ZodType<Position>,
  found: readonly unknown[],
): PlacedRow<z.output<T>>[] {
  return found.map((row) => ({
    position: position.parse(row),
    entry: schema.safeParse(row).data ?? null,
  }));
}

/**
 * A page of at most `limit` rows. Whoever looked for one more has found whether there is another page. It ends with the last
 * row that was found: one that can't be read is left out, and ends nothing.
 */
export function pageOf<T>(found: readonly PlacedRow<T>[], limit: number): Page<T> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    entries: rows.flatMap(({ entry }) => (entry === null ? [] : [entry])),
    next: found.length > limit && last !== undefined ? last.position : null,
  };
}
