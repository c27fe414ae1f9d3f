import {
  BATCHES_PER_STEP,
  CALLS_PER_STEP,
  CALLS_PER_WORKFLOW,
  INSTANCES_PER_PAGE,
  USERS_PER_BATCH,
} from "../src/cleanup/task.ts";
import { ROWS_PER_PAGE } from "../src/history/walk.ts";

/** What a daily cleanup asks of the platform, by its own bounds. `npm run bench:cleanup` measures one of 100,000 instances. */

export interface CleanupDemand {
  readonly calls: number;
  readonly steps: number;
  readonly workflows: number;
  readonly d1Rows: number;
  readonly minutes: number;
}

const HOURS_A_DAY = 24;

/** A page of visits takes about so long, with 100 objects that wake up; a page of history so long. Both rather too long. */
const SECONDS_A_PAGE = { visits: 3, history: 1 } as const;

export interface CleanupLoad {
  readonly instances: number;
  readonly users: number;
  readonly largestUser: number;
  readonly databases: number;
  /** Of an instance a day. */
  readonly chunks: number;
  readonly events: number;
}

export function cleanupDemand(load: CleanupLoad): CleanupDemand {
  const { instances, users, largestUser, databases, chunks, events } = load;
  const batches = Math.ceil(users / USERS_PER_BATCH);
  const visits = instances + 2 * users + instances / INSTANCES_PER_PAGE;
  // A page is listed by one call, and moved or deleted by another.
  const oldRows = chunks + HOURS_A_DAY + events;
  const history = (2 * instances * oldRows) / ROWS_PER_PAGE;
  const workflows =
    1 +
    Math.max(batches, visits / CALLS_PER_WORKFLOW) +
    databases * Math.ceil(history / databases / CALLS_PER_WORKFLOW);
  const startSteps = (2 * batches) / BATCHES_PER_STEP;
  const visitSteps = Math.max(instances / INSTANCES_PER_PAGE, batches);
  const steps = startSteps + visitSteps + history / CALLS_PER_STEP + 3 * databases + workflows;
  // Parts run beside each other: the longest ends last, and they are started one after the other.
  const startSeconds = batches / BATCHES_PER_STEP;
  const longestBatch = Math.max(largestUser, (instances / users) * USERS_PER_BATCH);
  const visitSeconds = (longestBatch / INSTANCES_PER_PAGE) * SECONDS_A_PAGE.visits;
  const historySeconds = (history / 2 / databases) * SECONDS_A_PAGE.history;
  return {
    calls: visits + history,
    steps,
    workflows,
    // Rolled up, an hour is written; chunk, old hour and old event are deleted.
    d1Rows: instances * (oldRows + HOURS_A_DAY),
    minutes: Math.max(startSeconds + visitSeconds, historySeconds) / 60,
  };
}
