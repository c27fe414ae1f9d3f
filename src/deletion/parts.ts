import { type DeletionProgress, findAccount, finishDeletion, noteProgress } from "../accounts/standing.ts";
import { deleteRows, USER_TABLES } from "../history/belongings.ts";
import { historyShards } from "../history/shards.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { fleetOf } from "../platform/address.ts";
import { within } from "../platform/within.ts";
import { noteServiceEvent } from "../service/service.ts";

/**
 * The parts of a user's deletion, in their order. None remembers where it was: each takes what is left, so that it may be cut
 * off and begin again at any moment.
 */
export type Part =
  /** The fleet takes no more reports, and gives no more orders. */
  | { readonly type: "leave" }
  | { readonly type: "instances" }
  /** What was on its way into the history when its instance was erased arrives first. */
  | { readonly type: "wait" }
  /** `place`: among all tables of all databases. */
  | { readonly type: "rows"; readonly place: number }
  | { readonly type: "fleet" }
  | { readonly type: "user" }
  | { readonly type: "tell" };

/** How much is done at once. */
export interface Pace {
  readonly instancesPerStep: number;
  readonly rowsPerStatement: number;
  readonly statementsPerStep: number;
  /** A workflow makes at most so many calls, and then goes on in another. The platform's own limit is 10,000. */
  readonly callsPerWorkflow: number;
}

export const PACE: Pace = {
  instancesPerStep: 500,
  rowsPerStatement: 2000,
  statementsPerStep: 50,
  callsPerWorkflow: 5000,
};

export interface Done {
  /** Null when nothing is left to do. */
  readonly next: Part | null;
  readonly progress: DeletionProgress;
  /** How many calls it took. */
  readonly calls: number;
}

/** Erasing a step's instances takes at most as many times ten seconds as it takes turns. */
const FLEET_LIMIT_MS = 3 * MINUTE_MS;

export async function carryOn(
  env: Env,
  userId: string,
  part: Exclude<Part, { type: "wait" }>,
  progress: DeletionProgress,
  pace: Pace,
): Promise<Done> {
  const done = await carryOutPart(env, userId, part, progress, pace);
  await noteProgress(env.DB, userId, done.progress);
  return { ...done, calls: done.calls + 1 };
}

async function carryOutPart(
  env: Env,
  userId: string,
  part: Exclude<Part, { type: "wait" }>,
  progress: DeletionProgress,
  pace: Pace,
): Promise<Done> {
  switch (part.type) {
    case "leave": {
      await within(FLEET_LIMIT_MS, fleetOf(env, userId).account({ type: "leave" }));
      // What a workflow before this one has done counts on.
      const before = (await findAccount(env.DB, userId))?.deletion?.progress;
      return {
        next: { type: "instances" },
        progress: { ...(before ?? progress), turn: progress.turn },
        calls: 2,
      };
    }
    case "instances": {
      const asked = fleetOf(env, userId).account({ type: "erase_instances", limit: pace.instancesPerStep });
      const { instances, isMore } = await within(FLEET_LIMIT_MS, asked);
      return {
        next: isMore ? part : { type: "wait" },
        progress: { ...progress, instances: progress.instances + instances },
        calls: 1,
      };
    }
    case "rows":
      return deleteSomeRows(env, userId, part.place, progress, pace);
    case "fleet":
      await within(FLEET_LIMIT_MS, fleetOf(env, userId).account({ type: "erase" }));
      return { next: { type: "user" }, progress, calls: 1 };
    case "user":
      await finishDeletion(env.DB, userId, Date.now());
      return { next: { type: "tell" }, progress, calls: 1 };
    case "tell":
      await tell(env, userId);
      return { next: null, progress, calls: 2 };
  }
}

async function deleteSomeRows(
  env: Env,
  userId: string,
  from: number,
  progress: DeletionProgress,
  { rowsPerStatement, statementsPerStep }: Pace,
): Promise<Done> {
  const places = historyShards(env).flatMap((db, shard) =>
    USER_TABLES.filter(({ isSharded }) => isSharded || shard === 0).map((table) => ({ db, table })),
  );
  let place = from;
  let rows = 0;
  let calls = 0;
  for (; calls < statementsPerStep && place < places.length; calls++) {
    const at = places[place];
    if (at === undefined) break;
    const deleted = await deleteRows(at.db, at.table, userId, rowsPerStatement);
    rows += deleted;
    if (deleted < rowsPerStatement) place += 1;
  }
  const next: Part = place < places.length ? { type: "rows", place } : { type: "fleet" };
  return { next, progress: withRows(progress, rows), calls };
}

function withRows(progress: DeletionProgress, rows: number): DeletionProgress {
  return { ...progress, rows: progress.rows + rows };
}

/** Once, however often it is asked: by the id and the moment of the event. */
async function tell(env: Env, userId: string): Promise<void> {
  const deletion = (await findAccount(env.DB, userId))?.deletion;
  if (deletion?.finishedAt == null) throw new Error("the deletion is not finished");
  const { instances, rows } = deletion.progress;
  await noteServiceEvent(env, {
    id: `deleted-${userId}`,
    at: deletion.finishedAt,
    kind: "user_deleted",
    severity: "info",
    message: `User ${userId} was deleted, with ${instances} instances and ${rows} rows. No machine was touched at its provider`,
    detail: { user_id: userId, instances, rows },
  });
}
