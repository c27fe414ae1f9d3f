import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { listUsers } from "../accounts/users.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { logInfo, logWarning } from "../platform/log.ts";
import { count } from "../service/meter.ts";
import { noteServiceEvent } from "../service/service.ts";
import {
  addFound,
  DIFFERENCES,
  FIRST_PLACE,
  type Found,
  NOTHING_FOUND,
  type ReconcilePlace,
  reconcilePage,
} from "./reconcile.ts";

/**
 * The weekly reconciliation of all users, in pages, each of them a step: if it is cut off, it goes on at the same page. A page that
 * runs twice mends nothing more.
 */

interface Walk {
  readonly runId: string;
  readonly startedAt: number;
  /** The platform grants each workflow so many calls, and no more: a long walk goes through several, one after the other. */
  readonly workflow: number;
  readonly callsPerWorkflow: number;
  /** The user with whom the walk stands at `place`; users up to here are through when that is null. */
  readonly userId: string;
  readonly place: ReconcilePlace | null;
  readonly users: number;
  /** Users whose fleet, or whose history, did not answer. */
  readonly passedOver: number;
  readonly found: Found;
}

/** The platform grants a workflow 10,000 calls. Tries that failed are not counted here. */
const CALLS_PER_WORKFLOW = 5000;

/** So that no step comes near its time limit, and small fleets share one. */
const CALLS_PER_STEP = 500;
const PAGES_PER_STEP = 40;

/** Within about two minutes. */
const TRIES_OF_A_USER = 4;

const STEP = {
  retries: { limit: 10, delay: "10 seconds", backoff: "exponential" },
  timeout: "15 minutes",
} as const;

export class WeeklyReconciliation extends WorkflowEntrypoint<Env, Walk> {
  override async run(event: Readonly<WorkflowEvent<Walk>>, step: WorkflowStep): Promise<Walk> {
    await awaitSettings(this.env, step);
    let walk = event.payload;
    const callsBefore = walk.found.calls;
    for (let number = 1; walk.found.calls - callsBefore < walk.callsPerWorkflow; number++) {
      const from = walk;
      const done = await step.do(`page ${number}`, STEP, ({ attempt }) => this.#step(from, attempt));
      walk = done.walk;
      if (done.isThrough) {
        const last = walk;
        await step.do("report", STEP, () => this.#tell(last));
        return walk;
      }
    }
    const rest = { ...walk, workflow: walk.workflow + 1 };
    await step.do("go on in another workflow", STEP, () =>
      createOnce(this.env.RECONCILIATION, `${rest.runId}-${rest.workflow}`, rest),
    );
    return walk;
  }

  async #step(from: Walk, attempt: number): Promise<{ readonly walk: Walk; readonly isThrough: boolean }> {
    let walk = from;
    for (let page = 0; page < PAGES_PER_STEP; page++) {
      if (walk.found.calls - from.found.calls >= Math.min(CALLS_PER_STEP, walk.callsPerWorkflow)) break;
      if (walk.place === null) {
        const [user] = await listUsers(this.env.DB, walk.userId, 1);
        if (user === undefined) return { walk, isThrough: true };
        const found = { ...walk.found, calls: walk.found.calls + 1 };
        walk = { ...walk, userId: user.id, place: FIRST_PLACE, users: walk.users + 1, found };
      }
      walk = await this.#page(walk, attempt);
    }
    return { walk, isThrough: false };
  }

  /** A user who stays out of reach must not keep all others from it. */
  async #page(walk: Walk, attempt: number): Promise<Walk> {
    const { userId, place } = walk;
    if (place === null) return walk;
    try {
      const { next, found } = await reconcilePage(this.env, userId, place);
      return { ...walk, place: next, found: addFound(walk.found, found) };
    } catch (error) {
      if (attempt < TRIES_OF_A_USER) throw error;
      logWarning("the reconciliation passes over a user", { user_id: userId }, error);
      return { ...walk, place: null, passedOver: walk.passedOver + 1 };
    }
  }

  async #tell({ runId, startedAt, users, passedOver, found }: Walk): Promise<void> {
    countDifferences(this.env, this.ctx, found);
    const apart = DIFFERENCES.flatMap((difference) => {
      const times = found.differences[difference] ?? 0;
      return times === 0 ? [] : [`${times} × ${difference.replaceAll("_", " ")}`];
    });
    const message = `Reconciliation: ${found.looked} instances of ${users} users looked at (${found.unknown} out of reach, ${passedOver} users passed over), ${apart.length === 0 ? "nothing apart" : `mended: ${apart.join(", ")}`}`;
    const { differences, looked, unknown } = found;
    const detail = { run: runId, users, passed_over: passedOver, looked, unknown, ...differences };
    logInfo(message, detail);
    await noteServiceEvent(this.env, {
      id: runId,
      at: startedAt,
      kind: "reconciliation",
      severity: apart.length === 0 && passedOver === 0 ? "info" : "warning",
      message,
      detail,
    });
  }
}

/** Counts what was found apart, by its kind. */
export function countDifferences(
  env: Pick<Env, "SERVICE">,
  context: Pick<ExecutionContext, "waitUntil">,
  { differences }: Found,
): void {
  for (const difference of DIFFERENCES) {
    const times = differences[difference] ?? 0;
    if (times > 0) count(env, context, "differences", { difference }, times);
  }
}

/** Starts a run, unless one of this id was started before. */
export async function startReconciliation(
  env: Pick<Env, "RECONCILIATION">,
  runId: string,
  now: number,
  callsPerWorkflow = CALLS_PER_WORKFLOW,
): Promise<void> {
  const walk: Walk = {
    callsPerWorkflow,
    runId,
    startedAt: now,
    workflow: 1,
    userId: "",
    place: null,
    users: 0,
    passedOver: 0,
    found: NOTHING_FOUND,
  };
  await createOnce(env.RECONCILIATION, runId, walk);
}
