import type { IdleRun } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { endOfSpan, isWithin, lastEnd } from "../model/windows.ts";
import { text } from "../model/words/say.ts";

/** The awake hours of a schedule: windows in which nothing idles away, whatever the readings say. */

/** Why an idle run ends where they begin. */
export const AWAKE_HOURS = text("idle.awake_hours");

export function isAwakeTime(
  { schedule: { awake, timezone } }: Pick<Policy, "schedule">,
  at: number,
): boolean {
  return isWithin(awake, timezone, at);
}

/** The idle run, which counts from the end of the last awake hours at the earliest; never while these have no end. */
export function outsideAwakeHours(run: IdleRun, policy: Policy, now: number): IdleRun {
  const { awake, timezone } = policy.schedule;
  if (awake.length === 0) return run;
  const from = isWithin(awake, timezone, now)
    ? (endOfSpan(awake, timezone, now) ?? Number.POSITIVE_INFINITY)
    : (lastEnd(awake, timezone, now) ?? 0);
  return run.since >= from ? run : { ...run, since: from };
}
