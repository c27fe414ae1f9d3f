import { SECOND_MS, toIso } from "../model/time.ts";
import type { Language, Reader, Said } from "../model/words/said.ts";
import { say } from "../model/words/say.ts";

/** Why automation will act or does not: the next step, when it is due, on what evidence, and what holds it back. */
export interface Explanation {
  readonly next_step:
    | "warn"
    | "hibernate"
    | "orphan"
    | "never_heard"
    | "force_hibernate"
    | "delete"
    | "wake"
    | null;
  readonly at: string | null;
  readonly in_seconds: number | null;
  readonly because: string;
  readonly blocked_by:
    | "keep_alive"
    /** These are the awake hours of its schedule. */
    | "schedule"
    | "maintenance"
    | "guard"
    | "activity"
    | "policy_disabled"
    | "stale_evidence"
    | "no_provider"
    | "wake_grace"
    /** The policy only observes: the step is told of when it is due, and not taken. */
    | "observe"
    | null;
}

/** An explanation before it is worded. */
export interface Reason extends Omit<Explanation, "because"> {
  readonly because: Said;
}

/** It in this language, or in the language and the time of this reader. */
export function wordReason({ because, ...reason }: Reason, to: Language | Reader): Explanation {
  return { ...reason, because: say(to, because) };
}

/** A step that is due at `atMs`. */
export function stepAt(
  next_step: Explanation["next_step"],
  atMs: number,
  now: number,
  because: Said,
  blocked_by: Explanation["blocked_by"],
): Reason {
  return {
    next_step,
    at: toIso(atMs),
    in_seconds: Math.max(0, Math.round((atMs - now) / SECOND_MS)),
    because,
    blocked_by,
  };
}

/** Nothing is due. */
export function noStep(because: Said, blocked_by: Explanation["blocked_by"] = null): Reason {
  return { next_step: null, at: null, in_seconds: null, because, blocked_by };
}
