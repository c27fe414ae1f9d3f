/** What a stretch of time came to, of one instance or of several: what really happened, or what a policy would have made of it. */
export interface Outcome {
  /** Ms. Together they are the time of the story, but for what lies before its registration or after its end. */
  readonly workingMs: number;
  readonly idleMs: number;
  readonly silentMs: number;
  readonly hibernatedMs: number;
  /** Of these, without a known price: in no amount of dollars. */
  readonly unpricedMs: number;
  /** Dollars. */
  readonly cost: number;
  /** Of `cost`: while idle past the warning, orphaned, or never heard. */
  readonly wasted: number;
  /** By hibernation. */
  readonly saved: number;
  readonly hibernations: number;
  /** Hibernations undone by a person within the policy's `regretMs`. */
  readonly regrets: number;
  readonly deletions: number;
  /** How often work came while the machine was off. */
  readonly interruptions: number;
  /** Until it was woken for that work. */
  readonly delayedMs: number;
  /** Of work that the machine could not do, because it was off. */
  readonly workCutMs: number;
}

export const NOTHING: Outcome = {
  workingMs: 0,
  idleMs: 0,
  silentMs: 0,
  hibernatedMs: 0,
  unpricedMs: 0,
  cost: 0,
  wasted: 0,
  saved: 0,
  hibernations: 0,
  regrets: 0,
  deletions: 0,
  interruptions: 0,
  delayedMs: 0,
  workCutMs: 0,
};

/** Both together. */
export function addOutcomes(one: Outcome, other: Outcome): Outcome {
  return {
    workingMs: one.workingMs + other.workingMs,
    idleMs: one.idleMs + other.idleMs,
    silentMs: one.silentMs + other.silentMs,
    hibernatedMs: one.hibernatedMs + other.hibernatedMs,
    unpricedMs: one.unpricedMs + other.unpricedMs,
    cost: one.cost + other.cost,
    wasted: one.wasted + other.wasted,
    saved: one.saved + other.saved,
    hibernations: one.hibernations + other.hibernations,
    regrets: one.regrets + other.regrets,
    deletions: one.deletions + other.deletions,
    interruptions: one.interruptions + other.interruptions,
    delayedMs: one.delayedMs + other.delayedMs,
    workCutMs: one.workCutMs + other.workCutMs,
  };
}

/** Whether its dollars say anything: a price is known for some of its time, or there was none to pay for. */
export function isPriced({ workingMs, idleMs, silentMs, hibernatedMs, unpricedMs }: Outcome): boolean {
  return unpricedMs === 0 || unpricedMs < workingMs + idleMs + silentMs + hibernatedMs;
}

/** Work that came while the machine was off. */
export interface Interruption {
  /** When it was hibernated. */
  readonly hibernatedAt: number;
  /** The first reading that shows the work. */
  readonly at: number;
  /** What that reading shows, such as `GPU at 97%`. */
  readonly evidence: string;
  readonly delayedMs: number;
  readonly workCutMs: number;
}

/** The longest first: by the work that was cut, and then by how long it waited. */
export function byLength(one: Interruption, other: Interruption): number {
  return other.workCutMs - one.workCutMs || other.delayedMs - one.delayedMs || one.at - other.at;
}

/** What one policy would have made of one story. */
export interface Replayed {
  readonly outcome: Outcome;
  /** Oldest first. Bounded: the longest are kept. */
  readonly interruptions: readonly Interruption[];
  /** What the numbers rest on beside readings. */
  readonly basis: Basis;
}

export interface Basis {
  readonly readings: number;
  /** Time of which only hours are kept. */
  readonly coarseMs: number;
  /** Time in which the machine really was off, and is taken to idle. */
  readonly assumedIdleMs: number;
  /** Readings that a former release kept, without maxima and sources. */
  readonly readingsWithoutUse: number;
}
