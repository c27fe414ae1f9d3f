/** Moments of the past, as a field for date and time has them: by the clock of the reader. Pure. */

/** A moment that was asked for elsewhere on the page; another object for each time. */
export interface AskedMoment {
  readonly atMs: number;
}

/** `2026-11-27T03:05:00` by the reader's clock. */
export function toField(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Null for a field that says no moment. */
export function fromField(text: string): number | null {
  const at = new Date(text).getTime();
  return text === "" || Number.isNaN(at) ? null : at;
}

/** As the API takes it: in UTC, to the second. */
export function toQuery(atMs: number): string {
  return new Date(Math.floor(atMs / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/** The moment in the page's own address: as in the API's. Null for what is none. */
export function fromQuery(text: string | null): number | null {
  if (text === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

export const whyQuery = (atMs: number) => ({ why: toQuery(atMs) });

/** Those that are shown at first: some before the moment, and a few after it. */
export function nearest<T extends { readonly at: string }>(
  readings: readonly T[],
  atMs: number,
  before = 6,
  after = 3,
): readonly T[] {
  const next = readings.findIndex(({ at }) => Date.parse(at) > atMs);
  const until = next === -1 ? readings.length : next;
  return readings.slice(Math.max(0, until - before), until + after);
}
