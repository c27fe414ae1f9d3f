import { HOUR_MS, MINUTE_MS } from "../lifecycle/model/time.ts";
import { firesBy } from "../platform/alarm.ts";

/** When the one alarm of an instance must fire. Pure. */

/** A row that cannot be read is looked at again after this long: a deployment may have brought the code that can. */
const UNREADABLE_RETRY_MS = HOUR_MS;

/** What broke an invariant is tried again after this long: as long as it is decided in the same way, it will again. */
const WITHHELD_RETRY_MS = 5 * MINUTE_MS;

/** After an alarm that failed on the way. */
const FAILED_RETRY_MS = MINUTE_MS;

/** What lies ahead of an instance. */
export type Outlook =
  | { readonly kind: "unreadable" }
  /** The alarm itself failed. */
  | { readonly kind: "failed" }
  /** A decision broke an invariant. Its deadline stands, and would lead to the same decision at once. */
  | { readonly kind: "withheld" }
  | {
      readonly kind: "readable";
      /** Of the lifecycle: its next deadline. */
      readonly wakeAt: number | null;
      /** Of the outbox: its next try. */
      readonly tryAt: number | null;
    };

/** When the instance must be woken at the latest; null when only a call can change anything. */
export function nextAlarm(outlook: Outlook, now: number): number | null {
  switch (outlook.kind) {
    case "unreadable":
      return now + UNREADABLE_RETRY_MS;
    case "failed":
      return now + FAILED_RETRY_MS;
    case "withheld":
      return now + WITHHELD_RETRY_MS;
    case "readable": {
      const moments = [outlook.wakeAt, outlook.tryAt].filter((moment) => moment !== null);
      return moments.length === 0 ? null : Math.min(...moments);
    }
  }
}

/** What the alarm must be set to, given what it is set to; null to leave it. */
export function alarmToSet(moment: number | null, armedAt: number | null, now: number): number | null {
  if (moment === null || firesBy(moment, armedAt, now)) return null;
  // A moment in the past would be taken for now, yet be refused by some versions of the runtime.
  return Math.max(moment, now + 1);
}
