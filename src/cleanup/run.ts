import type { WorkflowStep } from "cloudflare:workers";
import { listUsers } from "../accounts/users.ts";
import { historyShards } from "../history/shards.ts";
import { WALK_START } from "../history/walk.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { createOnce } from "../platform/create-once.ts";
import { logInfo, logWarning } from "../platform/log.ts";
import { addTally, type Tally } from "../service/aggregate.ts";
import { noteCleanup, readCleanupParts } from "../service/service.ts";
import {
  type AllFigures,
  allFigures,
  BATCHES_PER_STEP,
  type CleanupParameters,
  type CleanupTask,
  HISTORY_WALKS,
  LAST_WORD,
  PAGE,
  USERS_PER_BATCH,
  workflowId,
} from "./task.ts";

/** The run itself: starts the parts, waits until they have said what they did, and tells the operator. */

/** Orders and alerts are started meanwhile, too. */
const PAUSE_MS = SECOND_MS;

/** Parts are waited for at growing intervals, for about six hours. */
const FIRST_WAIT_MS = SECOND_MS;
const LONGEST_WAIT_MS = 10 * MINUTE_MS;
const WAITS = 45;

export async function runCleanup(
  env: Env,
  step: WorkflowStep,
  { runId, startedAt }: Pick<CleanupParameters, "runId" | "startedAt">,
): Promise<AllFigures> {
  const start = (task: CleanupTask) => startPart(env, { runId, startedAt, task, leg: 1, figures: {} });
  let [parts, unfinished, steps] = [0, 0, 0];
  try {
    parts += await step.do("start: history", PAGE, async () => {
      const shards = historyShards(env).length;
      for (let shard = 0; shard < shards; shard++) {
        await start({ kind: "history", shard, walks: HISTORY_WALKS, from: WALK_START });
      }
      return shards;
    });
    let after: string | null = "";
    for (let page = 1; after !== null; page++) {
      const [before, begun]: [string, number] = [after, (page - 1) * BATCHES_PER_STEP];
      const started = await step.do(`start: fleets, page ${page}`, PAGE, async () => {
        const users = await listUsers(env.DB, before, USERS_PER_BATCH * BATCHES_PER_STEP);
        const ends = users.filter((_, index) => index % USERS_PER_BATCH === USERS_PER_BATCH - 1);
        const last = users.at(-1);
        if (last !== undefined && last !== ends.at(-1)) ends.push(last);
        for (const [index, { id: upTo }] of ends.entries()) {
          const from = ends[index - 1]?.id ?? before;
          await start({ kind: "fleets", batch: begun + index, queue: [], after: from, upTo, away: [] });
        }
        return {
          batches: ends.length,
          next: users.length < USERS_PER_BATCH * BATCHES_PER_STEP ? null : (last?.id ?? null),
        };
      });
      parts += started.batches;
      after = started.next;
      steps += 2;
      if (after !== null) await step.sleep(`pause ${page}`, PAUSE_MS);
    }
  } catch (error) {
    logWarning("the cleanup could not start all of its parts", {}, error);
    unfinished += 1;
  }
  const heard = await awaitParts(env, step, runId, parts);
  const own = { unfinished: unfinished + parts - heard.parts, steps: steps + heard.steps };
  const figures = allFigures(addTally(heard.figures, own));
  await step.do("report", LAST_WORD, () => tell(env, runId, startedAt, figures));
  return figures;
}

export async function startPart(
  env: Pick<Env, "DAILY_CLEANUP">,
  parameters: CleanupParameters,
): Promise<void> {
  await createOnce(env.DAILY_CLEANUP, workflowId(parameters), parameters);
}

async function awaitParts(
  env: Env,
  step: WorkflowStep,
  runId: string,
  expected: number,
): Promise<{ parts: number; figures: Tally; steps: number }> {
  let heard: { parts: number; figures: Tally } = { parts: 0, figures: {} };
  for (let wait = 1; wait <= WAITS; wait++) {
    await step.sleep(`wait ${wait}`, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (wait - 1)));
    try {
      heard = await step.do(`ask ${wait}`, PAGE, () => readCleanupParts(env, runId));
    } catch (error) {
      logWarning("the parts of the cleanup could not be asked for", {}, error);
    }
    if (heard.parts >= expected) return { ...heard, steps: 2 * wait };
  }
  return { ...heard, steps: 2 * WAITS };
}

async function tell(env: Env, runId: string, startedAt: number, figures: AllFigures): Promise<void> {
  const { instances, unreachable, fleetsAway, unreadableChunks, unfinished } = figures;
  const failures = {
    fleets: fleetsAway,
    instances: unreachable,
    chunks: unreadableChunks,
    parts: unfinished,
  };
  const isWhole = Object.values(failures).every((count) => count === 0);
  const message = [
    `Cleanup: ${instances} instances visited (${unreachable} out of reach)`,
    `${figures.rolledUp} chunks of heartbeats rolled up`,
    `${figures.hoursDeleted} hours and ${figures.eventsDeleted} events deleted`,
    ...(figures.costDaysDeleted === 0 ? [] : [`${figures.costDaysDeleted} days of costs deleted`]),
    ...(figures.actsDeleted === 0 ? [] : [`${figures.actsDeleted} acts of people deleted`]),
    ...(figures.leftBehindDeleted === 0
      ? []
      : [`${figures.leftBehindDeleted} rows of deleted users deleted`]),
    ...(fleetsAway === 0 ? [] : [`${fleetsAway} fleets out of reach`]),
    ...(unreadableChunks === 0 ? [] : [`${unreadableChunks} chunks can't be read`]),
    ...(unfinished === 0 ? [] : [`${unfinished} parts did not come to their end`]),
  ].join(", ");
  logInfo(message, { workflow_id: runId, ...figures });
  await noteCleanup(
    env,
    { startedAt, instances, unreachable, failures },
    {
      id: runId,
      at: startedAt,
      kind: "cleanup",
      severity: isWhole ? "info" : "warning",
      message,
      detail: { startedAt, ...figures, run: runId },
    },
  );
}
