/** Durations and calendar days. All instants are milliseconds since the epoch, UTC. */

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** ISO 8601 in UTC, whole seconds: `2025-12-19T03:25:30Z`. */
export function toIso(instantMs: number): string {
  return `${new Date(instantMs).toISOString().slice(0, 19)}Z`;
}

/** A moment of an event's detail, from which the past is retraced: the rest of its second is kept beside it, in ms. */
export function exactly(name: string, instantMs: number): Readonly<Record<string, string | number>> {
  const rest = instantMs % SECOND_MS;
  return { [name]: toIso(instantMs), ...(rest === 0 ? {} : { [`${name}_ms`]: rest }) };
}

/** The UTC day of an instant: `2025-12-19`. */
export function utcDay(instantMs: number): string {
  return new Date(instantMs).toISOString().slice(0, 10);
}

/** The UTC month of an instant: `2025-12`. */
export function utcMonth(instantMs: number): string {
  return new Date(instantMs).toISOString().slice(0, 7);
}

/** The first instant of the UTC day that holds `instantMs`. */
export function startOfUtcDay(instantMs: number): number {
  return Math.floor(instantMs / DAY_MS) * DAY_MS;
}

/** The first instant of the UTC month that holds `instantMs`. */
export function startOfUtcMonth(instantMs: number): number {
  const date = new Date(instantMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** The first instant of the UTC month after the one that holds `instantMs`. */
export function startOfNextUtcMonth(instantMs: number): number {
  const date = new Date(instantMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Short form for countdowns: `45s`, `2min`, `1min 43s`, `3h`. Rounded to the nearest second. */
export function shortDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / SECOND_MS));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  const parts = [
    hours > 0 ? `${hours}h` : "",
    minutes > 0 ? `${minutes}min` : "",
    rest > 0 ? `${rest}s` : "",
  ].filter(Boolean);
  return parts.join(" ") || "0s";
}

/** Long form in one whole unit, rounded down: `12 seconds`, `70 minutes`, `2 hours`, `7 days`. */
export function spokenDuration(durationMs: number): string {
  const [count, unit] =
    durationMs < MINUTE_MS
      ? [Math.floor(durationMs / SECOND_MS), "second"]
      : durationMs < 2 * HOUR_MS
        ? [Math.floor(durationMs / MINUTE_MS), "minute"]
        : durationMs < 2 * DAY_MS
          ? [Math.floor(durationMs / HOUR_MS), "hour"]
          : [Math.floor(durationMs / DAY_MS), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
