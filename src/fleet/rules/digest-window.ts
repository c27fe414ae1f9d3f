import type { Severity } from "../../lifecycle/model/history-event.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";

/**
 * When a fleet's alerts are told. A critical one goes at once, and those that follow within the window go together at its
 * end. The others wait for a window of their own, and a little longer while more keep coming: one outage makes one message.
 */

/** `critical` alerts go at once and apart; the others wait for what else happens. */
export type Urgency = "critical" | "ordinary";

/** All moments in ms; null where nothing waits. */
export interface DigestWindow {
  /** When the critical alerts that wait are told. */
  readonly criticalAt: number | null;
  /** Further critical alerts wait until then, because one was just sent. */
  readonly quietUntil: number | null;
  /** When the other alerts are told, and at the latest. */
  readonly ordinary: { readonly at: number; readonly latestAt: number } | null;
}

export const NOTHING_TO_TELL: DigestWindow = { criticalAt: null, quietUntil: null, ordinary: null };

/** Alerts of one user within this time make one message a channel. */
export const DIGEST_WINDOW_MS = 30 * SECOND_MS;

/** While an alert is younger than this, more are expected. */
const STILL_COMING_MS = 10 * SECOND_MS;

/** How much longer than its window a digest waits for what still comes. */
const LONGEST_WAIT_MS = 75 * SECOND_MS;

export function urgencyOf(severity: Severity): Urgency {
  return severity === "critical" ? "critical" : "ordinary";
}

/** An alert has come. */
export function addAlert(window: DigestWindow, severity: Severity, now: number): DigestWindow {
  switch (urgencyOf(severity)) {
    case "critical": {
      if (window.criticalAt !== null) return window;
      return { ...window, criticalAt: Math.max(now, window.quietUntil ?? now) };
    }
    case "ordinary": {
      const { at, latestAt } = window.ordinary ?? {
        at: now + DIGEST_WINDOW_MS,
        latestAt: now + DIGEST_WINDOW_MS + LONGEST_WAIT_MS,
      };
      return {
        ...window,
        ordinary: { at: Math.min(latestAt, Math.max(at, now + STILL_COMING_MS)), latestAt },
      };
    }
  }
}

/** Which alerts are to be told now. */
export function dueDigests({ criticalAt, ordinary }: DigestWindow, now: number): Urgency[] {
  const due: Urgency[] = [];
  if (criticalAt !== null && criticalAt <= now) due.push("critical");
  if (ordinary !== null && ordinary.at <= now) due.push("ordinary");
  return due;
}

/** All alerts of this urgency have been told. */
export function closeWindow(window: DigestWindow, urgency: Urgency, now: number): DigestWindow {
  switch (urgency) {
    case "critical":
      return { ...window, criticalAt: null, quietUntil: now + DIGEST_WINDOW_MS };
    case "ordinary":
      return { ...window, ordinary: null };
  }
}

/** How many alerts wait, by urgency. */
export type Pending = Readonly<Record<Urgency, number>>;

/**
 * The window as it must be for what waits: none of it without a time, or with one that lies further ahead than any may, since
 * the clock was set back. `late`: how many alerts had such a time, or one that passed `lateMs` ago.
 */
export function mendWindow(
  window: DigestWindow,
  pending: Pending,
  now: number,
  lateMs: number,
): { readonly window: DigestWindow; readonly late: number } {
  const isFar = (at: number | null, longestMs: number) => at === null || at > now + longestMs;
  const isPast = (at: number | null) => at !== null && at < now - lateMs;
  const { criticalAt, quietUntil, ordinary } = window;
  const isCriticalAstray = pending.critical > 0 && isFar(criticalAt, DIGEST_WINDOW_MS);
  const isOrdinaryAstray =
    pending.ordinary > 0 && isFar(ordinary?.at ?? null, DIGEST_WINDOW_MS + LONGEST_WAIT_MS);
  const isQuietAstray = quietUntil !== null && quietUntil > now + DIGEST_WINDOW_MS;
  const isCriticalLate = isCriticalAstray || (pending.critical > 0 && isPast(criticalAt));
  const isOrdinaryLate = isOrdinaryAstray || (pending.ordinary > 0 && isPast(ordinary?.at ?? null));
  const isAsItMustBe = !isCriticalAstray && !isOrdinaryAstray && !isQuietAstray;
  return {
    window: isAsItMustBe
      ? window
      : {
          criticalAt: isCriticalAstray ? now : criticalAt,
          quietUntil: isQuietAstray ? now + DIGEST_WINDOW_MS : quietUntil,
          ordinary: isOrdinaryAstray ? { at: now, latestAt: now } : ordinary,
        },
    late: (isCriticalLate ? pending.critical : 0) + (isOrdinaryLate ? pending.ordinary : 0),
  };
}
