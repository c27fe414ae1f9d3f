import type { WorkflowStep } from "cloudflare:workers";
import { AUDIT_KEPT_MS } from "../accounts/audit.ts";
import { COST_DAYS_KEPT_MS } from "../history/costs.ts";
import { deleteLeftBehindPage } from "../history/left-behind.ts";
import {
  type Aged,
  deleteActsPage,
  deleteCostDaysPage,
  deleteEventsPage,
  deleteHoursPage,
  rollUpPage,
} from "../history/retention.ts";
import { historyOf } from "../history/shards.ts";
import { WALK_START, type WalkedTo } from "../history/walk.ts";
import { DAY_MS, MINUTE_MS, startOfUtcDay } from "../lifecycle/model/time.ts";
import { logWarning } from "../platform/log.ts";
import { readSettings } from "../platform/settings.ts";
import {
  CALLS_PER_STEP,
  type Figures,
  type HistoryTask,
  type HistoryWalk,
  PAGE,
  type Progress,
} from "./task.ts";

/** Ages one database of the history: heartbeats become hours, then hours and events are deleted. */

/** A step holds many pages, since a step costs, too; but no more than of so much time. */
const STEP_MS = MINUTE_MS;

/** What is left of the task once its workflow is spent; null when nothing is. A walk that fails ends none of the others. */
export async function ageHistory(
  env: Env,
  step: WorkflowStep,
  task: HistoryTask,
  startedAt: number,
  progress: Progress,
): Promise<HistoryTask | null> {
  let left = task;
  for (const walk of task.walks) {
    try {
      for (let page = 1, from: WalkedTo | null = left.from; from !== null; page++) {
        if (progress.isSpent) return { ...left, from };
        const at: WalkedTo = from;
        const done = await step.do(`${walk}, page ${page}`, PAGE, async ({ attempt }) => ({
          ...(await agePages(env, walk, task.shard, at, startedAt)),
          attempt,
        }));
        progress.add(done.figures, done.attempt);
        from = done.next;
      }
    } catch (error) {
      logWarning("the cleanup passes over a part of the history", { walk, shard: task.shard }, error);
      progress.add({ unfinished: 1 }, 1);
    }
    left = { ...left, walks: left.walks.slice(1), from: WALK_START };
  }
  return null;
}

async function agePages(
  env: Env,
  walk: HistoryWalk,
  shard: number,
  from: WalkedTo,
  startedAt: number,
): Promise<{ next: WalkedTo | null; figures: Figures }> {
  const until = Date.now() + STEP_MS;
  let next: WalkedTo | null = from;
  let [rows, unreadable, calls] = [0, 0, 0];
  while (next !== null && calls < CALLS_PER_STEP && Date.now() < until) {
    const aged: Aged = await agePage(env, walk, shard, next, startedAt);
    rows += aged.rows;
    unreadable += aged.unreadable;
    calls += aged.calls;
    next = aged.next;
  }
  return { next, figures: { [ROWS_OF[walk]]: rows, unreadableChunks: unreadable, calls } };
}

const ROWS_OF = {
  chunks: "rolledUp",
  hours: "hoursDeleted",
  events: "eventsDeleted",
  costs: "costDaysDeleted",
  acts: "actsDeleted",
  left_behind: "leftBehindDeleted",
} as const;

async function agePage(
  env: Env,
  walk: HistoryWalk,
  shard: number,
  from: WalkedTo,
  startedAt: number,
): Promise<Aged> {
  const settings = readSettings(env);
  const database = historyOf(env, shard);
  const hoursBefore = startedAt - settings.HOURS_RETENTION_DAYS * DAY_MS;
  switch (walk) {
    case "chunks":
      return rollUpPage(database, from, startedAt - settings.HEARTBEAT_RETENTION_DAYS * DAY_MS, hoursBefore);
    case "hours":
      return deleteHoursPage(database, from, hoursBefore);
    case "events":
      return deleteEventsPage(database, from, startedAt - settings.EVENT_RETENTION_DAYS * DAY_MS);
    case "costs":
      return deleteCostDaysPage(database, from, startOfUtcDay(startedAt - COST_DAYS_KEPT_MS));
    case "acts":
      return deleteActsPage(database, from, startedAt - AUDIT_KEPT_MS);
    case "left_behind":
      return deleteLeftBehindPage(database, from);
  }
}
