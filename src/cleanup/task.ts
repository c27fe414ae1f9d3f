import type { WalkedTo } from "../history/walk.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { addTally, type Tally } from "../service/aggregate.ts";

/**
 * The daily cleanup in parts, each a workflow of its own: the run, which starts the others and tells what they did; batches of
 * users, whose fleets and instances are visited; and the databases of the history, which are aged.
 */

export interface CleanupParameters {
  readonly runId: string;
  readonly startedAt: number;
  readonly task: CleanupTask;
  /** A task that is longer than its workflow may be goes on in another one. */
  readonly leg: number;
  /** What the legs before have done. */
  readonly figures: Tally;
}

export type CleanupTask =
  | { readonly kind: "run" }
  | FleetsTask
  /** What is left of the walks through a database, the first of them from where it was. */
  | HistoryTask;

export interface FleetsTask {
  readonly kind: "fleets";
  readonly batch: number;
  /** Whose fleets are to be visited: these, and then those of the users after `after` up to `upTo`. */
  readonly queue: readonly FleetPlace[];
  readonly after: string;
  readonly upTo: string;
  /** Fleets that were out of reach, and are tried again at the end. */
  readonly away: readonly FleetPlace[];
}

/** A fleet whose instances after this one are still to be visited. */
export interface FleetPlace {
  readonly userId: string;
  readonly instanceId: string;
}

export interface HistoryTask {
  readonly kind: "history";
  readonly shard: number;
  readonly walks: readonly HistoryWalk[];
  readonly from: WalkedTo;
}

export const HISTORY_WALKS = ["chunks", "hours", "events", "costs", "acts", "left_behind"] as const;
export type HistoryWalk = (typeof HISTORY_WALKS)[number];

/** The name of a part among those of its run. */
export function partOf(task: CleanupTask): string {
  switch (task.kind) {
    case "run":
      return "run";
    case "fleets":
      return `fleets-${task.batch}`;
    case "history":
      return `history-${task.shard}`;
  }
}

/** The same for the same run, part and leg, so that each is started once. */
export function workflowId({ runId, task, leg }: CleanupParameters): string {
  return `${runId}-${partOf(task)}${leg === 1 ? "" : `-${leg}`}`;
}

/** What may be counted of a cleanup. */
const NOTHING = {
  instances: 0,
  unreachable: 0,
  fleetsAway: 0,
  rolledUp: 0,
  unreadableChunks: 0,
  hoursDeleted: 0,
  eventsDeleted: 0,
  costDaysDeleted: 0,
  actsDeleted: 0,
  /** Rows of users who are gone. */
  leftBehindDeleted: 0,
  /** Walks that ended early, and parts that never ended. */
  unfinished: 0,
  /** Calls of databases and objects, which count against a workflow's limit of subrequests. */
  calls: 0,
  steps: 0,
};

export type Figures = Readonly<Partial<typeof NOTHING>>;
export type AllFigures = Readonly<typeof NOTHING>;

export function allFigures(tally: Tally): AllFigures {
  return { ...NOTHING, ...tally };
}

/** Users of one batch. Their instances are visited one page after the other, those of other batches meanwhile. */
export const USERS_PER_BATCH = 200;

/** So many workflows are started in a step, with a second between the steps: far below the platform's 100 a second. */
export const BATCHES_PER_STEP = 5;

/** Instances that are visited in a step. */
export const INSTANCES_PER_PAGE = 100;

/** Calls of a database in a step of the history. */
export const CALLS_PER_STEP = 200;

/** Below the platform's limit of 10,000 subrequests a workflow: a page may take some hundreds, and be tried again. */
export const CALLS_PER_WORKFLOW = 7_500;

/** A page ends after this long, far below the limit of a step. */
export const LONGEST_PAGE_MS = 2 * MINUTE_MS;

/** Five minutes of tries. What fails for longer is passed over, and tried again tomorrow. */
export const PAGE = {
  retries: { limit: 5, delay: "10 seconds", backoff: "exponential" },
  timeout: "10 minutes",
} as const;

/** What is to be told is tried for about three hours. */
export const LAST_WORD = {
  retries: { limit: 10, delay: "10 seconds", backoff: "exponential" },
  timeout: "1 minute",
} as const;

/** What a workflow has done so far, with what the legs before it did. */
export class Progress {
  figures: Tally;
  #calls = 0;

  constructor(figures: Tally) {
    this.figures = figures;
  }

  /** A page has been done, at this try: those before it called as often. */
  add(figures: Figures, attempt: number): void {
    const calls = (figures.calls ?? 0) * attempt;
    this.#calls += calls;
    this.figures = addTally(this.figures, { ...figures, calls, steps: 1 });
  }

  /** Whether the rest belongs into another workflow. */
  get isSpent(): boolean {
    return this.#calls >= CALLS_PER_WORKFLOW;
  }
}
