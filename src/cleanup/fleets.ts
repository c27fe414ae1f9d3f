import type { WorkflowStep } from "cloudflare:workers";
import { deleteEndedAccess } from "../accounts/ended.ts";
import { listUsers } from "../accounts/users.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { logWarning } from "../platform/log.ts";
import {
  type Figures,
  type FleetPlace,
  type FleetsTask,
  INSTANCES_PER_PAGE,
  LONGEST_PAGE_MS,
  PAGE,
  type Progress,
} from "./task.ts";
import { nextToVisit, visitAll } from "./visit.ts";

/** Visits the fleets of a batch of users, and their instances: expired orphans are led to their end, lost alarms armed again. */

const USERS_PER_PAGE = 50;

/** A fleet that is out of reach is tried again so often, with so long between the rounds. */
const ROUNDS = 3;
const ROUND_MS = MINUTE_MS;

/** What is left of the task once its workflow is spent; null when nothing is. */
export async function visitFleets(
  env: Env,
  step: WorkflowStep,
  task: FleetsTask,
  progress: Progress,
): Promise<FleetsTask | null> {
  let left = task;
  for (let page = 1; !isWalked(left); page++) {
    if (progress.isSpent) return left;
    const { queue, after, upTo } = left;
    const done = await step.do(`fleets, page ${page}`, PAGE, async ({ attempt }) => {
      const users = queue.length > 0 ? [] : await listUsers(env.DB, after, USERS_PER_PAGE);
      const ids = users.map(({ id }) => id).filter((id) => id <= upTo);
      const places = queue.length > 0 ? queue : ids.map((userId) => ({ userId, instanceId: "" }));
      // None is left between here and the end of the batch.
      const walkedTo = queue.length > 0 ? after : ids.length < USERS_PER_PAGE ? upTo : (ids.at(-1) ?? upTo);
      return { ...(await visit(env, places)), walkedTo, attempt };
    });
    progress.add(done.figures, done.attempt);
    left = { ...left, queue: done.rest, after: done.walkedTo, away: [...left.away, ...done.away] };
  }
  const away = await visitAgain(env, step, left.away, progress);
  progress.figures = { ...progress.figures, fleetsAway: (progress.figures.fleetsAway ?? 0) + away };
  return null;
}

const isWalked = ({ queue, after, upTo }: FleetsTask) => queue.length === 0 && after >= upTo;

/** Returns how many stay out of reach: they must not keep others from their daily look. */
async function visitAgain(
  env: Env,
  step: WorkflowStep,
  places: readonly FleetPlace[],
  progress: Progress,
): Promise<number> {
  let away = places;
  for (let round = 1; round <= ROUNDS && away.length > 0; round++) {
    await step.sleep(`wait for fleets, round ${round}`, ROUND_MS);
    let queue = away;
    away = [];
    for (let page = 1; queue.length > 0 && !progress.isSpent; page++) {
      const waiting = queue;
      const done = await step.do(`fleets again, round ${round}, page ${page}`, PAGE, async ({ attempt }) => ({
        ...(await visit(env, waiting)),
        attempt,
      }));
      progress.add(done.figures, done.attempt);
      queue = done.rest;
      away = [...away, ...done.away];
    }
    away = [...queue, ...away];
  }
  if (away.length > 0)
    logWarning("the cleanup passes over fleets", { users: away.map(({ userId }) => userId).join() });
  return away.length;
}

/** Visits instances of these fleets, in order, until a page is full. */
async function visit(
  env: Env,
  places: readonly FleetPlace[],
): Promise<{ rest: FleetPlace[]; away: FleetPlace[]; figures: Figures }> {
  const until = Date.now() + LONGEST_PAGE_MS;
  const away: FleetPlace[] = [];
  let [instances, unreachable, calls] = [0, 0, 1];
  const rest = [...places];
  for (const place of places) {
    const room = INSTANCES_PER_PAGE - instances;
    if (room === 0 || Date.now() > until) break;
    rest.shift();
    calls += 2;
    if (place.instanceId === "") {
      calls += 1;
      await deleteEndedAccess(env.DB, place.userId, Date.now()).catch((error) =>
        logWarning("ended sessions stay until the next cleanup", { user_id: place.userId }, error),
      );
    }
    const listed = await nextToVisit(env, place.userId, place.instanceId, room).catch((error) => {
      logWarning("a fleet is out of reach of the cleanup", { user_id: place.userId }, error);
      return null;
    });
    if (listed === null) {
      away.push(place);
      continue;
    }
    unreachable += await visitAll(env, place.userId, listed);
    instances += listed.length;
    calls += listed.length;
    const last = listed.at(-1);
    if (last !== undefined && listed.length === room) rest.unshift({ ...place, instanceId: last.instanceId });
  }
  return { rest, away, figures: { instances, unreachable, calls } };
}
